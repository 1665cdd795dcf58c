"""Images whose list says in which part of the split each is, or says nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sandbox.data.images.image_set import ImageSet, without_small
from sandbox.data.images.parts import COLUMN, ROLES
from sandbox.data.splits.draw import class_disjoint, sample_disjoint
from sandbox.data.splits.held import held_out
from sandbox.data.splits.remarks import also_trained_on, single_class
from sandbox.data.splits.roles import CAMERA
from sandbox.data.splits.splits import Splits, given, refuse_lone_images
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec
from sandbox.wording import counted

_JUNK = "-1"


def as_listed(
    images: ImageSet, spec: DataSpec, source: str, *, mirror: bool = False, notes: Sequence[str] = ()
) -> Splits:
    """The split that the images' own column names, or one that is drawn where that says nothing or is not asked for.

    Where no part is for validation, it is drawn out of training. Where none is for test, what is called validation is
    tested, as open-metric-learning does, whose lists have no other parts, and validation is drawn as well: what is
    reported may not have chosen the weights.

    Args:
        images: with the column `split`, or without.
        spec: the shares and the seed, and whether the column is taken.
        source: what says so, for notes and errors.
        mirror: whether horizontal flips make sense.
        notes: sentences for the person.

    Raises:
        SandboxError: nothing to train on, or a split that `given` or the draws refuse.
    """
    images, junk = _without_junk(images)
    images, small = without_small(images, spec.min_images)
    notes = [*notes, *junk, *small]
    part = images.columns.get(COLUMN, np.full(len(images), ""))
    images = replace(images, columns={name: column for name, column in images.columns.items() if name != COLUMN})
    tested = int(np.isin(part, ("val", "test")).sum())
    if spec.split in ("auto", "given") and tested:
        return _given(images, part, spec, source, mirror, notes)
    if spec.split == "given":
        raise SandboxError(f"data.split is 'given', but {source} names no image for test or validation")
    if tested:
        notes.append(f"the parts that {source} names are pooled, and parted anew")
    elif (part == "train").any():
        notes.append(f"{source} names images for training alone: validation and test are drawn out of them")
    draw = sample_disjoint if spec.split == "sample" else class_disjoint
    return draw(images, spec.validation, spec.test, spec.split_seed, mirror=mirror, notes=notes)


def _without_junk(images: ImageSet) -> tuple[ImageSet, list[str]]:
    """Where cameras are known, the images but for those of label -1, which Market-1501 calls junk."""
    names = np.array(images.classes)[images.labels] if CAMERA in images.columns else np.zeros(len(images), str)
    kept = np.flatnonzero(names != _JUNK)
    if len(kept) == len(images):
        return images, []
    left = counted(len(images) - len(kept), "image", "images")
    return images.take(kept), [f"{left} of label {_JUNK} left out: junk, which counts neither way"]


def _given(images: ImageSet, part: np.ndarray, spec: DataSpec, source: str, mirror: bool, notes: list[str]) -> Splits:
    train, val, test = (images.take(np.flatnonzero(part == name)) for name in ROLES)
    if not len(train):
        raise SandboxError(f"{source} names {counted(len(images), 'image', 'images')}, but none to train on")
    if not len(test):
        notes.append(f"{source} names no test images: the {len(val):,} that it names for validation are tested")
        val, test = val.take([]), val
    if not len(val):
        train, val, said = held_out(train, test, spec)
        notes += [said, *single_class("validation", val)]
    splits = given(train, val, test, mirror=mirror, notes=notes)
    refuse_lone_images(splits)
    if not splits.closed_set:
        notes += also_trained_on("validation", splits.val, splits.train)
        notes += also_trained_on("test", splits.test, splits.train)
    return replace(splits, notes=tuple(notes))
