from __future__ import annotations

import pytest

from sandbox.data.catalog import load
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec


def test_by_class() -> None:
    splits = load(DataSpec(name="digits", split="class"))
    sets = (splits.train, splits.val, splits.test)
    assert [len(split.classes) for split in sets] == [5, 2, 3]
    assert sum(map(len, sets)) == 1797
    assert sorted(name for split in sets for name in split.classes) == list("0123456789")
    assert splits.train.pixels.shape[1:] == (16, 16, 1)
    assert splits.train.pixels.max() > 240
    assert not splits.mirror
    assert splits.digest == "0ea654e55816"  # the same images in the same parts since the first runs
    assert load(DataSpec(name="digits", split="class", split_seed=1)).digest != splits.digest


def test_by_sample_where_nothing_is_said() -> None:
    splits = load(DataSpec(name="digits"))
    assert splits.closed_set and splits.digest == load(DataSpec(name="digits", split="sample")).digest
    for part in (splits.val, splits.test):  # no interval is by fewer than ten identities
        assert part.classes == tuple("0123456789") and part.counts.min() > 20
    assert load(DataSpec(name="digits", split_seed=1)).digest != splits.digest


def test_folds_are_of_whole_classes_and_want_a_split_by_class() -> None:
    # Else a search in folds by class would have seen images of the test by sample that judges what it chose.
    with pytest.raises(SandboxError, match=r"the 10 classes of test are in training .* \(--data\.split class"):
        load(DataSpec(name="digits", val_fold="1/3"))
    assert not load(DataSpec(name="digits", split="class", val_fold="1/3")).closed_set


@pytest.mark.parametrize(("size", "colour", "channels"), [(8, "auto", 1), (24, "rgb", 3)])
def test_size_and_colour(size: int, colour: str, channels: int) -> None:
    splits = load(DataSpec(name="digits", image_size=size, colour=colour))  # type: ignore[arg-type]
    assert splits.test.pixels.shape[1:] == (size, size, channels)
