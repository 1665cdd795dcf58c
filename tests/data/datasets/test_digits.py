from __future__ import annotations

import pytest

from sandbox.data.catalog import load
from sandbox.recipe.specs import DataSpec


def test_by_class() -> None:
    splits = load(DataSpec(name="digits"))
    sets = (splits.train, splits.val, splits.test)
    assert [len(split.classes) for split in sets] == [5, 2, 3]
    assert sum(map(len, sets)) == 1797
    assert sorted(name for split in sets for name in split.classes) == list("0123456789")
    assert splits.train.pixels.shape[1:] == (16, 16, 1)
    assert splits.train.pixels.max() > 240
    assert not splits.mirror
    assert load(DataSpec(name="digits")).digest == splits.digest
    assert load(DataSpec(name="digits", split_seed=1)).digest != splits.digest


def test_by_sample() -> None:
    splits = load(DataSpec(name="digits", split="sample"))
    assert splits.closed_set
    assert splits.test.classes == tuple("0123456789")


@pytest.mark.parametrize(("size", "colour", "channels"), [(8, "auto", 1), (24, "rgb", 3)])
def test_size_and_colour(size: int, colour: str, channels: int) -> None:
    splits = load(DataSpec(name="digits", image_size=size, colour=colour))  # type: ignore[arg-type]
    assert splits.test.pixels.shape[1:] == (size, size, channels)
