"""Identification without a gallery: each image is searched among the people of all the others.

Ranks are over people, as in `closed_set`: a person scores by the most alike of their images, and ties count against
the system. Recall@k counts images instead: rank-1 equals recall@1 but for ties, and what lies beyond is no smaller.
"""

from __future__ import annotations

import numpy as np

from sandbox.evaluation.blocks import evenly
from sandbox.evaluation.similarity import Similarity, as_products

_CHUNK = 4_000_000  # scores held at once


def ranks_among_others(
    x: np.ndarray, y: np.ndarray, *, metric: Similarity = "cosine", most: int = 20_000
) -> tuple[np.ndarray, np.ndarray]:
    """The rank of the right person for every image that has another of that person.

    Args:
        x: (N, D) embeddings of any floating type.
        y: (N,) integers, whose image each is.
        metric: how alike two rows are.
        most: images that are searched for; of more these many, spread evenly over the rows.

    Returns:
        ranks (P,) int64, 1 is first; and the person (P,) of each, in the order of the rows.

    Raises:
        SandboxError: embeddings that cannot be compared; see `as_products`.
    """
    probes, against = as_products(x, metric)
    order = np.argsort(y, kind="stable")
    people, starts, size = np.unique(y[order], return_index=True, return_counts=True)
    against = against[order].astype(np.float64)
    asked = np.flatnonzero(size[np.searchsorted(people, y)] > 1)
    asked = asked[evenly(len(asked), most)]
    place = np.empty(len(y), np.int64)
    place[order] = np.arange(len(y))
    ranks = np.empty(len(asked), np.int64)
    step = max(1, _CHUNK // max(len(y), 1))
    for start in range(0, len(asked), step):
        rows = asked[start : start + step]
        scores = (probes[rows].astype(np.float64) @ against.T).astype(np.float32)
        scores[np.arange(len(rows)), place[rows]] = -np.inf
        best = np.maximum.reduceat(scores, starts, axis=1)
        own = best[np.arange(len(rows)), np.searchsorted(people, y[rows])]
        ranks[start : start + len(rows)] = (best >= own[:, None]).sum(1)
    return ranks, y[asked]
