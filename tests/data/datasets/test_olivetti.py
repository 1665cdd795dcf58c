from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import joblib
import numpy as np
import pytest
from scipy.io import savemat
from sklearn.datasets import fetch_olivetti_faces

from sandbox.data.catalog import load
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec


def faces() -> np.ndarray:
    """400 rows of noise of low contrast on top of a level of their own, as scikit-learn keeps them."""
    random = np.random.default_rng(0)
    rows = random.integers(0, 40, (400, 1)) + random.integers(0, 180, (400, 4096))
    rows[0, 0], rows[0, 1] = 0, 255  # scikit-learn stretches to the whole range, so that both agree
    return rows.astype(np.uint8)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    joblib.dump(faces(), tmp_path / "olivetti_py3.pkz", compress=1)
    return tmp_path


def read(root: Path, **settings: object) -> Splits:
    return load(DataSpec(name="olivetti", root=str(root), **settings))  # type: ignore[arg-type]


def rows(splits: Splits) -> dict[str, np.ndarray]:
    parts = (splits.train, splits.val, splits.test)
    return {path: image for part in parts for path, image in zip(part.paths, part.pixels, strict=True)}


def test_faces_are_those_that_scikit_learn_reads(root: Path) -> None:
    theirs = fetch_olivetti_faces(data_home=str(root), download_if_missing=False)
    splits = read(root)
    ours = rows(splits)
    assert len(ours) == 400
    for number, (image, person) in enumerate(zip(theirs.images, theirs.target, strict=True)):
        found = ours[f"s{person + 1:02d}/{number % 10 + 1:02d}"]
        np.testing.assert_array_equal(found[..., 0], np.rint(image * 255).astype(np.uint8))


def test_people_part(root: Path) -> None:
    splits = read(root)
    parts = (splits.train, splits.val, splits.test)
    assert [len(part.classes) for part in parts] == [24, 6, 10]
    assert sorted(sum((part.classes for part in parts), ())) == [f"s{person:02d}" for person in range(1, 41)]
    for part in parts:
        assert [part.classes[label] for label in part.labels] == [path.split("/")[0] for path in part.paths]
    assert all(set(part.counts) == {10} for part in parts)
    assert splits.mirror
    assert not splits.closed_set
    assert read(root).digest == splits.digest != read(root, split_seed=1).digest
    assert read(root, split="sample").closed_set


@pytest.mark.parametrize(("size", "colour", "channels"), [(64, "auto", 1), (32, "grey", 1), (112, "rgb", 3)])
def test_size_and_colour(root: Path, size: int, colour: str, channels: int) -> None:
    assert read(root, image_size=size, colour=colour).test.pixels.shape == (100, size, size, channels)


def test_too_few_images_a_person(root: Path) -> None:
    with pytest.raises(SandboxError, match=r"data\.min_images is 11, and 0 of the 40 classes have as many"):
        read(root, min_images=11)


def double(rows: np.ndarray) -> np.ndarray:
    return rows.astype(np.float64)


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / 255).astype(np.float32)


def by_columns(rows: np.ndarray) -> np.ndarray:
    return np.asfortranarray(rows)


@pytest.mark.parametrize("kind", [double, unit, by_columns])
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_every_type_that_joblib_may_have_kept(
    root: Path, tmp_path: Path, kind: Callable[[np.ndarray], np.ndarray], protocol: int
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    joblib.dump(kind(faces()), other / "olivetti_py3.pkz", compress=1, protocol=protocol)
    ours, theirs = rows(read(other)), rows(read(root))
    assert all(np.array_equal(ours[path], theirs[path]) for path in theirs)


def test_the_original_file(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "original"
    other.mkdir()
    savemat(other / "olivettifaces.mat", {"faces": faces().T, "p": 1})
    ours, theirs = rows(read(other)), rows(read(root))
    assert all(np.array_equal(ours[path], theirs[path]) for path in theirs)
    content = (other / "olivettifaces.mat").read_bytes()
    for spoilt in (content[: len(content) // 2], content[:100], b"", b"<html>" * 100):
        (other / "olivettifaces.mat").write_bytes(spoilt)
        with pytest.raises(SandboxError, match=r"olivettifaces\.mat is damaged, cut short or no MATLAB file"):
            read(other)
    savemat(other / "olivettifaces.mat", {"people": faces().T})
    with pytest.raises(SandboxError, match=r"olivettifaces\.mat holds no matrix called faces"):
        read(other)
    savemat(other / "olivettifaces.mat", {"faces": faces()})
    with pytest.raises(SandboxError, match=r"must hold 400 faces of 4,096 pixels \(64 x 64\), but holds 4096 x 400"):
        read(other)


class Bomb:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


def test_a_pickle_that_would_run_code_is_refused(root: Path, tmp_path: Path) -> None:
    joblib.dump([faces(), Bomb(tmp_path / "went off")], root / "olivetti_py3.pkz", compress=1)
    with pytest.raises(SandboxError, match=r"olivetti_py3\.pkz asks for '.*', which is refused"):
        read(root)
    assert not (tmp_path / "went off").exists()


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (faces()[:390], r"must hold 400 faces of 4,096 pixels \(64 x 64\), but holds 390 x 4096"),
        ([faces()], "but holds a list"),
        (faces().astype(np.float32) * np.nan, "must hold grey levels"),
        (faces().astype(np.float32) - 1, "must hold grey levels"),
        (faces().astype(np.int64), "neither bytes nor floats"),
    ],
)
def test_other_contents_are_refused(root: Path, held: object, said: str) -> None:
    joblib.dump(held, root / "olivetti_py3.pkz", compress=1)
    with pytest.raises(SandboxError, match=said) as caught:
        read(root)
    assert str(root / "olivetti_py3.pkz") in str(caught.value)


def test_damaged_files_are_named(root: Path) -> None:
    file = root / "olivetti_py3.pkz"
    content = file.read_bytes()
    inner = zlib.decompress(content)
    for spoilt, said in (
        (content[:-100], "is cut short, or larger than 400 faces can be"),
        (b"", "is cut short"),
        (b"\0" + content, "is damaged, or not compressed as joblib does"),
        (content[:5000] + b"\xff" * 50 + content[5050:], "is damaged|is cut short"),
        (zlib.compress(inner[:-5000]), "is damaged, cut short or not a pickle"),
        (zlib.compress(bytes(70 * 2**20)), "or larger than 400 faces can be"),
    ):
        file.write_bytes(spoilt)
        with pytest.raises(SandboxError, match=said) as caught:
            read(root)
        assert str(file) in str(caught.value)


@pytest.mark.parametrize("order", ["little", "big"])
def test_a_matlab_file_that_inflates_to_much_is_not_inflated(root: Path, order: Literal["little", "big"]) -> None:
    (root / "olivetti_py3.pkz").unlink()
    mark = b"IM" if order == "little" else b"MI"
    inner = zlib.compress(bytes(70 * 2**20), 1)
    head = b"MATLAB 5.0".ljust(124) + (0x0100).to_bytes(2, order) + mark
    part = (15).to_bytes(4, order) + len(inner).to_bytes(4, order) + inner
    (root / "olivettifaces.mat").write_bytes(head + part)
    with pytest.raises(SandboxError, match="inflates to more than 400 faces can be"):
        read(root)


def test_a_file_that_is_larger_than_any_is_not_read(root: Path) -> None:
    with (root / "olivetti_py3.pkz").open("r+b") as file:
        file.truncate(2**33)  # a hole of eight gigabytes
    with pytest.raises(SandboxError, match="is larger than 400 faces can be"):
        read(root)
