"""Nearest neighbours, exactly: FAISS where few are wanted, a matrix product and a bucket sort where many are."""

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
_FEW = 4096  # queries of one block


def nearest(
    queries: np.ndarray, gallery: np.ndarray, k: int, *, leave_one_out: bool, index: Index = "flat"
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """The k most alike gallery rows of every query by inner product, in slices of queries.

    Args:
        queries: (Q, D) float32 or float64.
        gallery: (G, D) float32 or float64.
        k: neighbours; at most G, or G - 1 with `leave_one_out`.
        leave_one_out: query i is gallery row i, and is not its own neighbour.
        index: see `Searcher`.

    Yields:
        (start, ids (n, k) int64, scores (n, k) float32), as `Searcher.search` gives them.
    """
    searcher = Searcher(gallery, index, most=k)
    slices = max(1, -(-len(queries) * (k + 2) // _SLICE))
    start = 0
    for block in np.array_split(np.arange(len(queries)), min(slices, max(len(queries), 1))):
        ids, scores = searcher.search(queries[start : start + len(block)], k, own=block if leave_one_out else None)
        yield start, ids, scores
        start += len(block)


class Searcher:
    """A gallery ready to be searched by inner product, by many queries or one after the other."""

    def __init__(self, gallery: np.ndarray, index: Index = "flat", *, most: int = 64):
        """Prepare what does not hang on a query.

        Args:
            gallery: (G, D) float32 or float64.
            index: ``flat`` is exact; ``ivf`` and ``hnsw`` look at a part of the gallery.
            most: neighbours that will be asked for at most; ``hnsw`` looks the wider for it.
        """
        self.gallery = np.ascontiguousarray(gallery)
        self.index = index
        self._quick = self.gallery.astype(np.float32, copy=False)
        self._longest = float(_lengths(self.gallery).max(initial=0))
        self._faiss = None if index == "flat" else faiss_index(self._quick, most, index)

    def search(self, queries: np.ndarray, k: int, *, own: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The k most alike gallery rows of each query.

        Args:
            queries: (Q, D) float32 or float64.
            k: neighbours; at most G, or G - 1 with `own`.
            own: (Q,) int64, a gallery row of each query that is not its neighbour: itself.

        Returns:
            ids (Q, k) int64 and scores (Q, k) float32, most alike first. The order is that of inner products summed in
            float64 and rounded to float32, equal ones by gallery row, across the k-th place too; so it depends on no
            slice, no number of threads and no library. Scores that are no near ties are products summed in float32. An
            approximate index gives -1 as the id (and -inf as the score)
            where it finds fewer than k, and orders by its own scores.
        """
        queries = np.ascontiguousarray(queries)
        quick = queries.astype(np.float32, copy=False)
        fetched = min(k + 1, len(self.gallery) - (own is not None))  # one more, to see a tie across the last place
        if self.index == "flat" and k >= _MANY:
            ids, scores = _select(quick, self._quick, fetched, own)
        else:
            ids, scores = self._by_faiss(quick, fetched, own)
        if self.index != "flat":
            return ids[:, :k], scores[:, :k]
        unsettled, slack = np.zeros(len(queries), bool), _slack(queries, self._longest)
        last = k if fetched > k else fetched + 1

        def consume(start: int, end: int, worker: int) -> None:
            part = slice(start, end)
            settle_ties(queries[part], self.gallery, slack[part], last, ids[part], scores[part], unsettled[part])

        if len(queries) <= _FEW:  # threads would take longer to start
            consume(0, len(queries), 0)
        else:
            for _ in over_blocks(len(queries), _FEW, consume):
                pass
        ids, scores = ids[:, :k], scores[:, :k]
        again = np.flatnonzero(unsettled)
        if len(again):  # whose k-th place many gallery rows nearly tie for: every score in float64
            few, every = queries[again].astype(np.float64), self.gallery.astype(np.float64)
            ids[again], scores[again] = _select(few, every, k, None if own is None else own[again])
        return ids, scores

    def _by_faiss(self, queries: np.ndarray, fetched: int, own: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        import faiss

        wanted = fetched + (own is not None)
        if self._faiss is None:
            scores, ids = faiss.knn(queries, self._quick, wanted, metric=faiss.METRIC_INNER_PRODUCT)
        else:
            scores, ids = self._faiss.search(queries, wanted)
        scores[ids < 0] = -np.inf
        return (ids, scores) if own is None else _without_self(ids, scores, own)


def _select(queries: np.ndarray, gallery: np.ndarray, k: int, own: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The k best by a bucket sort of all products, in the number format of the queries."""
    ids, best = np.empty((len(queries), k), np.int64), np.empty((len(queries), k), np.float32)
    left_out = np.full(len(queries), -1, np.int64) if own is None else np.asarray(own, np.int64)

    def consume(start: int, end: int, worker: int) -> None:
        scores = (queries[start:end] @ gallery.T).astype(np.float32, copy=False)
        select_top(scores, left_out[start:end], ids[start:end], best[start:end])

    for _ in over_blocks(len(queries), block_rows(len(gallery), queries.itemsize), consume):
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
    slack = _slack(queries, float(_lengths(gallery).max(initial=0)))

    def consume(start: int, end: int, worker: int) -> None:
        block = rows[start:end]
        scores = quick[block] @ across
        own = np.asarray(block, dtype=np.int64) if alone else np.full(len(block), -1, np.int64)
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
    own = rows if leave_one_out else None
    quick, exact = (Searcher(gallery, kind, most=k).search(queries[rows], k, own=own)[0] for kind in (index, "flat"))
    return np.array([len(np.intersect1d(a, b)) / k for a, b in zip(quick, exact, strict=True)])


def _lengths(rows: np.ndarray) -> np.ndarray:
    """(N,) float64 Euclidean lengths."""
    return np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))


def _slack(queries: np.ndarray, longest: float) -> np.ndarray:
    """(Q,) float32: scores of a query that are closer than this may stand in the wrong order, float32 being what it is.

    The rounding errors of a sum of D products stay within about sqrt(D) / 2 units in the last place of the product of
    the lengths, libraries that sum in blocks well within; twice that is allowed for either score.

    Args:
        queries: (Q, D).
        longest: the length of the longest row of the gallery.
    """
    with np.errstate(over="ignore"):  # then every score is summed in float64
        return (2 * queries.shape[1] ** 0.5 * 2.0**-24 * longest * _lengths(queries)).astype(np.float32)


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
