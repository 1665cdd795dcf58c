"""Nearest neighbours: FAISS where few are wanted, a matrix product and a bucket sort where many are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from sandbox.evaluation.blocks import block_rows, evenly, over_blocks
from sandbox.evaluation.retrieval.top_k import first_rank, select_top, settle_ties

Index = Literal["flat", "ivf", "hnsw"]

# Memory of one slice of results, in neighbours: ids and scores take 12 bytes each.
_SLICE = 8_000_000
# From about here on a bucket sort beats the heaps of FAISS: on 20,000 rows it lost at 128 and won at 300.
_MANY = 192
_CHECKED = 1000


def nearest(
    queries: np.ndarray, gallery: np.ndarray, k: int, *, leave_one_out: bool, index: Index = "flat"
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """The k most alike gallery rows of every query by inner product, in slices of queries.

    Args:
        queries: (Q, D) float32 or float64.
        gallery: (G, D) float32 or float64.
        k: neighbours; at most G, or G - 1 with `leave_one_out`.
        leave_one_out: query i is gallery row i, and is not its own neighbour.
        index: ``flat`` is exact; ``ivf`` and ``hnsw`` look at a part of the gallery, and give -1 as the id (and -inf
            as the score) where they find fewer than k.

    Yields:
        (start, ids (n, k) int64, scores (n, k) float32), most alike first. The order is that of inner products summed
        in float64 and rounded to float32, equal ones by gallery row, across the k-th place too; so it depends on no
        slice, no number of threads and no library.
    """
    found = _Searcher(queries, gallery, k, leave_one_out, index)
    slices = max(1, -(-len(queries) * (k + 2) // _SLICE))
    start = 0
    for block in np.array_split(np.arange(len(queries)), min(slices, max(len(queries), 1))):
        ids, scores = found.search(block)
        yield start, ids, scores
        start += len(block)


class _Searcher:
    """Queries and a gallery ready to be searched."""

    def __init__(self, queries: np.ndarray, gallery: np.ndarray, k: int, leave_one_out: bool, index: Index):
        self.queries, self.gallery = np.ascontiguousarray(queries), np.ascontiguousarray(gallery)
        self.quick, self.quick_gallery = (part.astype(np.float32, copy=False) for part in (self.queries, self.gallery))
        self.k, self.alone, self.index = k, leave_one_out, index
        self.fetched = min(k + 1, len(gallery) - leave_one_out)  # one more, to see a tie across the last place
        self.faiss = None if index == "flat" and k >= _MANY else faiss_index(self.quick_gallery, k, index)
        self.slack = _slack(self.queries, self.gallery)

    def search(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Neighbours of those rows of the queries."""
        ids, scores = self._by_sorting(rows) if self.faiss is None else self._by_faiss(rows)
        if self.index != "flat":
            return ids[:, : self.k], scores[:, : self.k]
        unsettled = np.zeros(len(rows), bool)
        last = self.k if self.fetched > self.k else self.fetched + 1

        def consume(start: int, end: int, worker: int) -> None:
            settle_ties(
                self.queries[rows[start:end]],
                self.gallery,
                self.slack[rows[start:end]],
                last,
                ids[start:end],
                scores[start:end],
                unsettled[start:end],
            )

        for _ in over_blocks(len(rows), 4096, consume):
            pass
        ids, scores = ids[:, : self.k], scores[:, : self.k]
        again = np.flatnonzero(unsettled)
        if len(again):
            ids[again], scores[again] = self._exactly(rows[again])
        return ids, scores

    def _by_faiss(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        assert self.faiss is not None
        scores, ids = self.faiss.search(self.quick[rows], self.fetched + self.alone)
        scores[ids < 0] = -np.inf
        return _without_self(ids, scores, rows) if self.alone else (ids, scores)

    def _by_sorting(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._select(rows, self.quick, self.quick_gallery, self.fetched)

    def _exactly(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For queries whose k-th place many gallery rows nearly tie for: every score in float64."""
        return self._select(rows, self.queries.astype(np.float64), self.gallery.astype(np.float64), self.k)

    def _select(
        self, rows: np.ndarray, queries: np.ndarray, gallery: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        ids, best = np.empty((len(rows), k), np.int64), np.empty((len(rows), k), np.float32)

        def consume(start: int, end: int, worker: int) -> None:
            scores = (queries[rows[start:end]] @ gallery.T).astype(np.float32, copy=False)
            select_top(scores, _own(rows[start:end], self.alone), ids[start:end], best[start:end])

        for _ in over_blocks(len(rows), block_rows(len(gallery), queries.itemsize), consume):
            pass
        return ids, best


def first_match_ranks(
    queries: np.ndarray, y: np.ndarray, gallery: np.ndarray, gallery_y: np.ndarray, rows: np.ndarray, *, alone: bool
) -> np.ndarray:
    """(n,) int64: how far down the gallery the first row of the same label is, for those rows of the queries.

    Args:
        queries: (Q, D) float.
        y: (Q,) int64.
        gallery: (G, D) float.
        gallery_y: (G,) int64.
        rows: (n,) which queries.
        alone: query i is gallery row i, and does not count.

    Returns:
        1 for the first place; 0 where no row of the gallery has the label. Scores and ties are those of `nearest`.
    """
    ranks = np.zeros(len(rows), np.int64)
    if not len(rows):
        return ranks
    queries, gallery = np.ascontiguousarray(queries), np.ascontiguousarray(gallery)
    quick, across = queries.astype(np.float32, copy=False), gallery.astype(np.float32, copy=False).T
    slack = _slack(queries, gallery)

    def consume(start: int, end: int, worker: int) -> None:
        block = rows[start:end]
        scores = quick[block] @ across
        own = _own(block, alone)
        first_rank(scores, own, y[block], gallery_y, queries[block], gallery, slack[block], ranks[start:end])

    for _ in over_blocks(len(rows), block_rows(len(gallery), 4), consume):
        pass
    return ranks


def index_recall(queries: np.ndarray, gallery: np.ndarray, k: int, *, leave_one_out: bool, index: Index) -> np.ndarray:
    """Which share of the exact k nearest rows an index finds, for up to 1,000 queries spread evenly over all.

    Returns:
        (min(Q, 1000),) float64.
    """
    rows = evenly(len(queries), _CHECKED)
    quick, _ = _Searcher(queries, gallery, k, leave_one_out, index).search(rows)
    exact, _ = _Searcher(queries, gallery, k, leave_one_out, "flat").search(rows)
    return np.array([len(np.intersect1d(a, b)) / k for a, b in zip(quick, exact, strict=True)])


def _slack(queries: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """(Q,) float32: scores of a query that are closer than this may stand in the wrong order, float32 being what it is.

    The rounding errors of a sum of D products stay within about sqrt(D) / 2 units in the last place of the product of
    the lengths, libraries that sum in blocks well within; twice that is allowed for either score.
    """
    lengths = [np.sqrt(np.einsum("ij,ij->i", part, part, dtype=np.float64)) for part in (queries, gallery)]
    return (2 * queries.shape[1] ** 0.5 * 2.0**-24 * lengths[1].max() * lengths[0]).astype(np.float32)


def _own(rows: np.ndarray, alone: bool) -> np.ndarray:
    return np.asarray(rows, dtype=np.int64) if alone else np.full(len(rows), -1, np.int64)


def faiss_index(gallery: np.ndarray, k: int, index: Index) -> Any:
    """The FAISS index of that name over a gallery (G, D) float32, ready for searches of k neighbours or fewer."""
    import faiss

    dim = gallery.shape[1]
    made: Any
    if index == "ivf":
        lists = max(1, min(len(gallery) // 39, int(4 * len(gallery) ** 0.5)))  # FAISS asks for 39 rows a list
        made = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, lists, faiss.METRIC_INNER_PRODUCT)
        made.nprobe = max(1, lists // 16)
        made.cp.min_points_per_centroid = 1  # it complains on stderr of a single list with fewer than 39 rows
        made.train(gallery)
    elif index == "hnsw":
        made = faiss.IndexHNSWFlat(dim, 32, faiss.METRIC_INNER_PRODUCT)
        made.hnsw.efSearch = max(64, 2 * k)
    else:
        made = faiss.IndexFlatIP(dim)
    made.add(gallery)
    return made


def _without_self(ids: np.ndarray, scores: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Drop each query's own row; where it is not among those found, drop the last."""
    is_self = ids == own[:, None]
    lost = ~is_self.any(1)
    is_self[lost, -1] = True
    keep = ~is_self
    shape = (len(ids), ids.shape[1] - 1)
    return ids[keep].reshape(shape), scores[keep].reshape(shape)
