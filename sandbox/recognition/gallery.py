"""Embeddings with whose images they are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sandbox.data.names import same_name
from sandbox.errors import SandboxError

UNKNOWN = "UNKNOWN"
"""What a face is called that is nobody's who is enrolled."""


@dataclass(frozen=True)
class Gallery:
    """Embeddings, those of one person together, people in the order of their names."""

    x: np.ndarray
    """(N, D) float32 unit rows."""
    person: np.ndarray
    """(N,) int64, ascending: a place in `names`."""
    names: tuple[str, ...]
    """Whose images; each has one row at least."""
    files: tuple[str, ...]
    """(N,) the image of each row."""
    digests: tuple[str, ...]
    """(N,) 16 hex characters that name the bytes of that image; empty where they are not known."""
    dates: tuple[str, ...]
    """(N,) the day each row was made, such as 2026-11-22."""

    def __len__(self) -> int:
        """How many rows."""
        return len(self.person)

    @property
    def counts(self) -> np.ndarray:
        """(people,) int64 rows of each."""
        return np.bincount(self.person, minlength=len(self.names))

    def take(self, keep: np.ndarray) -> Gallery:
        """The rows of a mask (N,) bool; who has none left is not named any more."""
        places = np.flatnonzero(keep)
        return make_gallery(
            self.x[places],
            [self.names[self.person[place]] for place in places],
            *([part[place] for place in places] for part in (self.files, self.digests, self.dates)),
        )

    def joined(self, other: Gallery) -> Gallery:
        """The rows of both; one name is one person."""
        whose = [rows.names[place] for rows in (self, other) for place in rows.person]
        x = np.concatenate([self.x, other.x])
        return make_gallery(x, whose, self.files + other.files, self.digests + other.digests, self.dates + other.dates)


def make_gallery(
    x: np.ndarray, whose: Sequence[str], files: Sequence[str], digests: Sequence[str], dates: Sequence[str]
) -> Gallery:
    """Gallery in any order, with the name of each row's person, as `Gallery`."""
    names = tuple(sorted(set(whose)))
    number = {name: place for place, name in enumerate(names)}
    owner = np.array([number[name] for name in whose], dtype=np.int64)
    order = np.argsort(owner, kind="stable")
    columns = [tuple(part[place] for place in order) for part in (files, digests, dates)]
    return Gallery(np.ascontiguousarray(x[order], dtype=np.float32), owner[order], names, *columns)


def clean_name(given: str) -> str:
    """A person's name as it is kept: composed characters (Unicode's NFC), no space at either end.

    Raises:
        SandboxError: nothing is left, it holds what cannot be printed, or it is the word for nobody.
    """
    name = same_name(given)
    if not name:
        raise SandboxError(f"{given!r} is no name: it has no character that can be seen")
    if not name.isprintable():
        raise SandboxError(f"{given!r} is no name: it has characters that cannot be seen")
    if name.upper() == UNKNOWN:
        raise SandboxError(f"nobody can be enrolled as '{name}': that is what a face is called that is nobody's")
    return name
