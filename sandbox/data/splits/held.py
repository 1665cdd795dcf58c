"""Validation that is drawn out of training, where a set comes with training and test alone."""

from __future__ import annotations

import numpy as np

from sandbox.data.images.image_set import ImageSet
from sandbox.data.splits.sizes import check_shares, class_counts, sample_counts
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec
from sandbox.wording import counted


def held_out(learnt: ImageSet, tested: ImageSet, spec: DataSpec) -> tuple[ImageSet, ImageSet, str]:
    """Training and validation, and a sentence on how they were parted: validation asks what test asks.

    Where no class of test is trained on, whole classes are held out; else images of each class are, as test holds such.

    Args:
        learnt: what may be learnt from.
        tested: what is tested.
        spec: `data.validation` is the share that is held out, `data.split_seed` draws it.

    Raises:
        SandboxError: a share that leaves nothing, or too few classes.
    """
    refuse_no_share(spec)
    if set(learnt.classes) & set(tested.classes):
        held, what = held_images(learnt.labels, len(learnt.classes), spec), "images of each class"
    else:
        held = np.isin(learnt.labels, held_classes(len(learnt.classes), spec))
        what = counted(len(np.unique(learnt.labels[held])), "whole class", "whole classes")
    note = (
        f"no part of the set is for validation: {held.sum():,} of its {len(learnt):,} training images, {what}, are "
        f"held out for it (data.validation is {spec.validation:g}, data.split_seed draws them)"
    )
    return learnt.take(np.flatnonzero(~held)), learnt.take(np.flatnonzero(held)), note


def refuse_no_share(spec: DataSpec) -> None:
    """Refuse settings by which nothing is held out.

    Raises:
        SandboxError: no share, or one that is none.
    """
    check_shares(spec.validation, 0.0)
    if spec.validation == 0:
        raise SandboxError(
            f"data.validation is {spec.validation:g}, but the split has no validation of its own to take"
        )


def held_classes(count: int, spec: DataSpec) -> np.ndarray:
    """The labels of the classes that are held out, of so many.

    Raises:
        SandboxError: too few classes.
    """
    held = class_counts(count, spec.validation, 0.0, "training classes", 2)[0]
    return np.random.default_rng(spec.split_seed).permutation(count)[:held]


def held_images(labels: np.ndarray, classes: int, spec: DataSpec) -> np.ndarray:
    """Which images are held out, (N,) bool, out of those whose label is not -1."""
    check_shares(spec.validation, 0.0)
    random = np.random.default_rng(spec.split_seed)
    held = np.zeros(len(labels), dtype=bool)
    for label in range(classes):
        own = random.permutation(np.flatnonzero(labels == label))
        held[own[: sample_counts(len(own), spec.validation, 0.0)[0]]] = True
    return held
