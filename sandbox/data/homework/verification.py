"""The verification part of a homework, cut in two: validation to choose on, and test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sandbox.data.formats.images.image_lists import absent_images, located
from sandbox.data.homework.closed_set import Reader
from sandbox.data.homework.layouts import Known, PairLists
from sandbox.data.homework.lists import STRANGER, Pair, known_images, read_answered, read_names
from sandbox.data.images.files import subfolders
from sandbox.data.images.image_set import Row
from sandbox.data.images.listing import Listing
from sandbox.data.splits.splits import ToVerify
from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs


def pair_halves(lists: PairLists, reader: Reader) -> tuple[ToVerify, ToVerify]:
    """The pairs with answers, in two halves with an equal share of same pairs.

    Each image is a class of its own, since the list names nobody.

    Raises:
        SandboxError: the list is malformed, names images that are not there or cannot be read, or has fewer than two
            pairs of a kind.
    """
    pairs = read_answered(lists.val, reader.notes)
    both = sum(pair.same for pair in pairs)
    if min(both, len(pairs) - both) < 2:
        raise SandboxError(
            f"{lists.val} holds {both:,} same and {len(pairs) - both:,} different pairs; two of each are needed, for "
            "validation and test"
        )
    named = ((pair.number, name) for pair in pairs for name in (pair.left, pair.right))
    files = located(lists.val, lists.val_images, named, reader.notes)
    val, test = halves([pair.same for pair in pairs])
    return _verified(lists, [pairs[place] for place in val], files, reader), _verified(
        lists, [pairs[place] for place in test], files, reader
    )


def known_halves(tree: Known, answers: Path, reader: Reader) -> tuple[ToVerify, ToVerify]:
    """The images of people to be identified, in two halves, each image paired with every image of somebody known.

    A stranger is a class of its own.

    Raises:
        SandboxError: answers that do not fit the images, or fewer than two images of known people.
    """
    gallery = known_images(tree)
    rows = read_names(tree, answers)
    listing = Listing(reader.root)
    listing.around(tree.known)
    for folder in (tree.dev, *subfolders(tree.known)):
        listing.images(folder)
    reader.notes.extend(listing.passed.sentences("the folders of people"))
    mated = [name != STRANGER for name, _ in rows]
    if sum(mated) < 2:
        raise SandboxError(f"{answers} names known people {sum(mated)} times; two are needed, for validation and test")
    val, test = halves(mated)
    return _searched(gallery, [rows[place] for place in val], reader), _searched(
        gallery, [rows[place] for place in test], reader
    )


def halves(kinds: Sequence[bool] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two halves of a list, as places in it: of each kind the first, third, fifth ..., and the others.

    By kind, because in a list that alternates between same and different every second line is of one kind.
    """
    kinds = np.asarray(kinds, dtype=bool)
    second = np.zeros(len(kinds), dtype=bool)
    for kind in (False, True):
        second[np.flatnonzero(kinds == kind)[1::2]] = True
    return np.flatnonzero(~second), np.flatnonzero(second)


def _verified(lists: PairLists, pairs: list[Pair], files: dict[str, Path], reader: Reader) -> ToVerify:
    used = sorted({files[name] for pair in pairs for name in (pair.left, pair.right)})
    images = reader.read([(file.relative_to(reader.root).as_posix(), file) for file in used])
    places = {path: place for place, path in enumerate(images.paths)}
    found = {name: places.get(file.relative_to(reader.root).as_posix()) for name, file in files.items()}
    # Backwards, so that the first line to name an image stays.
    named = ((name, pair.number) for pair in reversed(pairs) for name in (pair.left, pair.right))
    absent = {name: number for name, number in named if found[name] is None}
    if absent:
        raise absent_images(lists.val, dict(sorted(absent.items(), key=lambda row: row[1])), "readable")
    return ToVerify(
        images,
        Pairs(
            left=np.array([found[pair.left] for pair in pairs], dtype=np.int64),
            right=np.array([found[pair.right] for pair in pairs], dtype=np.int64),
            same=np.array([pair.same for pair in pairs], dtype=bool),
        ),
    )


def _searched(gallery: list[Row], probes: list[Row], reader: Reader) -> ToVerify:
    # A path is called like nobody: folders, which people are called by, have no slash in their names.
    strange = [(f"{file.parent.name}/{file.name}" if name == STRANGER else name, file) for name, file in probes]
    images = reader.read([*gallery, *strange])
    inside = {file.relative_to(reader.root).as_posix() for _, file in gallery}
    is_known = np.array([path in inside for path in images.paths], dtype=bool)
    enrolled, asked = np.flatnonzero(is_known), np.flatnonzero(~is_known)
    left, right = np.repeat(asked, len(enrolled)), np.tile(enrolled, len(asked))
    return ToVerify(images, Pairs(left=left, right=right, same=images.labels[left] == images.labels[right]))
