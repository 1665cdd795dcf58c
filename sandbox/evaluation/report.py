"""The report of one split: every figure with its interval and what it was counted over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sandbox.evaluation.figures import Figures, on_whole_scale
from sandbox.evaluation.retrieval.metrics import retrieval
from sandbox.evaluation.retrieval.search import Index
from sandbox.evaluation.similarity import Metric
from sandbox.evaluation.verification.metrics import Verification, verify_all_pairs, verify_pairs

GivenPairs = tuple[np.ndarray, np.ndarray, np.ndarray]


def evaluate(
    x: np.ndarray,
    y: np.ndarray,
    *,
    pairs: GivenPairs | None = None,
    gallery: np.ndarray | None = None,
    gallery_y: np.ndarray | None = None,
    recall_at: Sequence[int] = (1, 5, 10),
    far: Sequence[float] = (1e-1, 1e-2, 1e-3),
    threshold: float | None = None,
    metric: Metric = "cosine",
    index: Index = "flat",
    verification: bool = True,
    intervals: bool = True,
) -> Figures:
    """Retrieval and verification of embeddings.

    Args:
        x: (N, D) embeddings.
        y: (N,) integer labels.
        pairs: (left (M,), right (M,), same (M,)) rows to verify; all pairs of rows where not given.
        gallery: (G, D) that the rows of x are queries to; without it each row searches the others.
        gallery_y: (G,) labels of the gallery.
        recall_at: the k of recall@k.
        far: false accept rates.
        threshold: a score chosen on validation, whose accuracy is reported too.
        metric: cosine, dot or l2.
        index: flat (exact), ivf or hnsw.
        verification: leave it out to save time between validations.
        intervals: leave ``low`` and ``high`` out, for the same reason.

    Returns:
        ``{"retrieval/map@r": {"value", "low", "high", "n"}, "verification/auc": ..., "retrieval/unmatched": ...}``,
        without verification where there is no genuine or no impostor pair; finite throughout.
    """
    found = retrieval(x, y, gallery=gallery, gallery_y=gallery_y, recall_at=recall_at, metric=metric, index=index)
    figures = on_whole_scale(found.figures(intervals=intervals))
    if verification and both_kinds(y, pairs):
        judged = verify(x, y, pairs, far=far, threshold=threshold, metric=metric)
        figures |= judged.figures(far, threshold=threshold, intervals=intervals)
    return figures


def verify(
    x: np.ndarray,
    y: np.ndarray,
    pairs: GivenPairs | None,
    *,
    far: Sequence[float],
    threshold: float | None = None,
    metric: Metric = "cosine",
) -> Verification:
    """Verification over the given pairs, or over all where there are none; see `verify_pairs`, `verify_all_pairs`."""
    if pairs is not None:
        return verify_pairs(x, *pairs, y=y, threshold=threshold, metric=metric)
    return verify_all_pairs(x, y, far=far, threshold=threshold, metric=metric)


def both_kinds(y: np.ndarray, pairs: GivenPairs | None) -> bool:
    """Whether there are genuine and impostor pairs; without both there is no verification to speak of."""
    if pairs is not None:
        return bool(pairs[2].any() and not pairs[2].all())
    counts = np.unique(y, return_counts=True)[1]
    return len(counts) > 1 and bool((counts > 1).any())
