"""What the rows of a table of images mean: class, part of the split, box, and what else is known of each image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sandbox.data.formats.images.image_table import NEEDED, ImageTable
from sandbox.data.images.parts import COLUMN, WORDS, part_named
from sandbox.data.images.picture import Box, Picture, stamp_of
from sandbox.data.names import joined_notes, same_name
from sandbox.errors import SandboxError, near
from sandbox.wording import shown

ROLES = ("is_query", "is_gallery")
"""Columns whose values are 1, 0 or empty."""
_NAMED = ("camera", "category")
"""Columns of names, in which the words that pandas takes for no value are none."""
_BOX = ("x_1", "y_1", "x_2", "y_2")
_NOTHING = ("", "none", "nan", "null", "<na>")
_TRUE, _FALSE = ("true", "1", "yes", "t", "y"), ("false", "0", "no", "f", "n")


@dataclass(frozen=True)
class TableRows:
    """The rows of a table as they are used."""

    labels: list[str]
    boxes: list[Box | None]
    columns: dict[str, list[str]]
    """What is known beside, by name; the part of the split is train, val or test."""
    notes: tuple[str, ...]


def table_rows(table: ImageTable) -> TableRows:
    """Read the values of the known columns; others are kept as they are.

    Raises:
        SandboxError: a row without a class, a part that is none, a role that is neither true nor false, or a box that
            is none; its line is named.
    """
    labels = table.columns["label"]
    for row, label in enumerate(labels):
        if not label.strip():
            raise SandboxError(f"{table.where(row)} gives no label")
    columns = {name: texts for name, texts in table.columns.items() if name not in NEEDED}
    if COLUMN in columns:
        columns[COLUMN] = _parts(table, columns[COLUMN])
    for name in ROLES:
        if name in columns:
            columns[name] = _roles(table, name)
    for name in _NAMED:
        if name in columns:
            columns[name] = ["" if is_nothing(text) else text for text in columns[name]]
    spelt = joined_notes(labels)
    return TableRows([same_name(label) for label in labels], _boxes(table), columns, (*table.notes, *spelt))


def held_pictures(table: ImageTable, rows: TableRows, above: str = "") -> list[Picture]:
    """The images that a table holds itself, called by their paths below another."""
    content, stamp = table.content, stamp_of(table.file)
    assert content is not None
    return [
        Picture(above + path, partial(content, row), f"{stamp} {row}", box, table.where(row))
        for row, (path, box) in enumerate(zip(table.columns["path"], rows.boxes, strict=True))
    ]


def is_nothing(text: str) -> bool:
    """Whether a field says that there is no value."""
    return text.lower() in _NOTHING


def _parts(table: ImageTable, words: Sequence[str]) -> list[str]:
    if all(map(is_nothing, words)):
        return [""] * len(words)
    parts: list[str] = []
    for row, word in enumerate(words):
        part = part_named(word)
        if part is None:
            raise SandboxError(
                f"{table.where(row)} gives {shown(word)} as the split{near(word.lower(), WORDS)}; it is train, "
                "validation or test"
            )
        parts.append(part)
    return parts


def _roles(table: ImageTable, name: str) -> list[str]:
    """1, 0 or empty."""
    found: list[str] = []
    for row, text in enumerate(table.columns[name]):
        word = text.lower()
        if word not in (*_TRUE, *_FALSE, *_NOTHING):
            raise SandboxError(f"{table.where(row)} gives {shown(text)} as {name}, but it is True, False or nothing")
        found.append("1" if word in _TRUE else "0" if word in _FALSE else "")
    return found


def _boxes(table: ImageTable) -> list[Box | None]:
    there = [name for name in _BOX if name in table.columns]
    if not there:
        return [None] * len(table.numbers)
    if len(there) < len(_BOX):
        absent = next(name for name in _BOX if name not in there)
        raise SandboxError(f"{table.file} has {', '.join(there)} but no {absent}: a box is {', '.join(_BOX)}")
    fields = zip(*(table.columns[name] for name in _BOX), strict=True)
    return [_box(table, row, texts) for row, texts in enumerate(fields)]


def _box(table: ImageTable, row: int, texts: tuple[str, ...]) -> Box | None:
    """The box of a row; None where all four fields are empty."""
    if all(map(is_nothing, texts)):
        return None
    given = ",".join(texts)
    if not all(text.isascii() and text.isdecimal() and len(text) < 10 for text in texts):
        raise SandboxError(
            f"{table.where(row)} gives {shown(given)} as x_1,y_1,x_2,y_2, but a box is four whole numbers of pixels, "
            "none below 0, or nothing"
        )
    left, top, right, bottom = map(int, texts)
    if left >= right or top >= bottom:
        raise SandboxError(
            f"{table.where(row)} gives {shown(given)} as x_1,y_1,x_2,y_2, but x_1 is less than x_2, and y_1 than y_2"
        )
    return left, top, right, bottom
