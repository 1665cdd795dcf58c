"""The image sets of a split by name, and the files they came from."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from sandbox.data.catalog import DATA_SETS
from sandbox.data.fetched import kept
from sandbox.data.images import ImageSet
from sandbox.data.splits import Splits
from sandbox.recipe import DataSpec


def parts(splits: Splits) -> dict[str, ImageSet]:
    """Every image set of a split: train, val, test, and what is verified apart from them where that is given."""
    sets = {"train": splits.train, "val": splits.val, "test": splits.test}
    for name, apart in (("val pairs", splits.val_verify), ("test pairs", splits.test_verify)):
        if apart is not None:
            sets[name] = apart.images
    return sets


def class_counts(splits: Splits) -> Counter[str]:
    """Images of each class in train, val and test together; classes of one name are one class."""
    counts: Counter[str] = Counter()
    for images in (splits.train, splits.val, splits.test):
        counts.update(dict(zip(images.classes, images.counts.tolist(), strict=True)))
    return counts


def root_of(spec: DataSpec) -> Path | None:
    """The folder that paths of the images are relative to; None for an embedded data set, which has no files."""
    if not DATA_SETS[spec.name].needs_root:
        return None
    return Path(spec.root).expanduser() if spec.root else kept(spec.name)


def files_of(spec: DataSpec, splits: Splits) -> list[Path]:
    """The files behind the images of a split, each once, in the order of `parts`; none for an embedded data set."""
    root = root_of(spec)
    if root is None:
        return []
    paths = dict.fromkeys(path for images in parts(splits).values() for path in images.paths)
    return [root / path for path in paths]
