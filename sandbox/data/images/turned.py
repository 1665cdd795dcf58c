"""Images and the same turned by multiples of 90 degrees, as one array that holds each image once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class TurnedPixels:
    """Square images as they are, then all of them turned, and turned again; an image is turned when it is read.

    It is read as an array of (T*N, H, W, C) uint8 is, by a number, a slice or an array of numbers; what it gives is a
    copy. `np.asarray` turns every image, and takes the memory of all.

    Args:
        upright: (N, H, H, C) uint8, which may be a memory map.
        quarters: (T,) how many quarters of a turn, counter-clockwise, each copy is turned by (`numpy.rot90`).
    """

    def __init__(self, upright: np.ndarray, quarters: Sequence[int]):
        self.upright = upright
        self.quarters = tuple(quarters)
        self.shape = (len(quarters) * len(upright), *upright.shape[1:])
        self.dtype, self.ndim = upright.dtype, upright.ndim
        self._rows = np.arange(self.shape[0])

    @property
    def nbytes(self) -> int:
        """Bytes of all of it, if it were held."""
        return self.upright.nbytes * len(self.quarters)

    def __len__(self) -> int:
        """How many images, with the turned ones."""
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        """Images of those rows, turned; what stands behind a comma is taken of these, as of any array."""
        if isinstance(key, tuple):
            first, *rest = key
            if first is Ellipsis:
                return self[:][key]
            return self[first][(slice(None), *rest) if np.ndim(self._rows[first]) else tuple(rest)]
        rows = self._rows[key]
        turn, place = np.divmod(np.atleast_1d(rows), len(self.upright))
        images = self.upright[place]
        for number, quarters in enumerate(self.quarters):
            own = np.flatnonzero(turn == number)
            if quarters and len(own):
                images[own] = np.rot90(images[own], quarters, axes=(1, 2))
        return images if np.ndim(rows) else images[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Every image, turned."""
        return self[:] if dtype is None else self[:].astype(dtype)
