"""Lists of pairs to verify, in any of three formats, as rows of embeddings that were made elsewhere."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sandbox.data.formats.lfw_pairs import read_pair_lines
from sandbox.errors import SandboxError, near
from sandbox.wording import counted, reason, shown

_TRUTH = {"0": False, "1": True, "false": False, "true": True}
_SIDES = (
    ("left", "right"),
    ("a", "b"),
    ("img1", "img2"),
    ("image1", "image2"),
    ("path1", "path2"),
    ("file1", "file2"),
    ("first", "second"),
)
_SAME = ("same", "label", "target", "issame", "is_same", "match")
_LABEL = re.compile(r"[-+]?[0-9.]+|true|false", re.IGNORECASE)


@dataclass(frozen=True)
class PairFile:
    """A list of pairs as it is written."""

    left: list[str]
    """(M,) what each line names first: a path, a row in digits, or ``Ann/Ann_0001`` for LFW's ``Ann 1``."""
    right: list[str]
    """(M,) what each line names second."""
    same: np.ndarray
    """(M,) bool, True where both images show one class."""
    fold: np.ndarray | None
    """(M,) int64, counted from 1, or None where there is one fold or none is given."""
    line: np.ndarray
    """(M,) int64 lines of the file, counted from 1."""
    by_person: bool
    """Whether the names are a folder and a file without its extension, which only LFW's format has."""


