"""Splits that come with a data set: its test classes are never trained on, and validation is drawn from its training.

What the data sets of the retrieval literature publish has a training and a test half and nothing to choose on. Whole
training classes are drawn for that (`data.validation` is their share, `data.split_seed` draws them), so that test
stays comparable with what others report.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from sandbox.data.images import ImageSet, image_set
from sandbox.data.pack import pack
from sandbox.data.shares import check_shares, class_counts
from sandbox.data.smallest import without_small
from sandbox.data.splits import Splits, given
from sandbox.errors import SandboxError
from sandbox.recipe import DataSpec
from sandbox.wording import counted, first_names

Row = tuple[str, Path]
"""Class and image."""


def official(
    root: Path, train: list[Row], test: list[Row], spec: DataSpec, size: int, notes: Sequence[str] = ()
) -> Splits:
    """Read both halves and draw validation classes out of the first.

    Args:
        root: what paths are relative to.
        train: what may be learnt from; classes with fewer images than `data.min_images` are left out.
        test: what is tested, whole.
        spec: the shares and the seed, and how images are read.
        size: side in pixels.
        notes: sentences for the person.

    Raises:
        SandboxError: a half without images, a share that leaves nothing, too few classes, or one class in both halves.
    """
    check_shares(spec.validation, 0.0)
    if spec.validation == 0:
        raise SandboxError(
            f"data.validation is {spec.validation:g}, but the split has no validation of its own to take"
        )
    if not train or not test:
        raise SandboxError(f"{root} holds no {'test' if train else 'training'} images that its list names")
    both = sorted({name for name, _ in train} & {name for name, _ in test})
    if both:
        classes = counted(len(both), "class is", "classes are")
        raise SandboxError(f"{classes} in both halves of {root}, to train on and to test: {first_names(both)}")
    learnt, said = _read(root, train, size, spec.colour, spec.resize or 0)
    learnt, small = without_small(learnt, spec.min_images)
    # Settled by training, or the halves might come out with one channel and with three.
    colour: Literal["grey", "rgb"] = "rgb" if learnt.pixels.shape[3] == 3 else "grey"
    tested, also = _read(root, test, size, colour, spec.resize or 0)
    count = class_counts(len(learnt.classes), spec.validation, 0.0, "training classes", 2)[0]
    chosen = np.random.default_rng(spec.split_seed).permutation(len(learnt.classes))[:count]
    held = np.isin(learnt.labels, chosen)
    return given(
        learnt.take(np.flatnonzero(~held)),
        learnt.take(np.flatnonzero(held)),
        tested,
        mirror=True,
        notes=[*notes, *said, *small, *also],
    )


def _read(
    root: Path, rows: list[Row], size: int, colour: Literal["auto", "grey", "rgb"], resize: int
) -> tuple[ImageSet, list[str]]:
    rows = sorted(rows)
    packed = pack([file for _, file in rows], root, size, colour, resize)
    kept = [rows[place] for place in packed.kept]
    paths = [file.relative_to(root).as_posix() for _, file in kept]
    return image_set(packed.pixels, [name for name, _ in kept], paths), list(packed.notes)


def base_of(root: Path, name: str) -> Path | None:
    """The folder that holds a file or folder of that name: the root, or the first up to two levels below it."""
    for depth in ("", "*/", "*/*/"):
        found = sorted(root.glob(depth + name))
        if found:
            return found[0].parent
    return None
