"""The rows that have a path, by the path, by its end, or by the person and the number of the image."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from sandbox.data.names import same_name, same_path

_NUMBER = re.compile(r"(.*)_([0-9]{1,9})")


class Met(NamedTuple):
    """What was found of one name."""

    rows: list[int]
    """No row, the row, or two rows that may be meant."""
    spelt_apart: bool = False
    """Whether it was found only as another spelling of the same name."""
    faces: int = 1
    """Of how many faces of an image the row is the first."""


class _Index:
    """The first two rows of each key; two are enough to refuse it."""

    def __init__(self, keys: Iterable[object]):
        self.first: dict[object, int] = {}
        self.second: dict[object, int] = {}
        for row, key in enumerate(keys):
            if key is not None and self.first.setdefault(key, row) != row:
                self.second.setdefault(key, row)

    def rows(self, key: object) -> list[int]:
        """No row, the row, or the first two rows of a key."""
        if key not in self.first:
            return []
        return [self.first[key], self.second[key]] if key in self.second else [self.first[key]]


class Ends:
    """Rows by a path or by its end: as it is spelt, and where that finds nothing, in any spelling of the same name."""

    def __init__(self, paths: Sequence[str]):
        self.paths = paths
        self.exact = _Index(path.replace("\\", "/") for path in paths)

    @cached_property
    def as_spelt(self) -> _Tails:
        """The ends of the paths."""
        return _Tails([_plain(path) for path in self.paths])

    @cached_property
    def in_any_spelling(self) -> _Tails:
        """The ends of the paths, with one spelling for all of one name."""
        return _Tails([same_path(_plain(path)) for path in self.paths])

    def find(self, word: str) -> Met:
        """The rows that a word may mean."""
        rows = self.exact.rows(word.replace("\\", "/")) or self.as_spelt.rows(_plain(word))
        if rows:
            return Met(rows)
        return Met(self.in_any_spelling.rows(same_path(_plain(word))), spelt_apart=True)


class _Tails:
    """Rows by the ends of plain paths; an index by ends of so many parts is built when it is first asked for."""

    def __init__(self, plain: Sequence[str]):
        self.plain = plain
        self.whole = _Index(plain)
        self.depths = sorted({path.count("/") + 1 for path in plain})
        self.by_end: dict[int, _Index] = {}

    def rows(self, word: str) -> list[int]:
        """No row, the row, or two rows of which the word is an end, or which are an end of it."""
        parts = word.count("/") + 1
        rows: list[int] = []
        if parts <= max(self.depths, default=0):
            if parts not in self.by_end:
                self.by_end[parts] = _Index(_end(path, parts) for path in self.plain)
            rows = self.by_end[parts].rows(word)
        for depth in self.depths:
            if depth < parts:
                rows = rows + self.whole.rows(_end(word, depth) or "")
        return sorted(rows)[:2]


class Faces:
    """Rows by a person and the number of an image, as ``faces/Ann/Ann_0001.jpg`` says them.

    Where no file has that name, the number may have other zeros, and the name another spelling; then, where some tool
    cut faces out of images, ``Ann_0001_0.png`` is the face 0 of image 1. Of several faces the one numbered 0 is taken.
    """

    def __init__(self, paths: Sequence[str]):
        self.paths = paths
        self.exact = _Index(map(_person, paths))

    @cached_property
    def images(self) -> _Index:
        """Whole images by person and number."""
        return _Index((face[:2] if face and face[2] is None else None) for face in self.named)

    @cached_property
    def faces(self) -> dict[tuple[str, int], list[tuple[int, int]]]:
        """The number and the row of each face of an image."""
        found: dict[tuple[str, int], list[tuple[int, int]]] = {}
        for row, face in enumerate(self.named):
            if face and face[2] is not None:
                found.setdefault(face[:2], []).append((face[2], row))
        return found

    @cached_property
    def named(self) -> list[tuple[str, int, int | None] | None]:
        """What the name of each file says."""
        return [_face(path) for path in self.paths]

    def find(self, word: str) -> Met:
        """The rows that ``Ann/Ann_0001`` may mean."""
        rows = self.exact.rows(word)
        if rows:
            return Met(rows)
        name, _, number = word.rpartition("_")
        name = name[: len(name) // 2]
        key = same_name(name), int(number)
        rows, count = self.images.rows(key), 1
        if not rows:
            faces = sorted(self.faces.get(key, []))
            count = len(faces)
            one = count == 1 or (faces[:1] and faces[0][0] == 0 and faces[1][0] != 0)
            rows = [row for _, row in faces[: 1 if one else 2]]
        apart = len(rows) == 1 and _folder(self.paths[rows[0]]) != name
        return Met(rows, spelt_apart=apart, faces=count)


def _plain(path: str) -> str:
    """Forward slashes, and no part that is empty or a dot."""
    path = path.replace("\\", "/").strip("/")
    if "//" not in path and "./" not in path and not path.endswith("."):  # nearly all, and these are many
        return path
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def _end(path: str, parts: int) -> str | None:
    """The last so many parts of a plain path; None where it has fewer."""
    split = path.rsplit("/", parts)
    return path[len(split[0]) + 1 :] if len(split) > parts else path if len(split) == parts else None


def _person(path: str) -> str | None:
    """``Ann/Ann_0001`` of ``faces/Ann/Ann_0001.jpg``."""
    return (_end(_plain(path), 2) or "").rpartition(".")[0] or None


def _folder(path: str) -> str:
    return (_end(_plain(path), 2) or "").partition("/")[0]


def _face(path: str) -> tuple[str, int, int | None] | None:
    """Person, number of the image and of the face, which most files have none of; None where the name says nothing."""
    folder, _, file = (_person(path) or "").partition("/")
    person = same_name(folder)
    last = _NUMBER.fullmatch(file)
    if not person or not last:
        return None
    if same_name(last[1]) == person:
        return person, int(last[2]), None
    image = _NUMBER.fullmatch(last[1])
    return (person, int(image[2]), int(last[2])) if image and same_name(image[1]) == person else None
