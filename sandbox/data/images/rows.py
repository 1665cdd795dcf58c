"""Rows of numbers in the place of images: each is an image of one pixel and D channels, read when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class Rows:
    """Some rows of an array (M, D), read as an array of (N, 1, 1, D) float32 is: by a number, a slice or numbers.

    What it gives is a copy, rounded to float32; `np.asarray` reads every row. Of a memory map only the rows that are
    asked for are read, so that a file may be larger than memory.

    Args:
        whole: (M, D) of floats or integers, which may be a memory map.
        places: (N,) the rows of it, in their order; all of them where not given.
    """

    def __init__(self, whole: np.ndarray, places: np.ndarray | None = None):
        self.whole = whole
        self.places = np.arange(len(whole)) if places is None else places
        self.shape = (len(self.places), 1, 1, whole.shape[1])
        self.dtype, self.ndim = np.dtype(np.float32), 4

    @property
    def nbytes(self) -> int:
        """Bytes of all of it, if it were held."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def __len__(self) -> int:
        """How many rows."""
        return len(self.places)

    def __getitem__(self, key: Any) -> np.ndarray:
        """Those rows; what stands behind a comma is taken of these, as of any array."""
        if isinstance(key, tuple):
            return self[:][key]
        found = np.asarray(self.whole[self.places[key]], dtype=np.float32)
        return found[..., None, None, :]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Every row."""
        return self[:] if dtype is None else self[:].astype(dtype)

    def take(self, places: np.ndarray) -> Rows:
        """Some of the rows, of which none is read yet."""
        return Rows(self.whole, self.places[places])


def joined(parts: Sequence[Rows], part_of: np.ndarray, places: np.ndarray) -> Rows:
    """Rows out of several parts of one array, of which none is read yet.

    Args:
        parts: of one array.
        part_of: (N,) which part each row is taken from.
        places: (N,) its place there.
    """
    found = np.empty(len(places), np.int64)
    for number, part in enumerate(parts):
        own = part_of == number
        found[own] = part.places[places[own]]
    return Rows(parts[0].whole, found)
