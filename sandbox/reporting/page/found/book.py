"""The rows that a page speaks of, with their classes and, as far as they fit, their thumbnails."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from markupsafe import Markup, escape

from sandbox.data.images.image_set import ImageSet
from sandbox.reporting.page.found.album import Album, make_album
from sandbox.reporting.page.found.packed import packed, packed_rows
from sandbox.wording import printable

_NAMES = 200_000  # characters of names that a page has room for beside its thumbnails


@dataclass(frozen=True)
class Book:
    """Rows of one set of images, under numbers of the page's own."""

    name: str
    """Its CSS class."""
    rows: np.ndarray = field(repr=False)
    """(M,) int64, rising."""
    labels: np.ndarray = field(repr=False)
    """(M,) int64."""
    classes: tuple[str, ...] = field(repr=False)
    """The name of each label, fit to print."""
    album: Album | None = field(repr=False)
    tiles: np.ndarray = field(repr=False)
    """(M,) int64: the tile of each in the album; -1 where it has none."""

    def numbers(self, rows: np.ndarray) -> np.ndarray:
        """The page's numbers of rows."""
        return np.searchsorted(self.rows, rows)

    def packed(self, rows: np.ndarray) -> dict[str, str]:
        """The same for the scripts."""
        return packed_rows(self.numbers(rows), len(self.rows))

    def names(self, more: Iterable[int] = ()) -> list[str]:
        """The name of each label; empty where neither a row nor one of `more` has it."""
        used = {*self.labels.tolist(), *more}
        return [name if label in used else "" for label, name in enumerate(self.classes)]

    @property
    def pictures(self) -> int:
        """How many of the rows have a thumbnail."""
        return int((self.tiles >= 0).sum())

    def facts(self) -> dict[str, Any]:
        """What the scripts know of it."""
        album = {} if self.album is None else self.album.facts()
        labels = packed_rows(self.labels, int(self.labels.max(initial=0)) + 1)
        return {"name": self.name, "labels": labels, "tiles": packed(self.tiles, "i4"), **album}

    def style(self) -> Markup:
        """CSS of its thumbnails."""
        return Markup("" if self.album is None else self.album.style(self.name))

    def tile(self, row: int) -> Markup:
        """A thumbnail as HTML, or a box with the name of the class."""
        number = int(self.numbers(np.array([row]))[0])
        name = self.classes[int(self.labels[number])]
        tile = int(self.tiles[number])
        if self.album is None or tile < 0:
            return Markup('<span class="tile none">{}</span>').format(name)
        sheet, left, top = self.album.place(tile)
        return Markup(
            '<span role="img" aria-label="{}" class="tile {} {}-{}" style="background-position:-{}px -{}px"></span>'
        ).format(escape(name), self.name, self.name, sheet, left, top)


def make_book(
    name: str,
    labels: np.ndarray,
    classes: Sequence[str],
    images: ImageSet | None,
    wanted: Sequence[np.ndarray],
    *,
    budget: int,
) -> Book:
    """A book of the rows that a page speaks of.

    Args:
        name: its CSS class.
        labels: (N,) int64 of all rows.
        classes: the name of each label.
        images: of all rows; no thumbnails without.
        wanted: arrays of rows, whose thumbnails matter most first.
        budget: bytes of base64 for thumbnails.
    """
    every = np.concatenate([np.asarray(rows, np.int64).ravel() for rows in wanted])
    rows, first = np.unique(every, return_index=True)
    tiles = np.full(len(rows), -1, np.int64)
    album = None
    if images is not None and len(rows) and not images.are_rows:
        spelt = sum(len(classes[label]) + 3 for label in np.unique(labels[rows]))
        album = make_album(images.pixels, every[np.sort(first)], budget=budget - max(0, spelt - _NAMES))
        tiles[np.searchsorted(rows, album.rows)] = np.arange(len(album.rows))
    return Book(name, rows, labels[rows], tuple(map(printable, classes)), album, tiles)
