"""Lists of pairs to verify, in any of several formats that are told apart by what they hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from sandbox.data.formats.list_text import read_text, words_of
from sandbox.data.formats.pairs.kaggle_pairs import is_kaggle, with_partner
from sandbox.data.formats.pairs.lfw_pairs import LfwList, PairLine, lfw_lines
from sandbox.data.formats.pairs.pair_file import PairFile
from sandbox.data.formats.pairs.pair_tables import SAME, csv_rows, is_header, read_table
from sandbox.data.formats.pairs.pair_words import read_two_lines, read_unnamed, read_words
from sandbox.errors import SandboxError

_TRUTH = re.compile(r"[-+]?[0-9.]+|true|false", re.IGNORECASE)


def read_pair_file(file: Path) -> PairFile:
    """Read a list of pairs; which format it has is seen from its first lines.

    ============================  ============================================================================
    LFW's                         see `read_pair_lines`; Kaggle's CSV files of them, see `with_partner`
    ``a b 1``                     or ``1 a b`` in every line, or ``a,b,1`` in every line
    ``a 1`` and ``b 1``           two lines for a pair, as CPLFW and CALFW have them (see `read_two_lines`)
    a CSV with a header           the columns that are meant go by their names (see `read_table`)
    ============================  ============================================================================

    Raises:
        SandboxError: as `read_pairs`, but for what the lines name.
    """
    text = read_text(file, "the list of pairs")
    lines = text.lines
    begin = next((place for place, line in enumerate(lines) if line.strip()), None)
    if begin is None:
        raise SandboxError(f"{file} is empty; it must hold pairs, such as the line 'a.jpg b.jpg 1'")
    listed = _read(file, lines, begin)
    return replace(listed, notes=(*text.notes, *listed.notes))


def _read(file: Path, lines: Sequence[str], begin: int) -> PairFile:
    second = next((line for line in lines[begin + 1 :] if line.strip()), "")
    if _is_lfw_header(lines[begin]) and len(words_of(second, (3, 4))) != 2:
        return _lfw(file, LfwList(lfw_lines(file, lines)))
    delimiter = _delimiter(lines[begin])
    if delimiter is None:
        return read_two_lines(file, lines) or read_words(file, lines)
    rows = csv_rows(file, lines, begin, delimiter)
    if is_kaggle(rows[0].fields):
        return _lfw(file, with_partner(file, rows))
    unnamed = None if is_header(rows[0].fields) else read_unnamed(file, rows)
    return unnamed or read_table(file, rows)


def _is_lfw_header(line: str) -> bool:
    words = line.split()
    return len(words) <= 2 and all(word.isdecimal() for word in words)


def _delimiter(header: str) -> str | None:
    """What parts the columns where a line is the first of a CSV; None where it is a pair, or half of one.

    A comma may stand in the path of an image, but not at its end.
    """
    by_tabs = [field.strip() for field in header.split("\t")]
    if {field.strip('"').lower() for field in by_tabs} & {*SAME, "imagenum1"}:
        return "\t"
    words = by_tabs if len(by_tabs) in (2, 3) and all(by_tabs) else header.split()
    whole = not any(word.endswith((",", ";")) for word in words[:2])
    if whole and (words is by_tabs or (len(words) == 3 and _TRUTH.fullmatch(words[-1]))):
        return None
    return next((mark for mark in ",;" if mark in header), None)


def _lfw(file: Path, listed: LfwList) -> PairFile:
    lines = listed.lines
    fold = np.array([line.fold for line in lines], dtype=np.int64)
    files = dict.fromkeys(line.file for line in lines)
    return PairFile(
        left=[_stem(line, 0) for line in lines],
        right=[_stem(line, 1) for line in lines],
        same=np.array([line.same for line in lines], dtype=bool),
        fold=fold if fold.max() > 1 else None,
        line=np.array([line.number for line in lines], dtype=np.int64),
        by_person=True,
        parts=tuple((one, sum(line.file == one for line in lines)) for one in files),
        notes=listed.notes,
    )


def _stem(line: PairLine, side: int) -> str:
    """``Ann/Ann_0001`` in the spelling of the list."""
    name, number = line.spelt[side], (line.left, line.right)[side][1]
    return f"{name}/{name}_{number:04d}"
