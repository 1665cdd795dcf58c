"""k-reciprocal re-ranking: rows are near that have each other, and the same others, among their neighbours.

Zhong, Zheng, Cao and Li, "Re-ranking Person Re-identification with k-reciprocal Encoding", CVPR 2017, as the authors'
Python code does it (zhunzhong07/person-re-ranking, ``re_ranking_feature``), with queries and gallery as one set:

- of a row's k1 neighbours those that have it among their own k1, joined by the same of k1 / 2 of each of them of which
  more than two thirds are there already;
- these as a vector of exp(-d), d the squared distance over the largest of the row, divided by its sum;
- the mean of the vectors of the row and its k2 - 1 nearest;
- the Jaccard distance 1 - s / (2 - s), s the sum of the lesser entries of two vectors, weighed 1 - lambda, and d of the
  two rows, weighed lambda.

A row is always its own first neighbour, which with identical rows the authors' sorting leaves open; they count in
float16, this in float64. Vectors hold only neighbours, so that memory grows with the rows and not with their square.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from scipy.sparse import csr_array

from sandbox.evaluation.blocks import block_rows, over_blocks
from sandbox.evaluation.retrieval.rating import Block
from sandbox.evaluation.retrieval.search import nearest


def reranked(queries: np.ndarray, gallery: np.ndarray | None, *, k1: int, k2: int, share: float) -> Block:
    """Scores of queries against a gallery, or of rows against each other: minus the final distance.

    Args:
        queries: (Q, D) float32 unit rows.
        gallery: (G, D) float32 unit rows; None where each query searches the others.
        k1: neighbours that must be mutual; fewer than there are rows in all.
        k2: rows whose vectors are averaged, the row itself being one; at most k1 + 1.
        share: of the distance itself against the Jaccard distance, lambda.

    Returns:
        (start, end) -> (end - start, G) float32, higher is more alike; the block may be asked for in several threads.
    """
    rows = np.ascontiguousarray(queries if gallery is None else np.concatenate([queries, gallery]))
    first = 0 if gallery is None else len(queries)  # of the gallery
    farthest = _farthest(rows)
    near = _neighbours(rows, k1)
    starts, columns = _expanded(near, int(np.around(k1 / 2)))
    values = np.empty(len(columns))
    _weigh(rows, farthest, starts, columns, values)
    count = len(rows)
    vectors = csr_array((values, columns, starts), shape=(count, count))
    if k2 > 1:
        mean = csr_array(
            (np.full(count * k2, 1 / k2), near[:, :k2].ravel(), np.arange(0, count * k2 + 1, k2)), shape=(count, count)
        )
        vectors = csr_array(mean @ vectors)
    across = vectors[first:].tocsc()
    wide = np.ascontiguousarray(rows[first:].T, dtype=np.float64)

    def block(start: int, end: int) -> np.ndarray:
        scores = 2 - 2 * (rows[start:end].astype(np.float64) @ wide)
        np.maximum(scores, 0, out=scores)
        scores *= share / farthest[start:end, None]
        held = slice(vectors.indptr[start], vectors.indptr[end])
        _add_jaccard(
            *(vectors.indptr[start : end + 1] - vectors.indptr[start], vectors.indices[held], vectors.data[held]),
            *(across.indptr, across.indices, across.data),
            1 - share,
            scores,
        )
        return (-scores).astype(np.float32)

    return block


def _farthest(rows: np.ndarray) -> np.ndarray:
    """(N,) float64: the largest squared distance of each row to any; 1 where all are the same."""
    wide = np.ascontiguousarray(rows.T, dtype=np.float64)
    found = np.empty(len(rows))

    def consume(start: int, end: int, worker: int) -> None:
        found[start:end] = 2 - 2 * (rows[start:end].astype(np.float64) @ wide).min(1)

    for _ in over_blocks(len(rows), block_rows(len(rows), 8), consume):
        pass
    return np.where(found > 0, found, 1)


def _neighbours(rows: np.ndarray, k: int) -> np.ndarray:
    """(N, k + 1) int64: each row, and its k most alike others, nearest first, equal ones by row."""
    near = np.empty((len(rows), k + 1), np.int64)
    near[:, 0] = np.arange(len(rows))
    for start, ids, _ in nearest(rows, rows, k, leave_one_out=True):
        near[start : start + len(ids), 1:] = ids
    return near


def _expanded(near: np.ndarray, half: int) -> tuple[np.ndarray, np.ndarray]:
    """Starts (N + 1,) and columns of each row's k-reciprocal neighbours, expanded; columns ascend in a row."""
    room = near.shape[1] * (half + 2)
    parts, counts = [], np.zeros(len(near) + 1, np.int64)
    for start in range(0, len(near), 4096):
        end = min(start + 4096, len(near))
        found = np.empty((end - start) * room, np.int64)
        _expand(near, half, start, end, found, counts)
        parts.append(found[: counts[start + 1 : end + 1].sum()].copy())
    return np.cumsum(counts), np.concatenate(parts)


