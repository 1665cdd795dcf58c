from __future__ import annotations

import hashlib
import io
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import CIFAR100

from sandbox.data.catalog import load
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

NAMES = [b"apple", b"aquarium_fish", b"baby", b"bear", b"beaver", b"bed", b"bee", b"beetle", b"bicycle", b"bottle"]
COUNTS = {"train": 80, "test": 30}


class Python2(pickle._Pickler):
    """Writes bytes and text as cPickle of Python 2 wrote its strings, in which the published files are."""

    dispatch: ClassVar[Any] = dict(pickle._Pickler.dispatch)

    def save_string(self, value: bytes | str) -> None:
        data = value.encode("latin-1") if isinstance(value, str) else value
        head = b"U" + bytes([len(data)]) if len(data) < 256 else b"T" + struct.pack("<i", len(data))
        self.write(head + data)  # type: ignore[attr-defined]
        self.memoize(value)

    dispatch[bytes] = dispatch[str] = save_string


def python_2(value: object) -> bytes:
    out = io.BytesIO()
    Python2(out, protocol=2).dump(value)
    return out.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def half(name: str) -> dict[bytes, Any]:
    count = COUNTS[name]
    labels = [place % 10 for place in range(count)]
    return {
        b"filenames": [f"{name}_s_{place:06d}.png".encode() for place in range(count)],
        b"batch_label": b"training batch 1 of 1",
        b"fine_labels": labels,
        b"coarse_labels": [label // 5 for label in labels],
        b"data": np.random.default_rng(count).integers(0, 256, (count, 3072), dtype=np.uint8),
    }


def written(folder: Path, dump: Callable[[object], bytes] = python_2) -> Path:
    folder.mkdir(parents=True)
    for name in COUNTS:
        (folder / name).write_bytes(dump(half(name)))
    (folder / "meta").write_bytes(dump({b"fine_label_names": NAMES, b"coarse_label_names": [b"fruit", b"insects"]}))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    written(tmp_path / "cifar-100-python")
    return tmp_path


def read(root: Path, **settings: object) -> Splits:
    return load(DataSpec(name="cifar100", root=str(root), **settings))  # type: ignore[arg-type]


@pytest.fixture
def theirs(root: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, CIFAR100]:
    """What torchvision reads, once told the digests of these files."""
    digests = {name: hashlib.md5((root / CIFAR100.base_folder / name).read_bytes()).hexdigest() for name in half_names}
    monkeypatch.setattr(CIFAR100, "train_list", [["train", digests["train"]]])
    monkeypatch.setattr(CIFAR100, "test_list", [["test", digests["test"]]])
    monkeypatch.setattr(CIFAR100, "meta", CIFAR100.meta | {"md5": digests["meta"]})
    return {"train": CIFAR100(str(root), train=True), "test": CIFAR100(str(root), train=False)}


half_names = ("train", "test", "meta")


@pytest.mark.parametrize("split", ["auto", "class"])
def test_pixels_and_names_are_those_that_torchvision_reads(root: Path, theirs: dict[str, CIFAR100], split: str) -> None:
    splits = read(root, split=split)
    seen = 0
    for part in (splits.train, splits.val, splits.test):
        for image, label, path in zip(part.pixels, part.labels, part.paths, strict=True):
            own = theirs[path.split("/")[0]]
            number = int(path.split("/")[1])
            np.testing.assert_array_equal(image, own.data[number])
            assert part.classes[label] == own.classes[own.targets[number]]
            seen += 1
    assert seen == 110


def test_the_published_split(root: Path) -> None:
    splits = read(root, validation=0.25)
    assert [len(part) for part in (splits.train, splits.val, splits.test)] == [60, 20, 30]
    assert splits.closed_set
    assert splits.mirror
    assert splits.test.classes[:2] == ("apple", "aquarium_fish")
    assert splits.test.paths[29] == "test/00029"
    assert any("near-duplicate" in note for note in splits.notes)
    assert read(root, split="given", validation=0.25).digest == splits.digest
    assert len({read(root, split_seed=seed).val.paths for seed in range(3)}) == 3


def test_classes_apart_and_by_sample(root: Path) -> None:
    splits = read(root, split="class")
    assert [len(part.classes) for part in (splits.train, splits.val, splits.test)] == [5, 2, 3]
    assert not splits.closed_set
    assert not any("near-duplicate" in note for note in splits.notes)
    assert read(root, split="sample").closed_set


def test_grey_is_what_pillow_makes_of_it(root: Path) -> None:
    colour, grey = read(root), read(root, colour="grey")
    assert grey.test.pixels.shape == (30, 32, 32, 1)
    for one, other in zip(colour.test.pixels, grey.test.pixels, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.fromarray(one).convert("L")), other[..., 0])
    assert read(root, image_size=48).train.pixels.shape[1:] == (48, 48, 3)


