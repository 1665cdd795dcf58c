"""Rotated copies of the training classes as new classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sandbox.data.catalog import load
from sandbox.data.images.image_set import ImageSet, image_set
from sandbox.data.splits.draw import class_disjoint, sample_disjoint
from sandbox.data.splits.rotations import rotated
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec


def made(names: str = "abcdefgh", shape: tuple[int, int, int] = (5, 5, 1)) -> ImageSet:
    paths = [f"{name}/{number}" for name in names for number in range(8)]
    pixels = np.random.default_rng(1).integers(0, 256, (len(paths), *shape), dtype=np.uint8)
    return image_set(pixels, [path[0] for path in paths], paths)


@pytest.fixture(scope="module")
def splits() -> Splits:
    return class_disjoint(made(), 0.25, 0.25, seed=0, notes=["one thing"])


@pytest.mark.parametrize(("rotations", "degrees"), [(2, (180,)), (4, (90, 180, 270))])
def test_each_image_of_a_turned_class_is_turned_by_what_its_name_says(
    splits: Splits, rotations: int, degrees: tuple[int, ...]
) -> None:
    plain, turned = splits.train, rotated(splits, rotations).train
    assert turned.classes == plain.classes + tuple(f"{name}@{by}" for by in degrees for name in plain.classes)
    for label, name in enumerate(turned.classes):
        upright, _, by = name.partition("@")
        own = np.flatnonzero(turned.labels == label)
        theirs = np.flatnonzero(plain.labels == plain.classes.index(upright))
        assert [turned.paths[row] for row in own] == [plain.paths[row] for row in theirs]
        for row, at in zip(own, theirs, strict=True):
            assert np.array_equal(turned.pixels[row], np.rot90(plain.pixels[at], int(by or 0) // 90))


def test_validation_test_and_the_digest_are_untouched_and_a_note_counts(splits: Splits) -> None:
    turned = rotated(splits, 4)
    assert turned.val is splits.val and turned.test is splits.test and turned.digest == splits.digest
    assert turned.notes == (
        "one thing",
        "training classes turned by 90, 180 and 270 degrees are classes of their own: 4 classes of 32 images become "
        "16 of 128",
    )
    assert rotated(splits, 1) is splits


def test_columns_are_those_of_the_upright_image(splits: Splits) -> None:
    known = replace(splits.train, columns={"camera": np.array([f"of {path}" for path in splits.train.paths])})
    turned = rotated(replace(splits, train=known), 2).train
    assert turned.columns["camera"].tolist() == [f"of {path}" for path in turned.paths]


def test_an_image_is_held_once(splits: Splits) -> None:
    turned = rotated(splits, 4).train
    held = [value for value in vars(turned.pixels).values() if isinstance(value, np.ndarray) and value.ndim == 4]
    assert len(held) == 1 and held[0] is splits.train.pixels


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (sample_disjoint(made(), 0.25, 0.25, seed=0), "of the classes that are trained on"),
        (class_disjoint(made(shape=(4, 5, 1)), 0.25, 0.25, seed=0), "images are 4 x 5"),
    ],
    ids=["closed", "oblong"],
)
def test_what_cannot_be_turned_is_refused(given: Splits, said: str) -> None:
    with pytest.raises(SandboxError, match=f"^data.rotations is 4, .*{said}"):
        rotated(given, 4)


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_class_that_is_called_like_a_turned_one_is_refused(splits: Splits, part: str) -> None:
    own = getattr(splits, part)
    called = replace(own, classes=(*own.classes[:-1], f"{splits.train.classes[0]}@270"))
    with pytest.raises(SandboxError, match=rf"makes a class '{splits.train.classes[0]}@270', but"):
        rotated(replace(splits, **{part: called}), 4)


def test_every_data_set_takes_it_and_folds_come_first() -> None:
    spec = DataSpec(name="digits", image_size=8, split="class", val_fold="1/4")
    plain, turned = load(spec), load(replace(spec, rotations=4))
    assert turned.train.classes[: len(plain.train.classes)] == plain.train.classes
    assert len(turned.train) == 4 * len(plain.train) and turned.val.classes == plain.val.classes
    with pytest.raises(SandboxError, match="take a split by class"):
        load(DataSpec(name="digits", image_size=8, split="sample", rotations=2))
