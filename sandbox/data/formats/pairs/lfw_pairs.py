"""`Pairs` to verify, and the reader of LFW's pair lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sandbox.data.formats.list_text import read_text, words_of
from sandbox.data.names import same_name
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
    file: Path
    """Where the line stands."""
    spelt: tuple[str, str]
    """The names of both people as the file spells them."""

    @property
    def same(self) -> bool:
        """Whether both images show one person."""
        return self.left[0] == self.right[0]

    @property
    def people(self) -> frozenset[str]:
        """The one or two people of the pair."""
        return frozenset((self.left[0], self.right[0]))


@dataclass(frozen=True)
class LfwList:
    """The lines of an LFW pair list, wherever they stand."""

    lines: list[PairLine]
    notes: tuple[str, ...] = ()
    """Sentences on how it was understood."""

    @property
    def spellings(self) -> set[str]:
        """Every name as it is spelt."""
        return {name for line in self.lines for name in line.spelt}


def read_pair_lines(file: Path) -> list[PairLine]:
    """Read a list in LFW's format.

    The first line holds the number of folds and of pairs of each kind in a fold (``10 300``), or that number alone for
    one fold (``1100``). Then come, fold after fold, the same-person lines ``name i j`` and the different-person lines
    ``name1 i name2 j``, parted by tabs, where names may hold blanks, or by blanks.

    Raises:
        SandboxError: the file cannot be read, a line is malformed, or there are more or fewer lines than the first
            one says; file and line number are named.
    """
    return lfw_lines(file, read_text(file, "the pair list").lines)


def lfw_lines(file: Path, lines: Sequence[str]) -> list[PairLine]:
    """The pairs of the lines of a file.

    Raises:
        SandboxError: as `read_pair_lines`.
    """
    begin = next((place for place, line in enumerate(lines) if line.strip()), 0)
    header = lines[begin].split()
    if not 1 <= len(header) <= 2 or not all(word.isdecimal() and len(word) < 10 and int(word) > 0 for word in header):
        raise SandboxError(
            f"{file} line {begin + 1} must hold the number of folds and of pairs of each kind per fold, "
            f"such as '10 300' or '1100', not '{lines[begin]}'"
        )
    folds, each = (1, int(header[0])) if len(header) == 1 else (int(header[0]), int(header[1]))
    rows = [(number, line) for number, line in enumerate(lines[begin + 1 :], start=begin + 2) if line.strip()]
    if len(rows) != 2 * folds * each:
        raise SandboxError(
            f"{file} line {begin + 1} ('{lines[begin].strip()}') promises {2 * folds * each:,} pairs, but "
            f"{len(rows):,} lines follow"
        )
    return [
        pair_line(file, number, words_of(line, (3, 4)), place // (2 * each) + 1, line)
        for place, (number, line) in enumerate(rows)
    ]


def pair_line(file: Path, number: int, words: Sequence[str], fold: int = 1, line: str = "") -> PairLine:
    """A line out of its words: a name and two numbers, or twice a name and a number.

    Raises:
        SandboxError: other words; the line is named.
    """
    four = [words[0], words[1], words[0], words[2]] if len(words) == 3 else list(words)
    if len(four) != 4 or not all(word.isdecimal() and len(word) < 10 for word in (four[1], four[3])) or not all(four):
        raise SandboxError(
            f"{file} line {number} must read 'name i j' or 'name1 i name2 j', parted by tabs where a name holds "
            f"blanks, not '{line.strip() or ','.join(words)}'"
        )
    spelt = four[0], four[2]
    left, right = map(same_name, spelt)
    return PairLine((left, int(four[1])), (right, int(four[3])), fold, number, file, spelt)


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
    absent = [(_place(line, file), face) for line in lines for face in (line.left, line.right) if face not in places]
    if absent:
        first = ", ".join(f"{name} {number} ({place})" for place, (name, number) in absent[:3])
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


def _place(line: PairLine, file: Path) -> str:
    return f"line {line.number}" if line.file == file else f"{line.file.name} line {line.number}"
