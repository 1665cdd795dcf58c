"""The inner loop of all-pairs verification, compiled by Numba: where each impostor score falls among the genuine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

_CELLS = 1 << 17
_TILE = 1024


@dataclass(frozen=True)
class Grid:
    """Distinct genuine scores, found through cells of equal width, and the coarse bins that the cells make up."""

    levels: np.ndarray
    """(L,) float32 ascending: the distinct genuine scores."""
    low: np.float32
    scale: np.float32
    first: np.ndarray
    """(cells + 1,) int32: the first level in or after each cell."""
    coarse: np.ndarray
    """(cells,) uint8: the bin of each cell."""
    edges: np.ndarray
    """(bins + 1,) float64: where the bins begin and end."""

    @property
    def bins(self) -> int:
        """How many coarse bins."""
        return len(self.edges) - 1

    def bin_of(self, scores: np.ndarray) -> np.ndarray:
        """(m,) uint8: the coarse bin of each float32 score."""
        return self.coarse[_cell(scores, self.low, self.scale, len(self.coarse))]


def make_grid(levels: np.ndarray, genuine: np.ndarray, impostors: np.ndarray) -> Grid:
    """Cells over the range of the scores, and at most 97 bins that are fine where the curve will be read.

    Args:
        levels: (L,) float32 ascending.
        genuine: (m,) float32, a sample of genuine scores.
        impostors: (n,) float32, a sample of impostor scores.
    """
    low = np.float32(min(genuine.min(), impostors.min()))
    high = np.float32(max(genuine.max(), impostors.max()))
    span = float(high) - float(low)
    room = (_CELLS - 1) / span if span > 0 else 0.0
    scale = np.float32(room if room < float(np.finfo(np.float32).max) else 0)
    tails = 1 - np.geomspace(0.5, 1e-6, 32)
    wanted = np.concatenate(
        [
            np.quantile(genuine, np.linspace(0, 1, 33)),
            np.quantile(impostors, np.linspace(0, 1, 33)[1:-1]),
            np.quantile(impostors, tails),
        ]
    )
    starts = np.unique(np.append(_cell(wanted.astype(np.float32), low, scale, _CELLS), 0))
    coarse = (np.searchsorted(starts, np.arange(_CELLS), side="right") - 1).astype(np.uint8)
    width = 1 / float(scale) if scale else 1.0
    edges = float(low) + np.append(starts, _CELLS) * width
    first = np.searchsorted(_cell(levels, low, scale, _CELLS), np.arange(_CELLS + 1)).astype(np.int32)
    return Grid(levels, low, scale, first, coarse, edges)


def _cell(scores: np.ndarray, low: np.float32, scale: np.float32, cells: int) -> np.ndarray:
    """The cell of each score; the arithmetic of `count_impostors`, to the bit."""
    with np.errstate(over="ignore"):  # what overflows is in the last cell
        return np.clip((scores - low) * scale, np.float32(0), np.float32(cells - 1)).astype(np.int32)


@njit(nogil=True, cache=True, error_model="numpy")
def count_impostors(
    scores: np.ndarray,
    begins: np.ndarray,
    row_identity: np.ndarray,
    column_identity: np.ndarray,
    levels: np.ndarray,
    low: np.float32,
    scale: np.float32,
    first: np.ndarray,
    coarse: np.ndarray,
    slots: np.ndarray,
    by_identity: np.ndarray,
) -> None:
    """Count a block of scores, each once for the curve and once for either identity of the pair.

    Args:
        scores: (n, m) float64; rounded to float32 here.
        begins: (n,) int64: the first column of each row that makes an impostor pair; all after it do.
        row_identity: (n,) int32.
        column_identity: (m,) int32.
        levels: (L,) float32 ascending, and `low`, `scale`, `first`, `coarse` of the `Grid`.
        low: see above.
        scale: see above.
        first: see above.
        coarse: see above.
        slots: (2L + 1,) int64, added to: slot 2p is below level p and above level p - 1, slot 2p + 1 ties with level p.
        by_identity: (identities, bins), added to.
    """
    last = len(first) - 2
    zero, top = np.float32(0), np.float32(last)
    cells = np.empty(_TILE, np.int32)
    exact = np.empty(_TILE, np.float32)
    own = np.zeros(by_identity.shape[1], np.int64)
    for tile in range(0, scores.shape[1], _TILE):
        end = min(tile + _TILE, scores.shape[1])
        for i in range(scores.shape[0]):
            start = max(tile, begins[i])
            width = end - start
            if width <= 0:
                continue
            row = scores[i, start:end]
            for t in range(width):
                exact[t] = np.float32(row[t])
                cells[t] = np.int32(min(max((exact[t] - low) * scale, zero), top))
            own[:] = 0
            for t in range(width):
                fine = coarse[cells[t]]
                own[fine] += 1
                by_identity[column_identity[start + t], fine] += 1
            for k in range(len(own)):
                by_identity[row_identity[i], k] += own[k]
            for t in range(width):
                place = first[cells[t]]
                stop = first[cells[t] + 1]
                slot = 2 * place
                if place < stop:
                    score = exact[t]
                    while place < stop and levels[place] <= score:
                        place += 1
                    slot = 2 * place
                    if place > 0 and levels[place - 1] == score:
                        slot -= 1
                slots[slot] += 1
