"""LFW's lists of pairs as Kaggle has them: CSV files, of which two may be one list.

``pairs.csv`` has the columns ``name,imagenum1,imagenum2`` and one without a name, which a pair of two people fills:
``Ann,1,4,`` and ``Ann,1,Bob,2``. Of view 1 the pairs of one person and those of two lie in two files,
``matchpairsDevTest.csv`` with ``name,imagenum1,imagenum2`` and ``mismatchpairsDevTest.csv`` with
``name,imagenum1,name,imagenum2``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from sandbox.data.formats.list_text import read_text
from sandbox.data.formats.pairs.lfw_pairs import LfwList, PairLine, lfw_lines, pair_line
from sandbox.data.formats.pairs.pair_tables import CsvRow, check_length, csv_rows, passed_over, plain_column
from sandbox.errors import SandboxError
from sandbox.wording import counted, shown

_NAMES = ("name", "name1", "name2")
_NUMBERS = ("imagenum1", "imagenum2")
_FOLDS = 10


def is_kaggle(header: Sequence[str]) -> bool:
    """Whether the columns are those of a list of LFW."""
    return {*_NUMBERS} <= {*map(plain_column, header)}


def read_lfw(file: Path) -> LfwList:
    """Read a list of LFW's pairs: a CSV of Kaggle's by the file's ending, else a text in LFW's format.

    Raises:
        SandboxError: as `with_partner` and `lfw_lines`, or the file cannot be read or is another CSV.
    """
    text = read_text(file, "the pair list")
    if file.suffix.lower() != ".csv":
        return LfwList(lfw_lines(file, text.lines), text.notes)
    listed = with_partner(file, _rows(file, text.lines))
    return replace(listed, notes=(*text.notes, *listed.notes))


def with_partner(file: Path, rows: Sequence[CsvRow]) -> LfwList:
    """The pairs of a CSV; where it is a match or a mismatch list, those of its partner beside it as well.

    Ten equal stretches of each kind of pair, in turn, are the ten folds of LFW's view 2.

    Args:
        file: the CSV.
        rows: its rows with the header.

    Raises:
        SandboxError: a malformed line, or a list whose partner is not there or holds the same kind of pair.
    """
    lines, notes = _lines(file, rows)
    if len({line.same for line in lines}) == 2:
        return _in_folds(lines, notes)
    partner = _partner(file)
    if partner is None:
        return LfwList(lines, tuple(notes))
    kinds = {True: "one person", False: "two people"}
    here = kinds[lines[0].same]
    if not partner.is_file():
        other = kinds[not lines[0].same]
        raise SandboxError(
            f"{file} holds pairs of {here} alone, and {partner.name} with the pairs of {other} is not beside it"
        )
    others, more = _lines(partner, _rows(partner, read_text(partner, "the pair list").lines))
    if {line.same for line in others} != {not lines[0].same}:
        raise SandboxError(f"{file} holds pairs of {here} alone, and so do lines of {partner.name} beside it")
    both = sorted([*lines, *others], key=lambda line: not line.same)
    count = sum(line.same for line in both)
    first, second = (both[0].file.name, both[-1].file.name)
    told = f"{first} and {second} are read as one list: {count:,} same pairs and {len(both) - count:,} different ones"
    return LfwList(both, (*dict.fromkeys([*notes, *more]), told))


def _partner(file: Path) -> Path | None:
    """The match list of a mismatch list, or the other way round; None where the name is neither's."""
    match = re.match(r"(mis)?match", file.name, re.IGNORECASE)
    if match is None:
        return None
    name = file.name[3:] if match[1] else f"mis{file.name}"
    beside = sorted(entry for entry in file.parent.iterdir() if entry.name.lower() == name.lower())
    return beside[0] if beside and file.with_name(name) not in beside else file.with_name(name)


def _rows(file: Path, lines: Sequence[str]) -> list[CsvRow]:
    begin = next((place for place, line in enumerate(lines) if line.strip()), 0)
    rows = csv_rows(file, lines, begin, next((mark for mark in ",;\t" if mark in lines[begin]), ","))
    if not is_kaggle(rows[0].fields):
        raise _other_columns(file, rows[0])
    return rows


def _lines(file: Path, rows: Sequence[CsvRow]) -> tuple[list[PairLine], list[str]]:
    """The pairs of one file, and a sentence on columns that mean nothing."""
    header = rows[0].fields
    used, open_end = _columns(file, rows[0])
    if len(rows) < 2:
        raise SandboxError(f"{file} has a header but holds no pairs")
    lines = []
    for row in rows[1:]:
        if not (open_end and len(row.fields) in (used[-1], used[-1] + 1)):
            check_length(file, row, len(header))
        words = [row.fields[place] for place in used if place < len(row.fields)]
        lines.append(pair_line(file, row.number, words[:3] if words[3:] == [""] else words))
    return lines, passed_over(header, used)


def _columns(file: Path, row: CsvRow) -> tuple[list[int], bool]:
    """The places of name, number, name and number; or of name, number, number and what a pair of two people fills."""
    header = [plain_column(name) for name in row.fields]
    names = sorted((name, place) for place, name in enumerate(header) if name in _NAMES)
    if not 1 <= len(names) <= 2 or any(header.count(number) != 1 for number in _NUMBERS):
        raise _other_columns(file, row)
    first, second = map(header.index, _NUMBERS)
    if len(names) == 2:
        return [names[0][1], first, names[1][1], second], False
    ends = len(header) - (header[-1] == "" or header[-1].startswith("unnamed:"))
    if second + 1 < ends:
        return [names[0][1], first, second], False
    return [names[0][1], first, second, second + 1], True


def _other_columns(file: Path, row: CsvRow) -> SandboxError:
    first, second = _NUMBERS
    return SandboxError(
        f"{file} line {row.number} must name the columns name,{first},{second} or name,{first},name,{second}, each "
        f"once, not {shown(','.join(row.fields))}"
    )


def _in_folds(lines: list[PairLine], notes: Sequence[str]) -> LfwList:
    runs = [len(list(run)) for _, run in groupby(line.same for line in lines)]
    if len(runs) != 2 * _FOLDS or len(set(runs)) > 1 or not lines[0].same:
        return LfwList(lines, tuple(notes))
    pairs = f"{counted(runs[0], 'same pair', 'same pairs')} and as many different ones"
    told = f"the list is in LFW's {_FOLDS} folds by its order, {pairs} in each"
    folds = [replace(line, fold=place // (2 * runs[0]) + 1) for place, line in enumerate(lines)]
    return LfwList(folds, (*notes, told))
