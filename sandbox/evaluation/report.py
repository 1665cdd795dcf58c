"""The report of one split: every figure with what it was counted over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sandbox.evaluation.retrieval import Figures, retrieval
from sandbox.evaluation.verification import verify_all_pairs, verify_pairs

GivenPairs = tuple[np.ndarray, np.ndarray, np.ndarray]


def evaluate(
    x: np.ndarray,
    y: np.ndarray,
    *,
    pairs: GivenPairs | None = None,
    recall_at: Sequence[int] = (1, 5, 10),
    far: Sequence[float] = (1e-1, 1e-2, 1e-3),
    verification: bool = True,
) -> Figures:
    """Retrieval and verification of unit embeddings.

    Args:
        x: (N, D) float32, unit rows.
        y: (N,) integer labels.
        pairs: (left (M,), right (M,), same (M,)) rows to verify; all pairs of rows where not given.
        recall_at: the k of recall@k.
        far: false accept rates.
        verification: leave it out to save time between validations.

    Returns:
        ``{"retrieval/map@r": {"value", "n"}, "verification/auc": ..., "retrieval/unmatched": ...}``, without
        verification where there is no genuine or no impostor pair.
    """
    figures, unmatched = retrieval(x, y, recall_at=recall_at)
    figures["retrieval/unmatched"] = {"value": unmatched, "n": len(y)}
    if verification and _both_kinds(y, pairs):
        figures |= verify_pairs(x, *pairs, far=far) if pairs else verify_all_pairs(x, y, far=far)
    return figures


def _both_kinds(y: np.ndarray, pairs: GivenPairs | None) -> bool:
    """Whether there are genuine and impostor pairs; without both there is no verification to speak of."""
    if pairs is not None:
        return bool(pairs[2].any() and not pairs[2].all())
    counts = np.unique(y, return_counts=True)[1]
    return len(counts) > 1 and bool((counts > 1).any())


def spell(entry: Mapping[str, Any] | None) -> str:
    """One entry of a report as a table shows it; a figure that the data cannot support is not shown."""
    if entry is None:
        return ""
    if entry.get("supported") is False:
        return "unsupported"
    return f"{entry['value']:.4f}" if isinstance(entry["value"], float) else str(entry["value"])
