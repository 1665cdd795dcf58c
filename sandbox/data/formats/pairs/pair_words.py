"""Lists of pairs without a header: three words for a pair, or two lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sandbox.data.formats.list_text import words_of
from sandbox.data.formats.pairs.pair_file import PairFile
from sandbox.data.formats.pairs.pair_tables import CsvRow, is_whole
from sandbox.data.formats.pairs.truth import all_truth, is_truth, read_truth
from sandbox.data.names import same_name
from sandbox.errors import SandboxError
from sandbox.wording import counted, shown

_OF_PERSON = re.compile(r"(?:.*[/\\])?(.+)[_-][0-9]+(?:\.\w+)?")
"""``Ann_0001.jpg``, whose person is Ann."""
_DOUBT = 0.01
"""The share of pairs that may contradict the names of their images: lists have errors, but are not upside down."""


def read_words(file: Path, lines: Sequence[str]) -> PairFile:
    """Read lines ``a b 1``, parted by blanks or tabs, or ``1 a b`` where every line is so and names no row.

    Raises:
        SandboxError: a line of other words.
    """
    rows = []
    for number, line in enumerate(lines, start=1):
        words = words_of(line, (3,))
        if not words:
            continue
        if len(words) != 3:
            why = ", because scoring needs the truth" if len(words) == 2 else ""
            raise SandboxError(
                f"{file} line {number} must read 'a b 1' for a same pair or 'a b 0' for a different one{why}, "
                f"not {shown(line.strip())}"
            )
        rows.append(CsvRow(number, words))
    return _pairs(file, rows, first=_truth_is_first(rows))


def read_unnamed(file: Path, rows: Sequence[CsvRow]) -> PairFile | None:
    """Read rows ``a,b,1`` or ``1,a,b`` of a CSV without a header; None where not every row is so, or one names rows."""
    if any(len(row.fields) != 3 or not all(row.fields) for row in rows):
        return None
    first, last = (all_truth([row.fields[place] for row in rows]) for place in (0, 2))
    sides = slice(1, 3) if first else slice(0, 2)
    if first == last or any(is_whole(word) or is_truth(word) for row in rows for word in row.fields[sides]):
        return None
    return _pairs(file, rows, first=first, notes=("no line names the columns, so that each is read as a pair",))


def read_two_lines(file: Path, lines: Sequence[str]) -> PairFile | None:
    """Read pairs of two lines, ``Ann_0001.jpg 1`` and ``Ann_0002.jpg 1``; None where not every line is of that form.

    Different pairs have a 0; same ones a 1, as CPLFW's list, or the number of their fold, as CALFW's, in which
    different pairs have none. A list of images and classes looks the same, so the names of the images must agree.

    Raises:
        SandboxError: the lines of a pair differ, one is left over, or names contradict the pairs.
    """
    rows = [CsvRow(number, words) for number, line in enumerate(lines, 1) if (words := words_of(line, (2,)))]
    if not all(len(row.fields) == 2 and is_whole(row.fields[1]) and _person(row.fields[0]) for row in rows):
        return None
    if len(rows) % 2:
        raise SandboxError(f"{file} has {counted(len(rows), 'line', 'lines')} of one image each, but a pair takes two")
    pairs = list(zip(rows[::2], rows[1::2], strict=True))
    unlike = next((pair for pair in pairs if pair[0].fields[1] != pair[1].fields[1]), None)
    if unlike:
        one, other = unlike
        raise SandboxError(
            f"{file} lines {one.number} and {other.number} are the two images of a pair, and must end in the same "
            f"number, not in {one.fields[1]} and {other.fields[1]}"
        )
    folds = {int(one.fields[1]) for one, _ in pairs}
    return _pairs(
        file,
        [CsvRow(one.number, [one.fields[0], other.fields[0], str(min(int(one.fields[1]), 1))]) for one, other in pairs],
        notes=(
            f"{counted(len(pairs), 'pair', 'pairs')} of two lines each, an image in each line",
            *_contradictions(file, pairs),
            *_numbered(folds),
        ),
    )


def _contradictions(file: Path, pairs: Sequence[tuple[CsvRow, CsvRow]]) -> list[str]:
    """A sentence on pairs whose names say otherwise.

    Raises:
        SandboxError: there are many, so that the numbers mean something else.
    """
    wrong = [
        one.number
        for one, other in pairs
        if (_person(one.fields[0]) == _person(other.fields[0])) != (int(one.fields[1]) > 0)
    ]
    if not wrong:
        return []
    many = f"{counted(len(wrong), 'pair contradicts', 'pairs contradict')} the names of the images, the first in line"
    if len(wrong) > _DOUBT * len(pairs):
        raise SandboxError(
            f"{file} must end each line in 0 where a pair shows two people and in 1 or more where it shows one, but "
            f"{many} {wrong[0]}"
        )
    return [f"{many} {wrong[0]}; the list is followed"]


def _numbered(folds: set[int]) -> list[str]:
    if len(folds) < 3:
        return []
    return [f"same pairs are numbered up to {max(folds)}, different ones are not, so that they are no folds"]


def _person(path: str) -> str:
    """Whose image a file is by its name; empty where it does not say."""
    match = _OF_PERSON.fullmatch(path)
    return same_name(match[1]) if match else ""


def _truth_is_first(rows: Sequence[CsvRow]) -> bool:
    """Whether every line begins with the truth, and none ends with what may be one, or names rows."""
    return all_truth([row.fields[0] for row in rows]) and not any(
        is_truth(word) or is_whole(word) for row in rows for word in row.fields[1:]
    )


def _pairs(file: Path, rows: Sequence[CsvRow], *, first: bool = False, notes: Sequence[str] = ()) -> PairFile:
    """Pairs of three words, the truth the last of them, or the first."""
    left, right, truth = (1, 2, 0) if first else (0, 1, 2)
    numbers = [row.number for row in rows]
    same, more = read_truth([row.fields[truth] for row in rows], lambda row: f"{file} line {numbers[row]}")
    return PairFile(
        left=[row.fields[left] for row in rows],
        right=[row.fields[right] for row in rows],
        same=same,
        fold=None,
        line=np.array(numbers, dtype=np.int64),
        by_person=False,
        parts=((file, len(rows)),),
        notes=(*notes, *(["each line begins with the truth of its pair"] if first else []), *more),
    )
