"""What a ranking is worth: each query's figures from its nearest rows, and from the ranks of all its matches."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numba import njit

from sandbox.evaluation.blocks import block_rows, over_blocks
from sandbox.recipe.extra import Extra

Block = Callable[[int, int], np.ndarray]
"""(start, end) -> (end - start, G) float32: how alike those queries and every gallery row are."""


@njit(cache=True)
def rate_nearest(ids: np.ndarray, y: np.ndarray, gallery_y: np.ndarray, matches: np.ndarray, out: np.ndarray) -> None:
    """Write (R-precision, MAP@R, first rank) of each query; an id of -1 is a place that the index left empty."""
    for i in range(len(y)):
        hits, precision, first = 0, 0.0, 0
        for place in range(ids.shape[1]):
            if ids[i, place] >= 0 and gallery_y[ids[i, place]] == y[i]:
                if first == 0:
                    first = place + 1
                if place >= matches[i]:
                    break
                hits += 1
                precision += hits / (place + 1)
            elif place >= matches[i] and first > 0:
                break
        if matches[i] > 0:
            out[i, 0], out[i, 1], out[i, 2] = hits / matches[i], precision / matches[i], first


def rate_top(
    ids: np.ndarray, y: np.ndarray, gallery_y: np.ndarray, matches: np.ndarray, extra: Sequence[Extra]
) -> np.ndarray:
    """(n, len(extra)) float64: precision@k and nDCG@k of each query, in the order of `extra`.

    precision@k is the share of k places that hold a match, places beyond the gallery being misses. nDCG@k gives the
    i-th place 1 / log2(i + 1) (Jarvelin and Kekalainen, "Cumulated gain-based evaluation of IR techniques", 2002), a
    match being worth 1, over what the best order would give.

    Args:
        ids: (n, m) gallery rows, most alike first; m is the largest k, or the gallery where that is smaller.
        y: (n,) labels of the queries.
        gallery_y: (G,) labels of the gallery.
        matches: (n,) gallery rows of each query's label, itself not counted.
        extra: figures of a k.
    """
    hits = (ids >= 0) & (gallery_y[ids] == y[:, None])
    out = np.zeros((len(ids), len(extra)))
    for place, one in enumerate(extra):
        near = hits[:, : one.top]
        if one.name == "precision":
            out[:, place] = near.sum(1) / one.top
            continue
        worth = 1 / np.log2(np.arange(2, one.top + 2))
        best = np.append(0, np.cumsum(worth))[np.minimum(matches, one.top)]
        out[:, place] = np.divide(near @ worth[: near.shape[1]], best, out=np.zeros(len(ids)), where=best > 0)
    return out


def rate_whole(block: Block, y: np.ndarray, gallery_y: np.ndarray, *, alone: bool) -> np.ndarray:
    """(Q, 3) float64: rank of the first match, average precision and inverse negative penalty of each query.

    Average precision is 1/R sum of precision@i over the places i of all R matches, in the whole gallery. INP is R over
    the place of the last match (Ye et al., "Deep Learning for Person Re-identification: A Survey and Outlook", 2021,
    and their code; mINP is its mean). A query without a match has zeros. Equal scores rank by gallery row.

    Args:
        block: the scores.
        y: (Q,) int64 labels of the queries.
        gallery_y: (G,) int64.
        alone: query i is gallery row i, and does not count.
    """
    found = np.zeros((len(y), 3))

    def consume(start: int, end: int, worker: int) -> None:
        rank_matches(block(start, end), own_columns(start, end, alone), y[start:end], gallery_y, found[start:end])

    for _ in over_blocks(len(y), block_rows(len(gallery_y), 8), consume):
        pass
    return found


def products(queries: np.ndarray, targets: np.ndarray) -> Block:
    """Inner products summed in float64 and rounded to float32, the scores by which `nearest` orders."""
    wide = np.ascontiguousarray(targets.T, dtype=np.float64)
    return lambda start, end: (queries[start:end].astype(np.float64) @ wide).astype(np.float32)


def own_columns(start: int, end: int, alone: bool) -> np.ndarray:
    """(n,) int64: the gallery row of each query that does not count, itself; -1 where there is none."""
    return np.arange(start, end, dtype=np.int64) if alone else np.full(end - start, -1, np.int64)


@njit(nogil=True, cache=True)
def ranks_of(
    row: np.ndarray, place: np.ndarray, value: np.ndarray, gallery_labels: np.ndarray, label: int
) -> np.ndarray:
    """(R,) int64: the ranks of a query's R matches among all that is not of its class, the best first.

    Equal scores rank by gallery row.

    Args:
        row: (G,) float32 scores of the gallery.
        place: (R,) int64 gallery rows of the matches, ascending.
        value: (R,) float32 their scores.
        gallery_labels: (G,) int64.
        label: of the query; what is of it and no match does not count.
    """
    count = len(place)
    order = np.argsort(-value, kind="mergesort")
    place, value = place[order], value[order]
    before = np.zeros(count + 1, np.int64)  # others that stand before the match of that place and behind the last
    for j in range(len(row)):
        if row[j] < value[count - 1] or gallery_labels[j] == label:
            continue
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            if value[middle] > row[j] or (value[middle] == row[j] and place[middle] < j):
                low = middle + 1
            else:
                high = middle
        before[low] += 1
    ranks = np.empty(count, np.int64)
    ahead = 0
    for hit in range(count):
        ahead += before[hit]
        ranks[hit] = hit + 1 + ahead
    return ranks


@njit(nogil=True, cache=True)
def rank_matches(
    scores: np.ndarray, own: np.ndarray, labels: np.ndarray, gallery_labels: np.ndarray, out: np.ndarray
) -> None:
    """Write what `rate_whole` gives, of a block (n, G) of scores: each other row is counted before the matches.

    Args:
        scores: (n, G) float32.
        own: (n,) int64 the column to leave out of each row, or -1.
        labels: (n,) int64 of the rows.
        gallery_labels: (G,) int64 of the columns.
        out: (n, 3) float64, written where a row has a match.
    """
    columns = len(gallery_labels)
    for i in range(len(labels)):
        row = scores[i]
        count = 0
        for j in range(columns):
            count += gallery_labels[j] == labels[i] and j != own[i]
        if count == 0:
            continue
        place, value = np.empty(count, np.int64), np.empty(count, np.float32)
        at = 0
        for j in range(columns):
            if gallery_labels[j] == labels[i] and j != own[i]:
                place[at], value[at] = j, row[j]
                at += 1
        ranks = ranks_of(row, place, value, gallery_labels, labels[i])
        precision = 0.0
        for hit in range(count):
            precision += (hit + 1) / ranks[hit]
        out[i, 0], out[i, 1], out[i, 2] = ranks[0], precision / count, count / ranks[count - 1]