@njit(cache=True)
def _expand(near: np.ndarray, half: int, start: int, end: int, found: np.ndarray, counts: np.ndarray) -> None:
    """Write the columns of rows from start to end one after the other, and how many each has, a place on."""
    k = near.shape[1]
    own, theirs = np.empty(k, np.int64), np.empty(half + 1, np.int64)
    all_of = np.empty(k * (half + 2), np.int64)
    at = 0
    for i in range(start, end):
        mutual = _mutual(near, i, k, own)
        count = mutual
        all_of[:mutual] = own[:mutual]
        for c in range(mutual):
            size = _mutual(near, own[c], half + 1, theirs)
            shared = 0
            for t in range(size):
                for o in range(mutual):
                    if own[o] == theirs[t]:
                        shared += 1
                        break
            if 3 * shared > 2 * size:
                all_of[count : count + size] = theirs[:size]
                count += size
        sorted_all = np.sort(all_of[:count])
        before = at
        for c in range(count):
            if c == 0 or sorted_all[c] != sorted_all[c - 1]:
                found[at] = sorted_all[c]
                at += 1
        counts[i + 1] = at - before


@njit(cache=True)
def _mutual(near: np.ndarray, i: int, k: int, out: np.ndarray) -> int:
    """Write which of the first k entries of row i have i among their first k; how many these are."""
    count = 0
    for a in range(k):
        other = near[i, a]
        for b in range(k):
            if near[other, b] == i:
                out[count] = other
                count += 1
                break
    return count


@njit(cache=True)
def _weigh(rows: np.ndarray, farthest: np.ndarray, starts: np.ndarray, columns: np.ndarray, values: np.ndarray) -> None:
    """Write exp(-d) of each row's columns, over their sum."""
    for i in range(len(starts) - 1):
        total = 0.0
        for at in range(starts[i], starts[i + 1]):
            product = 0.0
            for d in range(rows.shape[1]):
                product += np.float64(rows[i, d]) * np.float64(rows[columns[at], d])
            values[at] = np.exp(-max(2 - 2 * product, 0.0) / farthest[i])
            total += values[at]
        for at in range(starts[i], starts[i + 1]):
            values[at] /= total


@njit(nogil=True, cache=True)
def _add_jaccard(
    starts: np.ndarray,
    columns: np.ndarray,
    values: np.ndarray,
    column_starts: np.ndarray,
    column_rows: np.ndarray,
    column_values: np.ndarray,
    weight: float,
    scores: np.ndarray,
) -> None:
    """Add the weighed Jaccard distance of a block's vectors, given by rows, to those of the gallery, by columns.

    Args:
        starts: (n + 1,) of the block's rows in `columns` and `values`.
        columns: see above.
        values: see above.
        column_starts: (N + 1,) of each column in `column_rows` and `column_values`.
        column_rows: see above; places in the gallery.
        column_values: see above.
        weight: of the Jaccard distance.
        scores: (n, G) float64, added to.
    """
    lesser = np.empty(scores.shape[1])
    for i in range(scores.shape[0]):
        lesser[:] = 0
        for at in range(starts[i], starts[i + 1]):
            value = values[at]
            for other in range(column_starts[columns[at]], column_starts[columns[at] + 1]):
                lesser[column_rows[other]] += min(value, column_values[other])
        for j in range(scores.shape[1]):
            scores[i, j] += weight * (1 - lesser[j] / (2 - lesser[j]))
