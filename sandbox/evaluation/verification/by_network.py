"""Verification by folds, each fold by a network of its own that saw nobody of it, at a threshold of its own.

Accuracy is counted fold by fold and needs no more than that. AUC, EER and TAR at FAR are of the pooled scores: one
curve over the pairs of all folds. The networks differ, so do their scales, and the pooled curve pays for that: it is
what one threshold for all of them would reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.figures import Figures
from sandbox.evaluation.verification import cross_validation
from sandbox.evaluation.verification.cross_validation import Folded
from sandbox.evaluation.verification.metrics import Verification, verify_scores

_BEYOND = 2.0
"""What no cosine reaches, in the place of an infinite threshold."""


@dataclass(frozen=True)
class FoldScores:
    """The pairs of one fold as its network scored them."""

    scores: np.ndarray = field(repr=False)
    """(M,) float32 cosines."""
    same: np.ndarray = field(repr=False)
    """(M,) bool, whether a pair is genuine."""
    left: np.ndarray = field(repr=False)
    """(M,) integers from 0: whose image the left one is, within the fold."""
    right: np.ndarray = field(repr=False)
    threshold: float
    """Chosen on other people; +inf rejects every pair, -inf accepts every pair."""

    @property
    def accuracy(self) -> float:
        """The share of the pairs that are called rightly."""
        return float(((self.scores >= np.float32(self.threshold)) == self.same).mean())


def figures(folds: Sequence[FoldScores], far: Sequence[float]) -> Figures:
    """The report of all folds together.

    Args:
        folds: two or more.
        far: false accept rates at which the true accept rate is wanted.

    Returns:
        ``verification/accuracy@K-fold``: the mean over the folds, each of the same weight, with its standard error and
        95 % t-interval over folds. ``verification/accuracy@validation``: the share of all pairs that are right, each by
        its fold's threshold, and ``verification/auc``, ``eer``, ``tar@far=...`` and ``d_prime`` of the pooled scores,
        with intervals by identity; people of two folds count as two. n is the pairs of all folds.

    Raises:
        SandboxError: fewer than two folds, scores that are not finite, or no genuine or no impostor pair.
    """
    if len(folds) < 2:
        raise SandboxError(f"there is {len(folds)} fold; a mean over folds needs two or more")
    folded = Folded(
        np.array([fold.accuracy for fold in folds]),
        np.array([fold.threshold for fold in folds]),
        np.array([len(fold.same) for fold in folds]),
    )
    mean: dict[str, Any] = cross_validation.figures(folded)
    pooled = _verified(folds, [fold.scores for fold in folds]).figures(far)
    kept = {key: entry for key, entry in pooled.items() if "accuracy" not in key}  # at a threshold that test chose
    return mean | {"verification/accuracy@validation": _right(folds)} | kept


def _right(folds: Sequence[FoldScores]) -> dict[str, Any]:
    """The share of all pairs that are right: each fold's scores are moved so that its threshold is 0, exactly."""
    moved = [fold.scores - np.float32(np.clip(fold.threshold, -_BEYOND, _BEYOND)) for fold in folds]
    entry: dict[str, Any] = dict(
        _verified(folds, moved, [0.0]).figures((), threshold=0.0)["verification/accuracy@validation"]
    )
    del entry["threshold"]  # each fold has its own
    return entry


def _verified(
    folds: Sequence[FoldScores], scores: Sequence[np.ndarray], thresholds: Sequence[float] = ()
) -> Verification:
    """All pairs as one list; people of a fold have numbers of their own."""
    first, left, right = 0, [], []
    for fold in folds:
        left.append(fold.left + first)
        right.append(fold.right + first)
        first += int(max(fold.left.max(), fold.right.max())) + 1
    return verify_scores(
        np.concatenate(scores),
        np.concatenate([fold.same for fold in folds]),
        identities=(np.concatenate(left), np.concatenate(right)),
        thresholds=thresholds,
    )
