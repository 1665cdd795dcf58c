"""`Pairs` to verify, and the reader of LFW's pair lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs

Face = tuple[str, int]
"""A person's name and the number of one of their images."""


@dataclass(frozen=True)
class PairLine:
    """One line of an LFW pair list."""

    left: Face
    right: Face
    fold: int
    """Counted from 1."""
    number: int
    """Line in the file, counted from 1."""

    @property
    def same(self) -> bool:
        """Whether both images show one person."""
        return self.left[0] == self.right[0]

    @property
    def people(self) -> frozenset[str]:
        """The one or two people of the pair."""
        return frozenset((self.left[0], self.right[0]))


def read_pair_lines(file: Path) -> list[PairLine]:
    """Read a list in LFW's format.

    The first line holds the number of folds and of pairs of each kind in a fold (``10 300``), or that number alone for
    one fold (``1100``). Then come, fold after fold, the same-person lines ``name i j`` and the different-person lines
    ``name1 i name2 j``, parted by tabs or spaces.

    Raises:
        SandboxError: the file cannot be read, a line is malformed, or there are more or fewer lines than the first
            one says; file and line number are named.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SandboxError(f"cannot read the pair list {file}: {error}") from None
    header = lines[0].split() if lines else []
    if not 1 <= len(header) <= 2 or not all(word.isdecimal() and len(word) < 10 and int(word) > 0 for word in header):
        raise SandboxError(
            f"{file} line 1 must hold the number of folds and of pairs of each kind per fold, "
            f"such as '10 300' or '1100', not '{lines[0] if lines else ''}'"
        )
    folds, each = (1, int(header[0])) if len(header) == 1 else (int(header[0]), int(header[1]))
    rows = [(number, line) for number, line in enumerate(lines[1:], start=2) if line.strip()]
    if len(rows) != 2 * folds * each:
        raise SandboxError(
            f"{file} line 1 ('{lines[0].strip()}') promises {2 * folds * each:,} pairs, but {len(rows):,} lines follow"
        )
    return [_pair_line(file, number, line, place // (2 * each) + 1) for place, (number, line) in enumerate(rows)]


def indexed(lines: Sequence[PairLine], places: Mapping[Face, int], file: Path, *, folds: bool = False) -> Pairs:
    """The pairs as indices into an ImageSet.

    Args:
        lines: the pair lines.
        places: the index of each image that there is.
        file: where the lines came from, for the error.
        folds: keep the fold numbers.

    Raises:
        SandboxError: images are named that there are not; they are counted and the first named.
    """
    absent = [(line.number, face) for line in lines for face in (line.left, line.right) if face not in places]
    if absent:
        first = ", ".join(f"{name} {number} (line {row})" for row, (name, number) in absent[:3])
        raise SandboxError(
            f"{file} names {len(absent):,} image{'s that are' if len(absent) > 1 else ' that is'} not there "
            f"or cannot be read: {first}{' ...' if len(absent) > 3 else ''}"
        )
    return Pairs(
        left=np.array([places[line.left] for line in lines], dtype=np.int64),
        right=np.array([places[line.right] for line in lines], dtype=np.int64),
        same=np.array([line.same for line in lines], dtype=bool),
        fold=np.array([line.fold for line in lines], dtype=np.int64) if folds else None,
    )


def _pair_line(file: Path, number: int, line: str, fold: int) -> PairLine:
    words = line.split()
    if len(words) == 3:
        words.insert(2, words[0])
    if len(words) != 4 or not all(word.isdecimal() and len(word) < 10 for word in (words[1], words[3])):
        raise SandboxError(f"{file} line {number} must read 'name i j' or 'name1 i name2 j', not '{line.strip()}'")
    return PairLine(left=(words[0], int(words[1])), right=(words[2], int(words[3])), fold=fold, number=number)