def read_pair_file(file: Path) -> PairFile:
    """Read a list of pairs; which of the three formats it has is seen from its first lines.

    Raises:
        SandboxError: as `read_pairs`, but for what the lines name.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SandboxError(f"{file} is not a list of pairs in UTF-8 text: byte {error.start} is no character") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise SandboxError(f"cannot read the list of pairs {file}: {reason(error).lower()}") from None
    lines = text.removesuffix("\n").split("\n")
    begin = next((place for place, line in enumerate(lines) if line.strip()), None)
    if begin is None:
        raise SandboxError(f"{file} is empty; it must hold pairs, such as the line 'a.jpg b.jpg 1'")
    second = next((line for line in lines[begin + 1 :] if line.strip()), "")
    if _is_lfw_header(lines[begin]) and len(second.split()) != 2:
        return _lfw(file)
    delimiter = _delimiter(lines[begin])
    return _csv(file, lines, begin, delimiter) if delimiter else _words(file, lines)


def _is_lfw_header(line: str) -> bool:
    words = line.split()
    return len(words) <= 2 and all(word.isdecimal() for word in words)


def _delimiter(header: str) -> str | None:
    """What parts the columns where a line is the header of a CSV; None where it is a pair."""
    words = header.split()
    if len(words) == 3 and _LABEL.fullmatch(words[2]) and words[0][-1] not in ",;":
        return None  # a comma may stand in a path
    columns = {column.strip(' "').lower() for column in header.split("\t")}
    return next((mark for mark in ",;" if mark in header), "\t" if columns & {*_SAME} else None)


def _lfw(file: Path) -> PairFile:
    lines = read_pair_lines(file)
    fold = np.array([line.fold for line in lines], dtype=np.int64)
    return PairFile(
        left=[f"{line.left[0]}/{line.left[0]}_{line.left[1]:04d}" for line in lines],
        right=[f"{line.right[0]}/{line.right[0]}_{line.right[1]:04d}" for line in lines],
        same=np.array([line.same for line in lines], dtype=bool),
        fold=fold if fold.max() > 1 else None,
        line=np.array([line.number for line in lines], dtype=np.int64),
        by_person=True,
    )


def _words(file: Path, lines: Sequence[str]) -> PairFile:
    """Lines ``a b 1``."""
    left, right, truth, numbers = [], [], [], []
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words:
            continue
        if len(words) != 3:
            words = [word.strip() for word in line.split("\t")]  # names with blanks, parted by tabs
        if len(words) != 3 or not all(words):
            words = line.split()
            why = ", because scoring needs the truth" if len(words) == 2 else ""
            raise SandboxError(
                f"{file} line {number} must read 'a b 1' for a same pair or 'a b 0' for a different one{why}, "
                f"not {shown(line.strip())}"
            )
        left.append(words[0])
        right.append(words[1])
        truth.append(words[2])
        numbers.append(number)
    return _pair_file(file, left, right, truth, [], numbers)


def _csv(file: Path, lines: Sequence[str], begin: int, delimiter: str) -> PairFile:
    """Columns under a header."""
    reader = csv.reader((line + "\n" for line in lines[begin:]), delimiter=delimiter, skipinitialspace=True)
    columns: list[list[str]] = []
    numbers: list[int] = []
    order: tuple[int, ...] = ()
    ended = begin
    try:
        for fields in reader:
            number, ended = ended + 1, begin + reader.line_num  # a field in quotes may go over several lines
            fields = [field.strip() for field in fields]
            if not any(fields):
                continue
            if not columns:
                order = _columns(file, number, fields)
                columns = [[] for _ in fields]
                continue
            if len(fields) != len(columns):
                raise SandboxError(
                    f"{file} line {number} has {counted(len(fields), 'field', 'fields')}, "
                    f"but the header names {len(columns)} columns"
                )
            for column, field in zip(columns, fields, strict=True):
                column.append(field)
            numbers.append(number)
    except csv.Error as error:
        raise SandboxError(f"{file} line {begin + reader.line_num} is not CSV: {error}") from None
    if not numbers:
        raise SandboxError(f"{file} has a header but holds no pairs")
    left, right, truth, *fold = (columns[place] for place in order)
    return _pair_file(file, left, right, truth, fold[0] if fold else [], numbers)


def _columns(file: Path, line: int, header: Sequence[str]) -> tuple[int, ...]:
    """The places of the left, the right, the truth and, where there is one, the fold."""
    names = [name.lower() for name in header]
    sides = next((pair for pair in _SIDES if {*pair} <= {*names}), ())
    truth = next((name for name in _SAME if name in names), "")
    wanted = [*sides, truth, *(["fold"] if "fold" in names else [])]
    if not sides or not truth or sorted(wanted) != sorted(names):
        allowed = [*(name for pair in _SIDES for name in pair), *_SAME, "fold"]
        odd = next((name for name in names if name not in allowed), None)
        raise SandboxError(
            f"{file} line {line} must name two images ({' | '.join(map(','.join, _SIDES))}), the truth "
            f"({' | '.join(_SAME)}) and, if wanted, 'fold', each once and nothing else, not {shown(','.join(header))}"
            f"{near(odd, allowed) if odd else ''}"
        )
    return tuple(names.index(name) for name in wanted)


def _pair_file(
    file: Path, left: list[str], right: list[str], truth: list[str], fold: list[str], numbers: list[int]
) -> PairFile:
    same = [_TRUTH.get(word.lower()) for word in truth]
    if None in same:
        place = same.index(None)
        raise SandboxError(
            f"{file} line {numbers[place]} must say 1 for a same pair or 0 for a different one, not "
            f"{shown(truth[place])}"
        )
    return PairFile(
        left=left,
        right=right,
        same=np.array(same, dtype=bool),
        fold=_folds(file, fold, numbers),
        line=np.array(numbers, dtype=np.int64),
        by_person=False,
    )


def _folds(file: Path, words: Sequence[str], numbers: Sequence[int]) -> np.ndarray | None:
    """Folds counted from 1 in the order of their numbers, or None where there are not two."""
    for number, word in zip(numbers, words, strict=False):
        if not is_whole(word):
            raise SandboxError(f"{file} line {number} must give a whole number as its fold, not {shown(word)}")
    found, fold = np.unique(np.array(list(map(int, words))), return_inverse=True)
    if len(found) < 2:
        return None
    return fold.astype(np.int64) + 1


def is_whole(word: str) -> bool:
    """Whether a word is a whole number that an int64 holds."""
    return word.isascii() and word.isdecimal() and len(word) < 16
