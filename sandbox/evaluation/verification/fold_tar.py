"""TAR at FAR by folds: the threshold is set on all other folds, and the left-out fold is judged with it.

What InsightFace's verification prints as the validation rate, "VAL +- std @ FAR" (``calculate_val``): the mean and the
deviation over the folds, the latter with K below the root. There the threshold is read off a grid of distances and
interpolated; here it lies just above the impostor pair that would be one too many.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.intervals.bootstrap import plain_interval
from sandbox.evaluation.pairs import check_scores
from sandbox.recipe.extra import Extra


@dataclass(frozen=True)
class FoldRates:
    """What each of K folds gave, in the order of their numbers."""

    tar: np.ndarray
    """(K,) float64 share of the fold's genuine pairs that are accepted."""
    far: np.ndarray
    """(K,) float64 share of its impostor pairs that are."""
    pairs: int
    """Of all folds."""


def fold_rates(scores: np.ndarray, same: np.ndarray, fold: np.ndarray, far: float) -> FoldRates:
    """The rates of each fold at the lowest threshold whose false accept rate on all other folds is at most `far`.

    Args:
        scores: (M,) higher is more alike; compared as float32.
        same: (M,) bool, whether a pair is genuine.
        fold: (M,) integer fold of each pair.
        far: above 0 and below 1.

    Raises:
        SandboxError: shapes that do not fit, scores that are not finite, fewer than two folds, or a fold without a
            genuine or an impostor pair.
    """
    scores, same = check_scores(scores, same)
    names = check_folds(same, fold)
    rates = np.empty((len(names), 2))
    for place, name in enumerate(names):
        here = fold == name
        others = np.sort(scores[~here & ~same])[::-1]
        allowed = int(np.flatnonzero(np.arange(len(others)) / len(others) <= far)[-1])
        accepted = scores > others[allowed]
        rates[place] = accepted[here & same].mean(), accepted[here & ~same].mean()
    return FoldRates(rates[:, 0], rates[:, 1], len(scores))


def check_folds(same: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """The numbers of the folds, in order.

    Raises:
        SandboxError: fewer than two folds, or a fold without a genuine or an impostor pair.
    """
    names = np.unique(fold)
    if len(names) < 2:
        raise SandboxError(f"all {len(fold):,} pairs are in fold {names[0]}; TAR over folds needs two or more")
    for name in names:
        here = same[fold == name]
        if here.all() or not here.any():
            kind = "impostor" if here.any() else "genuine"
            raise SandboxError(f"fold {name} holds no {kind} pair, so that TAR at FAR cannot be counted in it")
    return names


def figure(rates: FoldRates, extra: Extra) -> dict[str, dict[str, Any]]:
    """The entry of a report: mean TAR over the folds, with its 95 % t-interval over folds (K - 1 degrees).

    Returns:
        ``{"verification/fold_tar@far=1e-3": {"value", "low", "high", "n", "far", "standard_deviation", "folds"}}``:
        ``far`` is the mean FAR of the folds, the deviation has K below the root, and the interval is cut to [0, 1].
    """
    folds = len(rates.tar)
    value, spread = float(rates.tar.mean()), float(rates.tar.std())
    low, high = plain_interval(value, spread / math.sqrt(folds - 1), folds - 1)
    return {
        extra.key: {
            "value": value,
            "low": max(0.0, low),
            "high": min(1.0, high),
            "n": rates.pairs,
            "far": float(rates.far.mean()),
            "standard_deviation": spread,
            "folds": folds,
        }
    }