@pytest.mark.parametrize("protocol", [3, 4])
def test_pickles_of_python_3_are_read_too(tmp_path: Path, root: Path, protocol: int) -> None:
    folder = written(tmp_path / "other", lambda value: pickle.dumps(value, protocol=protocol))
    assert read(folder).digest == read(root).digest
    np.testing.assert_array_equal(read(folder).test.pixels, read(root).test.pixels)


class Bomb:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


@pytest.mark.parametrize("name", half_names)
def test_a_pickle_that_would_run_code_is_refused(root: Path, tmp_path: Path, name: str) -> None:
    bomb = {b"data": Bomb(tmp_path / "went off")}
    (root / "cifar-100-python" / name).write_bytes(pickle.dumps(bomb, protocol=2))
    with pytest.raises(SandboxError, match=rf"cifar-100-python/{name} asks for '.*', which is refused"):
        read(root)
    assert not (tmp_path / "went off").exists()


def changed(name: str, **values: Any) -> bytes:
    return python_2(half(name) | {key.encode(): value for key, value in values.items()})


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("train", b"", "is damaged, cut short or not a pickle"),
        ("train", python_2(half("train"))[:-200], "is damaged, cut short or not a pickle"),
        ("train", python_2(half("train"))[:100_000], "is damaged, cut short or not a pickle"),
        ("test", b"<html>not found</html>", "is damaged, cut short or not a pickle"),
        ("test", python_2([1, 2]), "must hold a dict"),
        ("test", python_2({b"data": 1}), "holds no fine_labels"),
        ("test", changed("test", data=[1]), "must hold data as rows of 3,072 bytes"),
        ("test", changed("test", data=np.zeros((30, 3072))), "must hold data as rows of 3,072 bytes"),
        ("test", changed("test", data=np.zeros((30, 1024), np.uint8)), "must hold data as rows of 3,072 bytes"),
        ("test", changed("test", fine_labels=[0] * 29), "holds 30 images, but 29 fine_labels"),
        ("test", changed("test", fine_labels=[10] * 30), "holds label 10, but meta names classes 0 to 9"),
        ("test", changed("test", fine_labels=[-1] * 30), "holds label -1"),
        ("test", changed("test", fine_labels=[b"a"] * 30), "must list whole numbers"),
        ("meta", python_2({b"fine_label_names": 3}), "must list the class names"),
        ("meta", python_2({b"fine_label_names": [b"bee", b"bed", b"bee"]}), "names two classes 'bee'"),
        ("meta", python_2({b"label_names": NAMES}), "holds no fine_label_names"),
    ],
)
def test_damaged_files_are_named(root: Path, name: str, content: bytes, said: str) -> None:
    file = root / "cifar-100-python" / name
    file.write_bytes(content)
    with pytest.raises(SandboxError, match=said) as caught:
        read(root)
    assert str(file) in str(caught.value) and "\n" not in str(caught.value)


def test_missing_files_are_named(root: Path, tmp_path: Path) -> None:
    (root / "cifar-100-python" / "meta").unlink()
    with pytest.raises(SandboxError, match="cifar-100-python holds no meta beside train"):
        read(root)
    (tmp_path / "photographs" / "train").mkdir(parents=True)
    with pytest.raises(SandboxError, match="holds no cifar-100-python/train, nor a file train"):
        read(tmp_path / "photographs")
