"""What validation and test are, in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sandbox.data.catalog import load
from sandbox.data.images.image_set import ImageSet
from sandbox.data.splits.splits import ToVerify, given
from sandbox.evaluation.pairs import Pairs
from sandbox.pipeline.judging.protocol import few_classes, protocol
from sandbox.recipe.specs import DataSpec


def images(names: str, prefix: str, each: int = 2) -> ImageSet:
    labels = np.repeat(np.arange(len(names)), each)
    paths = tuple(f"{prefix}{place}" for place in range(len(labels)))
    return ImageSet(np.zeros((len(labels), 4, 4, 1), np.uint8), labels.astype(np.int64), tuple(names), paths)


def test_it_says_how_many_images_of_which_classes_and_what_for() -> None:
    said = protocol(load(DataSpec(name="digits", split="class")), test=True)
    assert said == (
        "validation: 362 images of 2 classes not trained on, chose the checkpoint; "
        "test: 539 images of 3 classes not trained on, scored once"
    )
    said = protocol(load(DataSpec(name="digits")), test=False)
    assert said == ("validation: 269 images of the 10 classes trained on, chose the checkpoint; test: not looked at")


def test_classes_that_are_partly_known_and_given_pairs_are_counted() -> None:
    splits = given(images("abc", "t"), images("ad", "v"), images("ab", "e"))
    assert "validation: 4 images of 2 classes, 1 of them trained on, chose" in protocol(splits, test=True)
    assert "test: 4 images of 2 classes that are trained on, scored once" in protocol(splits, test=True)
    pairs = Pairs(np.array([0, 1]), np.array([1, 2]), np.array([True, False]))
    listed = protocol(replace(splits, test_pairs=pairs), test=True)
    assert listed.endswith("that are trained on, with 2 given pairs, scored once")
    apart = replace(splits, test_verify=ToVerify(images("xyz", "p", 1), pairs))
    assert protocol(apart, test=True).endswith("with 2 given pairs of 3 other images, scored once")


@pytest.mark.parametrize(("names", "few"), [("ab", True), ("abcdefghi", True), ("abcdefghij", False)])
def test_fewer_than_ten_classes_are_few_to_choose_by(names: str, few: bool) -> None:
    splits = given(images("klm", "t"), images(names, "v"), images("xyz", "e"))
    notes = few_classes(splits)
    assert bool(notes) == few
    assert not few or notes[0].startswith(f"validation holds {len(names)} classes, fewer than 10: ")
    many = ToVerify(images("opqrstuvwxyz", "p"))
    assert not few_classes(replace(splits, val_verify=many))
