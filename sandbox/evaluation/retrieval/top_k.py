"""The k highest scores of every row, exact and in a fixed order: a bucket sort compiled by Numba.

Scores of a row fall into cells of equal width; the cells are filled from the top until k scores are placed, and each is
sorted. That reads a row twice whatever k is, where a heap pays for every neighbour.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_CELLS = 4096
_SHORT = 24
# Between these a row's span, and what the cells are scaled by, are numbers of float32; NaN would have no cell.
_NARROW, _WIDE = np.float32(1e-30), np.float32(3e38)


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"nnan", "nsz"})
def select_top(scores: np.ndarray, own: np.ndarray, ids: np.ndarray, best: np.ndarray) -> None:
    """Write the k best columns of each row, highest score first, equal scores by column.

    Args:
        scores: (n, G) float32, finite.
        own: (n,) int64 the column to leave out of each row, or -1.
        ids: (n, k) int64, written; k is at most the columns that are not left out.
        best: (n, k) float32, written.
    """
    rows, columns = scores.shape
    k = ids.shape[1]
    cells = np.empty(columns, np.int16)
    count = np.empty(_CELLS, np.int32)
    odd = np.empty(_CELLS, np.int32)
    place = np.empty(_CELLS, np.int32)
    chosen = np.empty(columns + 1, np.int32)
    found_id = np.empty(columns, np.int32)
    found = np.empty(columns, np.float32)
    zero, top = np.float32(0), np.float32(_CELLS - 1)
    for i in range(rows):
        row = scores[i]
        low, high = row[0], row[0]
        for j in range(columns):
            low = min(low, row[j])
            high = max(high, row[j])
        span = high - low
        if _NARROW < span < _WIDE:
            scale = top / span
            for j in range(columns):
                cells[j] = np.int16(min(max((row[j] - low) * scale, zero), top))
        else:
            wide = np.float64(high) - np.float64(low)
            finer = np.float64(top) / wide if wide > 0 else 0.0
            for j in range(columns):
                cells[j] = np.int16(min(max((np.float64(row[j]) - np.float64(low)) * finer, 0.0), np.float64(top)))
        count[:] = 0
        odd[:] = 0
        for j in range(0, columns - 1, 2):  # two tables: one would wait for itself where neighbours share a cell
            count[cells[j]] += 1
            odd[cells[j + 1]] += 1
        if columns % 2:
            count[cells[columns - 1]] += 1
        if own[i] >= 0:
            count[cells[own[i]]] -= 1
        total, cut = 0, _CELLS
        while total < k:
            cut -= 1
            count[cut] += odd[cut]
            place[cut] = total
            total += count[cut]
        seen = 0
        for j in range(columns):  # writes always and steps on where it counts: no branch to guess wrong
            chosen[seen] = j
            seen += cells[j] >= cut
        for c in range(seen):
            j = chosen[c]
            if j != own[i]:
                at = place[cells[j]]
                found_id[at] = j
                found[at] = row[j]
                place[cells[j]] = at + 1
        for cell in range(_CELLS - 1, cut - 1, -1):
            if count[cell] > 1:
                _sort(found, found_id, place[cell] - count[cell], place[cell])
        for j in range(k):
            ids[i, j] = found_id[j]
            best[i, j] = found[j]


@njit(nogil=True, cache=True)
def _sort(values: np.ndarray, ids: np.ndarray, start: int, end: int) -> None:
    """Sort one cell, highest value first; what is equal keeps its order."""
    if end - start > _SHORT:
        order = np.argsort(-values[start:end], kind="mergesort")
        values[start:end] = values[start:end][order]
        ids[start:end] = ids[start:end][order]
        return
    for a in range(start + 1, end):
        value, number = values[a], ids[a]
        b = a
        while b > start and values[b - 1] < value:
            values[b], ids[b] = values[b - 1], ids[b - 1]
            b -= 1
        values[b], ids[b] = value, number


@njit(nogil=True, cache=True)
def settle_ties(
    queries: np.ndarray,
    gallery: np.ndarray,
    slack: np.ndarray,
    last: int,
    ids: np.ndarray,
    scores: np.ndarray,
    unsettled: np.ndarray,
) -> None:
    """Order what float32 products could not tell apart by inner products in float64, rounded to float32, then by row.

    Args:
        queries: (n, D) float.
        gallery: (G, D) float.
        slack: (n,) float32: scores closer than this count as near ties.
        last: the first place that is not wanted; a run of near ties that crosses it to the end of what was fetched
            may go on beyond, and cannot be settled here.
        ids: (n, m) int64 gallery rows, most alike first, changed in place.
        scores: (n, m) float32, changed in place: all become float64 products rounded to float32 where they were near
            ties.
        unsettled: (n,) bool, set where a run may go on.
    """
    fetched = ids.shape[1]
    for i in range(len(ids)):
        start = 0
        while start < fetched:
            end = start + 1
            while end < fetched and scores[i, end - 1] - scores[i, end] <= slack[i]:
                end += 1
            if end == fetched and start < last < end:
                unsettled[i] = True
            elif end - start > 1:
                run = np.sort(ids[i, start:end])
                exact = np.empty(end - start, np.float32)
                for place in range(end - start):
                    exact[place] = _dot(queries[i], gallery[run[place]])
                order = np.argsort(-exact, kind="mergesort")
                ids[i, start:end] = run[order]
                scores[i, start:end] = exact[order]
            start = end


@njit(nogil=True, cache=True)
def first_rank(
    scores: np.ndarray,
    own: np.ndarray,
    labels: np.ndarray,
    gallery_labels: np.ndarray,
    queries: np.ndarray,
    gallery: np.ndarray,
    slack: np.ndarray,
    ranks: np.ndarray,
) -> None:
    """Write the rank of each row's first column of its label, 1 for the first place; 0 where there is none.

    Args:
        scores: (n, G) float32.
        own: (n,) int64 the column to leave out of each row, or -1.
        labels: (n,) int64 of the rows.
        gallery_labels: (G,) int64 of the columns.
        queries: (n, D) float, and
        gallery: (G, D) float, which settle near ties as `settle_ties` does.
        slack: (n,) float32: scores closer than this count as near ties.
        ranks: (n,) int64, written.
    """
    for i in range(len(labels)):
        row = scores[i]
        top = -np.float32(np.inf)
        for j in range(len(gallery_labels)):
            if gallery_labels[j] == labels[i] and j != own[i]:
                top = max(top, row[j])
        best, at = np.float32(0), -1
        for j in range(len(gallery_labels)):
            if row[j] >= top - slack[i] and gallery_labels[j] == labels[i] and j != own[i]:
                exact = np.float32(_dot(queries[i], gallery[j]))
                if at < 0 or exact > best:
                    best, at = exact, j
        ranks[i] = 0
        if at < 0:
            continue
        ahead = np.int64(0)
        sure, possible = best + slack[i], best - slack[i]
        for j in range(len(gallery_labels)):
            if row[j] >= possible and j != own[i]:
                if row[j] > sure:
                    ahead += 1
                else:
                    exact = np.float32(_dot(queries[i], gallery[j]))
                    ahead += exact > best or (exact == best and j < at)
        ranks[i] = ahead + 1


@njit(nogil=True, cache=True, fastmath={"reassoc", "nsz"})
def _dot(a: np.ndarray, b: np.ndarray) -> float:
    """The inner product, summed in float64."""
    total = 0.0
    for d in range(len(a)):
        total += np.float64(a[d]) * np.float64(b[d])
    return total
