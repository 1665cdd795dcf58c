"""What is wrong with a data set, found before anything is learnt from it.

Files are looked at in `check_files`; here, the images as the network gets them, and their classes. An image that
stands in two splits, as it is or mirrored left to right, makes a test figure that was learnt by heart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sandbox.data.catalog import files_of, root_of
from sandbox.data.checks.files import EXAMPLES, DataFinding, check_files, left_out
from sandbox.data.checks.mirrors import same_and_mirrored
from sandbox.data.images.image_set import ImageSet
from sandbox.data.memory import available_memory, gigabytes
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.files import Watch, unwatched
from sandbox.recipe.size import size_of
from sandbox.recipe.specs import DataSpec
from sandbox.wording import counted


@dataclass(frozen=True)
class Checked:
    """What was looked at, and what was found."""

    findings: list[DataFinding]
    files: int
    """Files that came into a split; 0 for an embedded data set."""
    unused: int
    """Readable image files under the root that are in no split."""


def check(spec: DataSpec, splits: Splits, watch: Watch = unwatched) -> Checked:
    """Look at a data set and how it is split; findings come in the order of the rules.

    Rules: those of `check_files` where it has files, of `check_twins`, and of `check_classes`.

    Args:
        spec: what `splits` was loaded by.
        splits: the loaded data.
        watch: shows how far the reading of files is.

    Raises:
        SandboxError: a file vanished or changed since it was read, or the cache folder cannot be written.
    """
    root, files = root_of(spec), files_of(spec, splits)
    findings: list[DataFinding] = []
    unused = 0
    if root is not None:
        rest = left_out(root, files)
        unused = rest.readable
        findings += check_files(root, files, rest, size_of(*splits.train.pixels.shape[1:3]), watch)
    sets = splits.image_sets()
    if "test" in sets:  # of whose images the drawings of one-shot trials may be copies, as Omniglot's are
        sets.pop("test one-shot", None)
    return Checked([*findings, *check_twins(sets), *check_classes(splits)], len(files), unused)


def check_twins(sets: Mapping[str, ImageSet]) -> list[DataFinding]:
    """Findings on images that have the same pixels, or the same when one is mirrored left to right.

    Rules: ``twins-across-splits``, ``twins-across-classes``, ``mirror-twins-across-splits``,
    ``mirror-twins-across-classes``. An image that is its own mirror image is a twin, not a mirror twin, of its copies.
    Mirror images may be off by a few grey levels (`sandbox.data.checks.mirrors`).

    Args:
        sets: split name -> images, all of one size; classes of one name are one class. A file that stands in several,
            as the images of a list of pairs do that was cut in two, is one image, of the first of them.
    """
    sets = _each_once(sets)
    rows = any(images.are_rows for images in sets.values())
    needed = sum(images.pixels.nbytes for images in sets.values()) if rows else 0
    if needed > available_memory() // 2:
        raise SandboxError(
            f"rows are looked through for twins in memory, and these take {gigabytes(needed)}, of which "
            f"{gigabytes(available_memory())} are left"
        )
    same, other = same_and_mirrored([np.asarray(images.pixels) if rows else images.pixels for images in sets.values()])
    split = np.repeat(np.arange(len(sets)), [len(images) for images in sets.values()])
    named = [images.classes[label] for images in sets.values() for label in images.labels]
    paths = [path for images in sets.values() for path in images.paths]
    # Images to verify that no list names a person for are a class each, called as they are: theirs is not known.
    known = np.array([name != path for name, path in zip(named, paths, strict=True)], dtype=bool)
    number = {name: place for place, name in enumerate(dict.fromkeys(named))}
    label = np.where(known, [number[name] for name in named], -1)

    def one(place: int) -> str:
        part = list(sets)[split[place]]
        return f"{paths[place]} ({named[place]}, {part})" if known[place] else f"{paths[place]} ({part})"

    found = []
    for rule, parted, mirrors, text in (
        ("twins-across-splits", split, False, "another split: figures there are too good"),
        ("twins-across-classes", label, False, "another class: no network can get both right"),
        ("mirror-twins-across-splits", split, True, "another split: copies flipped before it was drawn leak through"),
        ("mirror-twins-across-classes", label, True, "another class: flips (--augment.flip yes) make them one"),
    ):
        sought = other if mirrors else same
        hits = _hits(same, sought, parted)
        if len(hits):
            alike = "the same, number for number, as" if rows else "the same, pixel for pixel, as"
            kind, sign = ("the mirror image of", "mirrors") if mirrors else (alike, "=")
            found.append(
                DataFinding(
                    rule,
                    f"{counted(len(hits), 'image is', 'images are')} {kind} one of {text}",
                    len(hits),
                    tuple(f"{one(a)} {sign} {one(b)}" for a, b in _examples(hits, same, sought, parted)),
                )
            )
    return found


def _each_once(sets: Mapping[str, ImageSet]) -> dict[str, ImageSet]:
    met: set[str] = set()
    once = {}
    for name, images in sets.items():
        new = [place for place, path in enumerate(images.paths) if path not in met]
        met.update(images.paths)
        if new:
            once[name] = images if len(new) == len(images) else images.take(new)
    return once


def check_classes(splits: Splits) -> list[DataFinding]:
    """Findings on classes: ``single-image-classes`` and, unless all are meant to be so, ``classes-in-two-splits``."""
    found = []
    sets = {"train": splits.train, "val": splits.val, "test": splits.test}
    lone = sorted(name for name, count in splits.class_counts().items() if count == 1)
    if lone:
        found.append(
            DataFinding(
                "single-image-classes",
                f"{counted(len(lone), 'class has', 'classes have')} a single image: nothing to compare it with "
                "(--data.min_images 2 leaves them out)",
                len(lone),
                tuple(lone[:EXAMPLES]),
            )
        )
    spread = Counter(name for images in sets.values() for name in images.classes)
    both = sorted(name for name, count in spread.items() if count > 1)
    if both and not splits.closed_set:
        where = [", ".join(part for part, images in sets.items() if name in images.classes) for name in both[:EXAMPLES]]
        found.append(
            DataFinding(
                "classes-in-two-splits",
                f"{counted(len(both), 'class is', 'classes are')} in two splits or more, and others are not: "
                "neither unseen classes nor a closed set are tested",
                len(both),
                tuple(f"{name} ({parts})" for name, parts in zip(both, where, strict=False)),
            )
        )
    return found


def _hits(group: np.ndarray, sought: np.ndarray, parted: np.ndarray) -> np.ndarray:
    """Places of the images with some image of the group they seek in another part.

    Args:
        group: (N,) int64, the first image like this one.
        sought: (N,) int64, the group to look in; -1 for none.
        parted: (N,) int64, the part (split or class) of each image; -1 where it is not known.
    """
    least, most = np.full(len(group), np.iinfo(np.int64).max), np.full(len(group), -1)
    known = parted >= 0
    np.minimum.at(least, group[known], parted[known])
    np.maximum.at(most, group[known], parted[known])
    return np.flatnonzero(known & (sought >= 0) & ((least[sought] < parted) | (most[sought] > parted)))


def _examples(hits: np.ndarray, group: np.ndarray, sought: np.ndarray, parted: np.ndarray) -> Iterator[tuple[int, int]]:
    """The first few hits, each with the first image it meets; one for each two groups that are twins."""
    seen: set[frozenset[int]] = set()
    for place in hits.tolist():
        groups = frozenset((int(group[place]), int(sought[place])))
        if groups not in seen:
            seen.add(groups)
            yield place, int(((group == sought[place]) & (parted != parted[place]) & (parted >= 0)).argmax())
        if len(seen) == EXAMPLES:
            return
