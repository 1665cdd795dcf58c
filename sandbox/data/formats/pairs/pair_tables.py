"""Lists of pairs as CSV with a header, whose columns go by their names."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sandbox.data.formats.pairs.pair_file import PairFile
from sandbox.data.formats.pairs.truth import read_truth
from sandbox.errors import SandboxError, near
from sandbox.wording import counted, first_names, shown

_SIDES = (
    ("left", "right"),
    ("a", "b"),
    ("img1", "img2"),
    ("image1", "image2"),
    ("path1", "path2"),
    ("file1", "file2"),
    ("first", "second"),
    ("image_a", "image_b"),
    ("path_a", "path_b"),
    ("file_a", "file_b"),
)
SAME = ("same", "label", "target", "issame", "is_same", "match")


class CsvRow(NamedTuple):
    """A row of a CSV that is not empty."""

    number: int
    """The line it begins in, counted from 1."""
    fields: list[str]
    """Without blanks at their ends."""


def csv_rows(file: Path, lines: Sequence[str], begin: int, delimiter: str) -> list[CsvRow]:
    """The rows of a CSV, its header among them.

    Args:
        file: where the lines are from, for the error.
        lines: all lines of the file.
        begin: the place of its first line.
        delimiter: what parts the fields.

    Raises:
        SandboxError: what no CSV is; the line is named.
    """
    reader = csv.reader((line + "\n" for line in lines[begin:]), delimiter=delimiter, skipinitialspace=True)
    rows: list[CsvRow] = []
    ended = begin
    try:
        for fields in reader:
            number, ended = ended + 1, begin + reader.line_num  # a field in quotes may go over several lines
            fields = [field.strip() for field in fields]
            if any(fields):
                rows.append(CsvRow(number, fields))
    except csv.Error as error:
        raise SandboxError(f"{file} line {begin + reader.line_num} is not CSV: {error}") from None
    if not rows:
        raise SandboxError(f"{file} line {begin + 1} holds no field, but must name columns")
    return rows


def plain_column(name: str) -> str:
    """A column's name as it is compared: ``Is_Same`` is ``issame``."""
    return re.sub(r"[\s_.-]", "", name.lower())


def is_header(fields: Sequence[str]) -> bool:
    """Whether two fields or more are names of columns that mean something."""
    known = {*map(plain_column, (*sum(_SIDES, ()), *SAME, "fold"))}
    return sum(plain_column(field) in known for field in fields) > 1


def read_table(file: Path, rows: Sequence[CsvRow]) -> PairFile:
    """Read columns under a header: two images, the truth, and a fold, if there is one; the others are passed over.

    Raises:
        SandboxError: no such columns or several that may be meant, a row of another length, or no rows.
    """
    header = rows[0].fields
    order = _columns(file, *rows[0])
    for row in rows[1:]:
        check_length(file, row, len(header))
    if len(rows) < 2:
        raise SandboxError(f"{file} has a header but holds no pairs")
    numbers = [row.number for row in rows[1:]]
    left, right, truth, *fold = ([row.fields[place] for row in rows[1:]] for place in order)
    same, notes = read_truth(truth, lambda row: f"{file} line {numbers[row]}")
    return PairFile(
        left=left,
        right=right,
        same=same,
        fold=_folds(file, fold[0], numbers) if fold else None,
        line=np.array(numbers, dtype=np.int64),
        by_person=False,
        parts=((file, len(numbers)),),
        notes=(*passed_over(header, order), *notes),
    )


def check_length(file: Path, row: CsvRow, columns: int) -> None:
    """Refuse a row that has more fields than the header names, or fewer.

    Raises:
        SandboxError: names the line.
    """
    if len(row.fields) != columns:
        raise SandboxError(
            f"{file} line {row.number} has {counted(len(row.fields), 'field', 'fields')}, "
            f"but the header names {columns} columns"
        )


def passed_over(header: Sequence[str], used: Sequence[int]) -> list[str]:
    """A sentence on the columns that mean nothing here, if there are any."""
    others = [
        repr(name) if name else f"column {place + 1}, which has no name"
        for place, name in enumerate(header)
        if place not in used
    ]
    if not others:
        return []
    return [f"{counted(len(others), 'column is', 'columns are')} passed over: {first_names(others)}"]


def _columns(file: Path, line: int, header: Sequence[str]) -> tuple[int, ...]:
    """The places of the left, the right, the truth and, where there is one, the fold."""
    names = [plain_column(name) for name in header]
    sides = [pair for pair in _SIDES if {*map(plain_column, pair)} <= {*names}]
    may_be = {*map(plain_column, sum(_SIDES, ()))}, {*map(plain_column, SAME)}, {"fold"}
    found = [[place for place, name in enumerate(names) if name in kind] for kind in may_be]
    if len(sides) != 1 or [len(places) for places in found[:2]] != [2, 1] or len(found[2]) > 1:
        allowed = [*(name for pair in _SIDES for name in pair), *SAME, "fold"]
        known = {*map(plain_column, allowed)}
        odd = next((name for name, plain in zip(header, names, strict=True) if plain not in known), None)
        raise SandboxError(
            f"{file} line {line} must name two images ({' | '.join(map(','.join, _SIDES))}), the truth "
            f"({' | '.join(SAME)}) and, if wanted, 'fold', each once and in one way, not {shown(','.join(header))}"
            f"{near(odd.lower(), allowed) if odd else ''}"
        )
    left, right = (names.index(plain_column(name)) for name in sides[0])
    return (left, right, *found[1], *found[2])


def _folds(file: Path, words: Sequence[str], numbers: Sequence[int]) -> np.ndarray | None:
    """Folds counted from 1 in the order of their numbers, or None where there are not two."""
    for number, word in zip(numbers, words, strict=True):
        if not is_whole(word):
            raise SandboxError(f"{file} line {number} must give a whole number as its fold, not {shown(word)}")
    found, fold = np.unique(np.array(list(map(int, words))), return_inverse=True)
    if len(found) < 2:
        return None
    return fold.astype(np.int64) + 1


def is_whole(word: str) -> bool:
    """Whether a word is a whole number that an int64 holds."""
    return word.isascii() and word.isdecimal() and len(word) < 16
