from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torchvision.datasets import MNIST

from sandbox.data.catalog import load
from sandbox.data.datasets.mnist import read_idx
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

LABELS = {"train": np.arange(120) % 10, "t10k": np.arange(50)[::-1] % 10}


def pixels(name: str) -> np.ndarray:
    """Noise in which row 0 tells the image."""
    noise = np.random.default_rng(len(name)).integers(0, 256, (len(LABELS[name]), 28, 28), dtype=np.uint8)
    noise[:, 0, 0] = np.arange(len(noise))
    return noise


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def write(folder: Path, packed: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, labels in LABELS.items():
        for kind, array in (("images-idx3", pixels(name)), ("labels-idx1", labels)):
            file = folder / f"{name}-{kind}-ubyte{'.gz' if packed else ''}"
            file.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "MNIST" / "raw")
    return tmp_path


def read(root: Path, **settings: object) -> Splits:
    return load(DataSpec(name="mnist", root=str(root), **settings))  # type: ignore[arg-type]


def test_the_published_split(root: Path) -> None:
    splits = read(root, validation=0.25)
    assert [len(part) for part in (splits.train, splits.val, splits.test)] == [90, 30, 50]
    assert splits.closed_set
    assert not splits.mirror
    assert splits.train.classes == splits.val.classes == splits.test.classes == tuple("0123456789")
    assert set(splits.val.counts) == {3}
    assert splits.test.paths == tuple(f"test/{number:05d}" for number in range(50))
    assert sorted({*splits.train.paths, *splits.val.paths}) == [f"train/{number:05d}" for number in range(120)]
    assert "the train half holds 120 images, but 60,000 were published" in splits.notes
    assert any("every class is trained on, validation is 0.25 of the training images" in note for note in splits.notes)


@pytest.mark.parametrize("split", ["auto", "class", "sample"])
def test_pixels_and_labels_are_those_that_torchvision_reads(root: Path, split: str) -> None:
    splits = read(root, split=split)
    theirs = {"train": MNIST(str(root), train=True), "test": MNIST(str(root), train=False)}
    seen = 0
    for part in (splits.train, splits.val, splits.test):
        for image, label, path in zip(part.pixels, part.labels, part.paths, strict=True):
            half, _, number = path.partition("/")
            np.testing.assert_array_equal(image[..., 0], theirs[half].data[int(number)].numpy())
            assert part.classes[label] == str(int(theirs[half].targets[int(number)]))
            seen += 1
    assert seen == 170


def test_the_seed_draws_validation_and_never_test(root: Path) -> None:
    splits = [read(root, split_seed=seed) for seed in (0, 0, 1, 2)]
    assert splits[0].digest == splits[1].digest
    assert len({one.digest for one in splits}) == 3
    assert len({one.test.paths for one in splits}) == 1
    assert read(root, test=0.5).digest == splits[0].digest == read(root, split="given").digest


def test_classes_apart_over_both_halves(root: Path) -> None:
    splits = read(root, split="class")
    classes = [part.classes for part in (splits.train, splits.val, splits.test)]
    assert [len(names) for names in classes] == [5, 2, 3]
    assert sorted(sum(classes, ())) == list("0123456789")
    assert {path.split("/")[0] for path in splits.test.paths} == {"train", "test"}
    assert any("pooled" in note for note in splits.notes)
    assert read(root, split="sample").closed_set


@pytest.mark.parametrize("inner", ["", "raw", "MNIST/raw"])
@pytest.mark.parametrize("packed", [False, True])
def test_wherever_the_four_files_lie(tmp_path: Path, root: Path, inner: str, packed: bool) -> None:
    other = tmp_path / "other"
    write(other / inner, packed)
    (other / "FashionMNIST" / "raw").mkdir(parents=True)
    assert read(other).digest == read(root).digest
    np.testing.assert_array_equal(read(other).test.pixels, read(root).test.pixels)


def test_other_sets_of_torchvision_are_not_taken_for_mnist(tmp_path: Path) -> None:
    write(tmp_path / "FashionMNIST" / "raw")
    with pytest.raises(SandboxError, match=r"holds no train-images-idx3-ubyte \(or \.gz\), nor do raw/ and MNIST/raw/"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        ({"image_size": 32}, (32, 32, 1)),
        ({"colour": "rgb"}, (28, 28, 3)),
        ({"colour": "grey", "image_size": 20}, (20, 20, 1)),
        ({"resize": 40, "image_size": 24}, (24, 24, 1)),
    ],
)
def test_size_and_colour(root: Path, settings: dict[str, Any], shape: tuple[int, ...]) -> None:
    splits = read(root, **settings)
    assert {part.pixels.shape[1:] for part in (splits.train, splits.val, splits.test)} == {shape}
    assert splits.digest == read(root).digest
    if shape[2] == 3:
        np.testing.assert_array_equal(splits.test.pixels, np.repeat(read(root).test.pixels, 3, axis=3))


