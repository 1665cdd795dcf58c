"""Alpha query expansion: a query becomes the mean of itself and its nearest gallery rows, each weighed by its cosine.

Radenovic, Tolias and Chum, "Fine-tuning CNN Image Retrieval with No Human Annotation", TPAMI 2019: a row's weight is
its cosine to the power of alpha, that of the query 1, as in ``expand_descriptors`` of Naver's deep-image-retrieval. A
cosine below 0 counts as 0 here, since its power may be none. The gallery stays as it is; alpha 0 is the plain mean.
"""

from __future__ import annotations

import numpy as np

from sandbox.evaluation.retrieval.search import nearest
from sandbox.evaluation.similarity import unit

_ROWS = 4096


def expanded(queries: np.ndarray, gallery: np.ndarray, k: int, alpha: float, *, alone: bool) -> np.ndarray:
    """The queries with their neighbours in them.

    Args:
        queries: (Q, D) unit rows.
        gallery: (G, D) unit rows.
        k: neighbours; at most G, or G - 1 with `alone`.
        alpha: power of the cosine.
        alone: query i is gallery row i, and not its own neighbour.

    Returns:
        (Q, D) float32 unit rows.
    """
    out = np.empty(queries.shape, np.float32)
    for start, ids, scores in nearest(queries, gallery, k, leave_one_out=alone):
        weight = np.maximum(scores.astype(np.float64), 0) ** alpha
        for first in range(0, len(ids), _ROWS):
            part = slice(first, first + _ROWS)
            rows = slice(start + first, start + min(first + _ROWS, len(ids)))
            total = queries[rows].astype(np.float64)
            for place in range(k):
                total += weight[part, place, None] * gallery[ids[part, place]]
            out[rows] = unit(total)
    return out
