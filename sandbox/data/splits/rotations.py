"""Rotated copies of the training classes as new classes.

For characters: a letter that lies on its side is another letter. So few-shot learners on Omniglot have been trained
since Santoro et al., "Meta-Learning with Memory-Augmented Neural Networks", ICML 2016, and Vinyals et al., "Matching
Networks for One Shot Learning", NeurIPS 2016: four times the classes, and no drawing that is not one's own. A class
whose characters look the same when turned, such as a ring, is called by several names thereby.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np

from sandbox.data.images.image_set import ImageSet
from sandbox.data.images.turned import TurnedPixels
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.wording import printable

_QUARTERS = {2: (0, 2), 4: (0, 1, 2, 3)}


def rotated(splits: Splits, rotations: int) -> Splits:
    """The same split with rotated copies of the training classes beside them; validation and test are untouched.

    Class ``name`` stays, and ``name@90`` is the same turned by 90 degrees, counter-clockwise. Labels of the classes
    that were there stay as well: the new ones come after them. Each image is held once, and the split keeps its digest,
    as its images are the same.

    Args:
        splits: whose validation and test have classes of their own.
        rotations: 1 (nothing changes), 2 (by 180 degrees) or 4 (by 90, 180 and 270).

    Raises:
        SandboxError: a closed set, images that are not square, or a class that is called like a new one.
    """
    if rotations == 1:
        return splits
    setting, quarters = f"data.rotations is {rotations}", _QUARTERS[rotations]
    train, (height, width) = splits.train, splits.train.pixels.shape[1:3]
    if splits.closed_set:
        raise SandboxError(
            f"{setting}, but validation and test here are of the classes that are trained on, and which of them an "
            "image is would have turned copies among its answers; take a split by class (--data.split class, where the "
            "data set has it), or leave data.rotations out"
        )
    if height != width:
        raise SandboxError(f"{setting}, but images are {height} x {width}; only square ones are turned")
    classes = tuple(_name(name, turn) for turn in quarters for name in train.classes)
    known = {name for images in splits.image_sets().values() for name in images.classes}
    if taken := sorted(known & set(classes[len(train.classes) :])):
        raise SandboxError(
            f"{setting}, which makes a class '{printable(taken[0])}', but the data has a class of that name already; "
            "rename it, or leave data.rotations out"
        )
    turned = ImageSet(
        pixels=cast(np.ndarray, TurnedPixels(train.pixels, quarters)),
        labels=np.concatenate([train.labels + place * len(train.classes) for place in range(rotations)]),
        classes=classes,
        paths=train.paths * rotations,
        bits=train.bits,
        columns={name: np.tile(column, rotations) for name, column in train.columns.items()},
    )
    degrees = "180" if rotations == 2 else "90, 180 and 270"
    note = (
        f"training classes turned by {degrees} degrees are classes of their own: {len(train.classes):,} classes of "
        f"{len(train):,} images become {len(classes):,} of {len(turned):,}"
    )
    return replace(splits, train=turned, notes=(*splits.notes, note))


def _name(name: str, quarters: int) -> str:
    return f"{name}@{90 * quarters}" if quarters else name
