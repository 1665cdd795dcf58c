"""Nearest neighbours through FAISS."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

# Memory of one slice of results, in neighbours: ids and scores take 12 bytes each.
_SLICE = 8_000_000


def nearest(
    queries: np.ndarray, gallery: np.ndarray, k: int, *, leave_one_out: bool
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """The k most alike gallery rows of every query by inner product, exact, in slices of queries.

    Args:
        queries: (Q, D) float32.
        gallery: (G, D) float32.
        k: neighbours; at most G, or G - 1 with `leave_one_out`.
        leave_one_out: query i is gallery row i, and is not its own neighbour.

    Yields:
        (start, ids (n, k) int64, scores (n, k) float32), most alike first. Equal scores rank by gallery row, so that
        the order does not depend on the slices; a tie across the k-th place is cut as FAISS found it.
    """
    import faiss

    index = faiss.IndexFlatIP(gallery.shape[1])
    index.add(np.ascontiguousarray(gallery, dtype=np.float32))
    wanted = min(k + leave_one_out, len(gallery))
    step = max(1, min(len(queries), _SLICE // max(1, wanted)))
    for start in range(0, len(queries), step):
        block = np.ascontiguousarray(queries[start : start + step], dtype=np.float32)
        scores, ids = index.search(block, wanted)
        order = np.lexsort((ids, -scores), axis=1)
        ids, scores = np.take_along_axis(ids, order, 1), np.take_along_axis(scores, order, 1)
        if leave_one_out:
            ids, scores = _without_self(ids, scores, np.arange(start, start + len(block)))
        yield start, ids, scores


def _without_self(ids: np.ndarray, scores: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Drop each query's own row; where twins pushed it beyond the last place, drop that last place."""
    is_self = ids == own[:, None]
    lost = ~is_self.any(1)
    is_self[lost, -1] = True
    keep = ~is_self
    shape = (len(ids), ids.shape[1] - 1)
    return ids[keep].reshape(shape), scores[keep].reshape(shape)
