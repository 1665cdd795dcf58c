from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest

from sandbox.data.catalog import load
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec


@pytest.fixture(scope="session")
def drawn_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("glyphs")


@pytest.fixture(autouse=True)
def shared_cache(cache: Path, drawn_once: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One cache for the module, set after the one of each test, so that letters are drawn once."""
    monkeypatch.setenv("METRIC_LEARNING_SANDBOX_CACHE", str(drawn_once))


@pytest.fixture
def splits() -> Splits:
    return load(DataSpec())


def scripts(splits: Splits, part: str) -> set[str]:
    letters = (chr(int(path.split("/")[0][2:], 16)) for path in getattr(splits, part).paths)
    return {unicodedata.name(letter).split()[0] for letter in letters}


def test_sizes(splits: Splits) -> None:
    # Fonts, and with them the exact counts, change with matplotlib.
    assert 850 <= len(splits.train.classes) <= 1100
    assert 200 <= len(splits.val.classes) <= 260
    assert 380 <= len(splits.test.classes) <= 500
    assert 11_000 <= len(splits.train) <= 15_000
    assert splits.train.pixels.shape[1:] == (32, 32, 1)
    assert not splits.mirror
    assert not splits.closed_set


def test_scripts_part(splits: Splits) -> None:
    assert scripts(splits, "test") == {"GREEK", "CYRILLIC"}
    assert scripts(splits, "val") <= {"GEORGIAN", "ARMENIAN", "LAO"}
    assert "LATIN" in scripts(splits, "train")
    assert not set(splits.train.classes) & {*splits.val.classes, *splits.test.classes}


def test_letters_that_look_alike_are_one_class(splits: Splits) -> None:
    label = splits.train.classes.index("LATIN CAPITAL LETTER A")
    letters = {splits.train.paths[place].split("/")[0] for place in np.flatnonzero(splits.train.labels == label)}
    assert "U+0041" in letters
    assert not {
        name for name in splits.test.classes if name in ("GREEK CAPITAL LETTER ALPHA", "CYRILLIC CAPITAL LETTER A")
    }


def test_no_drawing_comes_twice_in_a_class(splits: Splits) -> None:
    for split in (splits.train, splits.val, splits.test):
        drawings = {(int(label), image.tobytes()) for label, image in zip(split.labels, split.pixels, strict=True)}
        assert len(drawings) == len(split)


def test_no_drawing_is_in_two_classes_or_splits(splits: Splits) -> None:
    seen: dict[bytes, str] = {}
    for split in (splits.train, splits.val, splits.test):
        for image, label in zip(split.pixels, split.labels, strict=True):
            assert seen.setdefault(image.tobytes(), split.classes[label]) == split.classes[label]
    assert len(seen) == sum(map(len, (splits.train, splits.val, splits.test)))


def test_ink_is_centred_and_within_the_image(splits: Splits) -> None:
    ink: np.ndarray = splits.test.pixels[..., 0] > 0
    assert ink.any(axis=(1, 2)).all()
    assert not ink[:, 0].any()
    assert not ink[:, :, 0].any()
    rows = np.asarray(ink.any(axis=2))
    above, below = rows.argmax(axis=1), rows[:, ::-1].argmax(axis=1)
    assert np.abs(above - below).max() <= 1


def test_the_second_load_draws_nothing_and_agrees(splits: Splits, drawn_once: Path) -> None:
    (file,) = drawn_once.iterdir()
    before = file.stat()
    again = load(DataSpec(split="class"))
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert again.digest == splits.digest
    assert np.array_equal(again.test.pixels, splits.test.pixels)


def test_a_damaged_cache_is_drawn_again(splits: Splits, drawn_once: Path) -> None:
    (file,) = drawn_once.iterdir()
    file.write_bytes(file.read_bytes()[:1000])
    again = load(DataSpec())
    assert again.digest == splits.digest
    assert np.array_equal(again.train.pixels, splits.train.pixels)


def test_by_sample_size_and_colour() -> None:
    splits = load(DataSpec(split="sample", image_size=16, colour="rgb"))
    assert splits.closed_set
    assert splits.test.pixels.shape[1:] == (16, 16, 3)
    assert splits.digest != load(DataSpec(split="sample", split_seed=1)).digest


def test_min_images() -> None:
    splits = load(DataSpec(min_images=10))
    assert splits.train.counts.min() >= 10
    assert "with fewer than 10 images left out" in splits.notes[0]
    with pytest.raises(SandboxError, match=r"data\.min_images is 500"):
        load(DataSpec(min_images=500))
