"""`PairFile`: a list of pairs as it is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


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
    parts: tuple[tuple[Path, int], ...]
    """The file and its number of pairs; of a list that lies in two files, both."""
    notes: tuple[str, ...] = ()
    """Sentences on what was passed over, or how it was understood."""

    def place(self, row: int) -> str:
        """Where a pair stands: `pairs.txt line 3`."""
        ends = np.cumsum([count for _, count in self.parts])
        file = self.parts[int(np.searchsorted(ends, row, side="right"))][0]
        return f"{file} line {self.line[row]}"