def test_small_classes_leave_every_half(root: Path) -> None:
    labels = np.where((LABELS["train"] == 7) & (np.arange(120) > 60), 8, LABELS["train"])
    (root / "MNIST" / "raw" / "train-labels-idx1-ubyte").write_bytes(idx(labels))
    splits = read(root, min_images=15)
    assert splits.train.classes == splits.val.classes == splits.test.classes == tuple("012345689")
    assert any("fewer than 15 images left out: 7" in note for note in splits.notes)


@pytest.mark.parametrize(("share", "said"), [(0.0, "validation split is empty"), (1.0, "lies between 0 and 0.9")])
def test_shares_that_cannot_be(root: Path, share: float, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        read(root, validation=share)


IMAGES, ANSWERS = "train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        (IMAGES, lambda data: data[:-1], "promises 120 x 28 x 28 bytes, and 94,079 follow"),
        (IMAGES, lambda data: data + b"\0", "promises 120 x 28 x 28 bytes, and 94,081 follow"),
        (IMAGES, lambda data: b"\0\0\x0d\x03" + data[4:], "it starts with 00 00 0d 03, not with 00 00 08 03"),
        (IMAGES, lambda data: data[:9], "is no idx file"),
        (IMAGES, lambda data: b"", "it starts with nothing"),
        (IMAGES, lambda data: b"\xff" * 64, "it starts with ff ff ff ff"),
        (IMAGES, lambda data: data[:4] + b"\xff" * 12 + data[16:], "4,294,967,295 x 4,294,967,295 x 4,294,967,295"),
        (IMAGES, lambda data: idx(np.zeros((120, 32, 32))), "holds images of 32 x 32, but MNIST's are 28 x 28"),
        (
            IMAGES,
            lambda data: idx(pixels("train")[:119]),
            r"holds 119 images, but .*train-labels-idx1-ubyte 120 labels",
        ),
        (ANSWERS, lambda data: idx(np.full(50, 10)), "holds label 10, but MNIST's are the digits 0 to 9"),
        (ANSWERS, lambda data: idx(pixels("t10k")), "bytes in 1 dimension: it starts with 00 00 08 03"),
    ],
)
def test_damaged_files_are_named(root: Path, name: str, spoil: Callable[[bytes], bytes], said: str) -> None:
    file = root / "MNIST" / "raw" / name
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(SandboxError, match=said) as caught:
        read(root)
    assert str(file) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("end", [4, 40, -9, -1])
def test_a_gzip_file_that_breaks_off(tmp_path: Path, end: int) -> None:
    file = tmp_path / "x.gz"
    file.write_bytes(gzip.compress(idx(pixels("t10k")))[:end])
    with pytest.raises(SandboxError, match=r"x\.gz is damaged or cut short"):
        read_idx(file, 3)
    file.write_bytes(idx(pixels("t10k")))
    with pytest.raises(SandboxError, match=r"x\.gz is damaged or cut short: not a gzipped file"):
        read_idx(file, 3)


def test_a_file_that_is_missing(root: Path) -> None:
    (root / "MNIST" / "raw" / ANSWERS).unlink()
    with pytest.raises(SandboxError, match="holds no t10k-labels-idx1-ubyte"):
        read(root)


def test_halves_without_images(root: Path) -> None:
    for kind, empty in (("images-idx3", pixels("t10k")[:0]), ("labels-idx1", LABELS["t10k"][:0])):
        (root / "MNIST" / "raw" / f"t10k-{kind}-ubyte").write_bytes(idx(empty))
    with pytest.raises(SandboxError, match="the test half of data set 'mnist' holds no images"):
        read(root)


def test_a_run_trains_on_it(root: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    words = ("--data.name", "mnist", "--data.root", str(root), "--max_steps", "2", "--batch.size", "8")
    said = command("run.py", *words, "--loss", "arcface", "--out", str(tmp_path / "runs"))
    assert said.code == 0, said.err
    assert "top-1" in said.out


def test_images_that_no_memory_holds() -> None:
    from sandbox.data.images.form import Form
    from sandbox.data.images.resize import resized

    few = np.lib.stride_tricks.as_strided(np.zeros(1, np.uint8), (10**9, 28, 28, 1), (0, 0, 0, 0))
    with pytest.raises(SandboxError, match="1,000,000,000 images of 4096 x 4096 pixels do not fit into memory"):
        resized(few, Form(4096, "rgb"))


@pytest.mark.parametrize(
    ("promised", "follow", "said"),
    [
        ((120, 28, 28), 10**8, "promises 120 x 28 x 28 bytes, and 1,142,656 or more follow"),
        ((2**31, 28, 28), 10**8, "promises 2,147,483,648 x 28 x 28 bytes, and MNIST's largest"),
    ],
)
def test_a_small_file_that_inflates_to_much_is_not_inflated(
    tmp_path: Path, promised: tuple[int, ...], follow: int, said: str
) -> None:
    file = tmp_path / "x.gz"
    with gzip.open(file, "wb", compresslevel=1) as stream:
        stream.write(b"\0\0\x08\x03" + b"".join(side.to_bytes(4, "big") for side in promised))
        for _ in range(follow // 10**8):
            stream.write(bytes(10**8))
    with pytest.raises(SandboxError, match=said):
        read_idx(file, 3)
