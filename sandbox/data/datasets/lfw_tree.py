"""The tree of LFW: a folder for each person, files by the number of each image, and the lists of pairs beside."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sandbox.data.datasets.folder import read_classes
from sandbox.data.formats.pairs.kaggle_pairs import read_lfw
from sandbox.data.formats.pairs.lfw_pairs import Face, PairLine, indexed
from sandbox.data.images.files import is_image, subfolders, visible
from sandbox.data.images.form import Form
from sandbox.data.images.image_set import ImageSet
from sandbox.data.names import joined_notes, same_name
from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs
from sandbox.wording import counted, first_names

_DEPTH = 2
_OF_KAGGLE = {
    "pairsDevTest.txt": "matchpairsDevTest.csv",
    "pairsDevTrain.txt": "matchpairsDevTrain.csv",
    "pairs.txt": "pairs.csv",
}
"""What the lists are called there; a match list is read with the mismatch list beside it."""


@dataclass(frozen=True)
class Tree:
    """All images, and the pair lists beside them."""

    images: ImageSet
    notes: list[str]
    """What there is to say of both; reading a list adds to it."""
    lists: dict[str, Path]
    """File name -> file, which may be Kaggle's of that list."""
    named: dict[str, Face]
    """Path of an image -> the image that a list means by it."""
    folders: frozenset[str]
    """The names of people's folders as they are spelt; classes are in one spelling (see `same_name`)."""

    def of(self, people: Iterable[str], least: int = 1) -> ImageSet:
        """The images of those people who have at least `least`."""
        wanted = frozenset(people)
        enough = [
            name in wanted and count >= least
            for name, count in zip(self.images.classes, self.images.counts, strict=True)
        ]
        return self.images.take(np.flatnonzero(np.array(enough, dtype=bool)[self.images.labels]))

    def pair_lines(self, file: Path) -> list[PairLine]:
        """The lines of one of the lists.

        Raises:
            SandboxError: a malformed list, or one with pairs of one kind alone.
        """
        listed = read_lfw(file)
        if len({line.same for line in listed.lines}) < 2:
            raise SandboxError(f"{file} holds pairs of one kind alone, and verification needs same and different ones")
        notes = [*listed.notes, *joined_notes(self.folders | listed.spellings)]
        self.notes.extend(note for note in notes if note not in self.notes)
        return listed.lines

    def indexed(self, lines: Sequence[PairLine], images: ImageSet, file: Path, *, folds: bool = False) -> Pairs:
        """The pairs of some lines of a list, as indices into some of the images.

        Raises:
            SandboxError: images are not there.
        """
        places = {self.named[path]: place for place, path in enumerate(images.paths) if path in self.named}
        return indexed(lines, places, file, folds=folds)


def read_tree(root: Path, names: Sequence[str], form: Form) -> Tree:
    """Read `Name/Name_0001.jpg` under the root or up to two folders below it, and find the lists.

    Raises:
        SandboxError: images or lists are missing.
    """
    base, lists = find_lists(root, names)  # before the images are read, which takes a while
    people = [(folder.name, folder) for folder in subfolders(base)]
    images, notes = read_classes(root, people, form, 1)
    named, several = _named(images)
    return Tree(images, [*notes, *several], lists, named, frozenset(name for name, _ in people))


def find_lists(root: Path, names: Sequence[str]) -> tuple[Path, dict[str, Path]]:
    """The folder that holds people, and the lists of pairs beside it.

    Raises:
        SandboxError: there are no people, or a list is missing.
    """
    base = _people_folder(root, _DEPTH)
    if base is None:
        raise SandboxError(f"{root} holds no Name/Name_0001.jpg as LFW does, nor do the folders in it")
    folders = tuple(dict.fromkeys((root, base, root.parent, base.parent, base.parent.parent)))
    return base, {name: _list_file(name, folders) for name in names}


def _list_file(name: str, folders: Sequence[Path]) -> Path:
    for wanted in (name, _OF_KAGGLE[name]):
        for folder in folders:
            if (folder / wanted).is_file():
                return folder / wanted
    raise SandboxError(f"no {name} beside the images; looked in {', '.join(map(str, folders))}")


def _people_folder(folder: Path, depth: int) -> Path | None:
    """The folder that holds people: itself or, up to `depth` levels below, the first by name."""
    inner = subfolders(folder)
    if any(is_image(entry) and _number(entry.name, person.name) for person in inner for entry in visible(person)):
        return folder
    found = (_people_folder(entry, depth - 1) for entry in inner if depth)
    return next((base for base in found if base is not None), None)


def _number(file: str, person: str) -> tuple[int, int] | None:
    """The number of an image of a person, from 1, and of the face in it, from 0; None where it is not called so.

    ``Ann_0001_0.png`` is the face 0 that some tool cut out of image 1; ``Ann_0001.jpg``, the whole of it, counts as -1.
    """
    for match in (re.fullmatch(r"(.*)_(\d+)()\.\w+", file), re.fullmatch(r"(.*)_(\d+)_(\d+)\.\w+", file)):
        if match and same_name(match[1]) == same_name(person) and int(match[2]):
            return int(match[2]), int(match[3] or -1)
    return None


def _named(images: ImageSet) -> tuple[dict[str, Face], list[str]]:
    """The path that each image of a list means, and a sentence on images of several faces."""
    found: dict[Face, list[tuple[int, str]]] = {}
    for path, label in zip(images.paths, images.labels, strict=True):
        person = images.classes[label]
        number = _number(Path(path).name, person)
        if number:
            found.setdefault((person, number[0]), []).append((number[1], path))
    named, several = {}, []
    for face, files in found.items():
        one, path = min(files)
        if one <= 0 or len(files) == 1:
            named[path] = face
        if one >= 0 and len(files) > 1:
            several.append(path)
    many = counted(len(several), "image shows", "images show")
    note = f"{many} several faces, of which a list means the one numbered 0, if there is one: {first_names(several)}"
    return named, [note] if several else []
