"""A table of texts parted into pieces that fit a width: the names of the rows stand before each piece."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

GAP = "  "
_LIMITS = range(60, 15, -2)
"""Widths that a column of settings may be wrapped to."""
_PART = re.compile(r"[^ (,]+[ (,]*|[ (,]+")


@dataclass(frozen=True)
class Texts:
    """Heads and cells, as they are printed."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    blocks: tuple[str, ...]
    """What each column is of; empty where it is of none."""
    words: tuple[bool, ...]
    """Whether a column holds words, which may be wrapped; numbers may not."""


@dataclass(frozen=True)
class Piece:
    """Columns that stand side by side."""

    places: tuple[int, ...]
    limit: int
    """Width that words are wrapped to; 0 for none."""


def width(text: str) -> int:
    """Columns of a terminal that a text takes; letters of East Asia take two, marks on letters none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def wrapped(text: str, limit: int) -> list[str]:
    """A text on lines of a width, parted behind a blank, a comma or a bracket where it can be; 0 for one line.

    >>> wrapped("triplet_margin(margin=0.4, miner=batch_hard)", 28)
    ['triplet_margin(margin=0.4,', '  miner=batch_hard)']
    """
    if not limit or width(text) <= limit:
        return [text]
    lines = [""]
    for part in _PART.findall(text):
        for word in [part] if width(part.rstrip()) <= limit - 2 else part:  # a word that is too long, by its letters
            if lines[-1].strip() and width((lines[-1] + word).rstrip()) > limit:
                lines.append("  ")
            lines[-1] += word
    return [line.rstrip() for line in lines]


def fold(texts: Texts, fit: int) -> tuple[Texts, list[Piece]]:
    """Part a table, so that as few lines as can be are needed; in one piece where it fits.

    Before each piece stand the columns of words, wrapped where that saves lines. Where those alone are too wide, rows
    are numbered, the numbers stand before each piece, and the words fold as the figures do.

    Args:
        texts: the table.
        fit: columns that a line may take; 0 for as many as it needs.

    Returns:
        The table, with numbers where it has them now, and its pieces. A column wider than `fit` stands alone.
    """
    every = tuple(range(len(texts.heads)))
    if not fit or sum(column_width(texts, k, 0) + len(GAP) for k in every) - len(GAP) <= fit:
        return texts, [Piece(every, 0)]
    names = [k for k in every if texts.words[k]]
    ways = [way for limit in (0, *_LIMITS) if (way := _pieces(texts, names, fit, limit))]
    if ways:
        return texts, min(ways, key=lambda way: _lines(texts, way))
    numbered = Texts(
        ("row", *texts.heads),
        tuple((str(number), *row) for number, row in enumerate(texts.rows, 1)),
        ("", *texts.blocks),
        (False, *texts.words),
    )
    return numbered, _pieces(numbered, [0], fit, fit // 2, must=True)


def column_width(texts: Texts, k: int, limit: int) -> int:
    """Columns of a terminal that a column of the table takes."""
    lines = [line for row in texts.rows for line in cell_lines(texts, k, row[k], limit)]
    return max(map(width, [*lines, *head_lines(texts, k, limit)]), default=0)


def cell_lines(texts: Texts, k: int, cell: str, limit: int) -> list[str]:
    """A cell on its lines."""
    return wrapped(cell, limit) if texts.words[k] else [cell]


def head_lines(texts: Texts, k: int, limit: int) -> list[str]:
    """The head of a column on its lines: where words are wrapped, as narrow as its cells are."""
    head = texts.heads[k]
    if not limit or not texts.words[k]:
        return [head]
    cells = [width(line) for row in texts.rows for line in wrapped(row[k], limit)]
    narrow = max([*cells, *map(len, head.split())])
    lines = [""]
    for word in head.split():
        if lines[-1] and width(f"{lines[-1]} {word}") > narrow:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _pieces(texts: Texts, names: Sequence[int], fit: int, limit: int, *, must: bool = False) -> list[Piece]:
    """Columns behind the names, as many to a piece as fit; none where a column does not fit beside them at all."""
    room = fit - sum(column_width(texts, k, limit) + len(GAP) for k in names)
    sizes = {k: column_width(texts, k, limit) for k in range(len(texts.heads)) if k not in names}
    if not must and any(size > room for size in sizes.values()):
        return []
    found: list[list[int]] = []
    for k in sizes:
        block = [other for other in sizes if texts.blocks[other] == texts.blocks[k]]
        whole = found and k == block[0] and not _fits(texts, [*found[-1], *block], sizes, room)
        if not found or (whole and texts.blocks[k]) or not _fits(texts, [*found[-1], k], sizes, room):
            found.append([])
        found[-1].append(k)
    return [Piece((*names, *places), limit) for places in found]


def _fits(texts: Texts, places: Sequence[int], sizes: dict[int, int], room: int) -> bool:
    """Whether columns fit, and the name of each block above its columns."""
    blocks = {texts.blocks[k]: 0 for k in places}
    for k in places:
        blocks[texts.blocks[k]] += sizes[k] + len(GAP)
    return sum(max(size, width(name) + len(GAP)) for name, size in blocks.items()) - len(GAP) <= room


def _lines(texts: Texts, way: Sequence[Piece]) -> int:
    """Lines that a way of parting takes."""
    count = 0
    for piece in way:
        words = [k for k in piece.places if texts.words[k]]
        count += 3 + max(len(head_lines(texts, k, piece.limit)) for k in piece.places)
        count += sum(max((len(wrapped(row[k], piece.limit)) for k in words), default=1) for row in texts.rows)
    return count
