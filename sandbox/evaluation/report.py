"""The report of one split: every figure with its interval and what it was counted over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sandbox.evaluation.neighbours import Index
from sandbox.evaluation.retrieval import Figures, retrieval
from sandbox.evaluation.similarity import Metric
from sandbox.evaluation.uncertainty import bootstrap_means
from sandbox.evaluation.verification import Verification, verify_all_pairs, verify_pairs

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


def shares(values: Mapping[str, np.ndarray], identities: np.ndarray) -> Figures:
    """The mean of each array (N,), hits or shares of 0 to 1, with its 95 % interval by the identities (N,).

    Nothing where there are no rows.
    """
    if not len(identities):
        return {}
    means, low, high = bootstrap_means(np.column_stack(list(values.values())), identities)
    return on_whole_scale(
        {
            key: {
                "value": float(means[place]),
                "low": float(low[place]),
                "high": float(high[place]),
                "n": len(identities),
            }
            for place, key in enumerate(values)
        }
    )


def on_whole_scale(figures: Figures) -> Figures:
    """The same shares with 0 to 1 as the interval where a single identity says nothing of others: NaN is no JSON."""
    ends = {"low": 0.0, "high": 1.0}
    return {
        key: {name: ends[name] if name in ends and np.isnan(value) else value for name, value in entry.items()}
        for key, entry in figures.items()
    }


def spell(entry: Mapping[str, Any] | None) -> str:
    """One entry of a report as a table shows it; a figure that the data cannot support is not shown."""
    if entry is None:
        return ""
    if entry.get("supported") is False:
        return "unsupported"
    return f"{entry['value']:.4f}" if isinstance(entry["value"], float) else str(entry["value"])


def spell_interval(entry: Mapping[str, Any] | None) -> str:
    """The 95 % interval of an entry, or nothing where it has none or is a count."""
    if entry is None or entry.get("supported") is False or not isinstance(entry["value"], float):
        return ""
    low, high = entry.get("low"), entry.get("high")
    return "" if low is None or high is None or np.isnan(low) else f"{low:.4f} to {high:.4f}"
