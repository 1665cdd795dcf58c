"""Verification by folds: the threshold is chosen on all other folds, and the left-out fold is judged with it.

The protocol of LFW's view 2 (Huang et al., "Labeled Faces in the Wild", 2007): mean accuracy over the folds, each of
the same weight, and its standard error, the deviation over the K folds (K - 1 below the root) over sqrt(K). A pair is
accepted where its score is at least the threshold; scores are compared as float32, as everywhere in verification.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.intervals.bootstrap import plain_interval
from sandbox.evaluation.pairs import check_scores
from sandbox.evaluation.verification.roc import kind_weights


@dataclass(frozen=True)
class Folded:
    """What each of K folds gave; folds stand in the order of their numbers."""

    accuracy: np.ndarray
    """(K,) float64 share of the fold's pairs that are right, with the threshold of all other folds."""
    threshold: np.ndarray
    """(K,) float64, each a float32 value; +inf rejects every pair, -inf accepts every pair."""
    n: np.ndarray
    """(K,) int64 pairs in the fold."""


def best_threshold(scores: np.ndarray, same: np.ndarray, mix: tuple[int, int] | None = None) -> tuple[float, float]:
    """The threshold with the highest accuracy on these pairs, and that accuracy.

    Candidates are +inf (reject all), the middle between each two neighbouring distinct scores, and -inf (accept all).
    Of equally accurate ones the highest is taken, whichever order the pairs stand in.

    Args:
        scores: (M,) higher is more alike; compared as float32.
        same: (M,) bool, whether a pair is genuine.
        mix: genuine and impostor pairs of the list that the threshold is for, see `Curve.best_accuracy`.

    Returns:
        (threshold, accuracy): the threshold is a float32 value, so it cuts the same whether a reader compares in
        float32 or in float64.

    Raises:
        SandboxError: shapes that do not fit, no pairs, or scores that are not finite (the first is named).
    """
    scores, same = check_scores(scores, same)
    order = np.argsort(-scores)
    return _best_cut(scores[order], same[order], mix)


def cross_validate(scores: np.ndarray, same: np.ndarray, fold: np.ndarray) -> Folded:
    """The accuracy of each fold at the threshold that is best on all other folds (`best_threshold` says which).

    Args:
        scores: (M,) higher is more alike; compared as float32.
        same: (M,) bool, whether a pair is genuine.
        fold: (M,) integer fold of each pair; the folds may differ in size.

    Raises:
        SandboxError: shapes that do not fit, scores that are not finite (the first is named), fewer than two folds, or
            a fold whose threshold cannot be chosen, as all others together lack a genuine or an impostor pair.
    """
    scores, same = check_scores(scores, same)
    fold = np.asarray(fold)
    if fold.shape != scores.shape:
        raise SandboxError(f"scores {scores.shape} and fold {fold.shape} do not fit: both are (M,)")
    names, n = np.unique(fold, return_counts=True)
    if len(names) < 2:
        raise SandboxError(f"all {len(fold):,} pairs are in fold {names[0]}; cross-validation needs two folds or more")
    order = np.argsort(-scores)  # once: a part of what is sorted is sorted
    scores, same, fold = scores[order], same[order], fold[order]
    accuracy, threshold = np.empty(len(names)), np.empty(len(names))
    for place, name in enumerate(names):
        others = fold != name
        if same[others].all() or not same[others].any():
            kind = "impostor" if same[others].any() else "genuine"
            raise SandboxError(
                f"the folds other than {name} hold no {kind} pair among {int(others.sum()):,}, "
                "so no threshold can be chosen for it: both kinds are needed"
            )
        threshold[place] = _best_cut(scores[others], same[others])[0]
        accuracy[place] = ((scores[~others] >= threshold[place]) == same[~others]).mean()
    return Folded(accuracy, threshold, n.astype(np.int64))


def even_folds(same: np.ndarray, folds: int) -> np.ndarray:
    """Folds for pairs that have none: the genuine pairs are cut into runs of equal length, and so are the impostors.

    Runs of one kind differ by at most one pair. Nothing is known here of whose images they are, so one identity may
    stand in several folds.

    Args:
        same: (M,) bool, whether a pair is genuine.
        folds: how many, at least two.

    Returns:
        (M,) int64 folds, counted from 1.

    Raises:
        SandboxError: fewer than two folds, a shape that is not (M,), or fewer genuine or impostor pairs than folds.
    """
    same = np.asarray(same)
    if same.ndim != 1:
        raise SandboxError(f"same has shape {same.shape}; (M,) is needed")
    if folds < 2:
        raise SandboxError(f"{folds} is too few folds; cross-validation needs two or more")
    same = same.astype(bool)
    fold = np.empty(len(same), np.int64)
    for kind, rows in (("genuine", np.flatnonzero(same)), ("impostor", np.flatnonzero(~same))):
        if len(rows) < folds:
            raise SandboxError(
                f"{folds} folds need at least {folds} {kind} pairs, one in each; there {_are(len(rows))} "
                f"among {len(same):,} pairs"
            )
        fold[rows] = np.arange(len(rows)) * folds // len(rows) + 1
    return fold


def figures(folded: Folded) -> dict[str, dict[str, Any]]:
    """The entry of a report: mean accuracy over the folds, unweighted, with its 95 % t-interval (K - 1 degrees).

    Returns:
        ``{"verification/accuracy@10-fold": {"value", "low", "high", "n", "standard_error", "thresholds"}}`` with the
        real K in the key, the interval clipped to [0, 1], n pairs in all, and the lowest and the highest threshold;
        one that is not finite is the string ``inf`` or ``-inf``, since a report holds finite numbers only.
    """
    k = len(folded.accuracy)
    value = float(folded.accuracy.mean())
    error = float(folded.accuracy.std(ddof=1)) / math.sqrt(k)
    low, high = plain_interval(value, error, k - 1)
    return {
        f"verification/accuracy@{k}-fold": {
            "value": value,
            "low": max(0.0, low),
            "high": min(1.0, high),
            "n": int(folded.n.sum()),
            "standard_error": error,
            "thresholds": [_spell(float(end)) for end in (folded.threshold.min(), folded.threshold.max())],
        }
    }


def _best_cut(scores: np.ndarray, same: np.ndarray, mix: tuple[int, int] | None = None) -> tuple[float, float]:
    """`best_threshold` of pairs that are sorted, highest score first."""
    impostors = int(np.count_nonzero(~same))
    one_genuine, one_impostor = kind_weights(len(same) - impostors, impostors, mix)
    last = np.append(
        np.flatnonzero(scores[1:] != scores[:-1]), len(scores) - 1
    )  # of each distinct score, its last pair
    gained = np.cumsum(np.where(same, one_genuine, -one_impostor))[last]  # genuine less impostor pairs from there up
    right = np.append(0, gained) + impostors * one_impostor  # rejecting all gets the impostors right
    cut = int(right.argmax())  # the first, which is the highest threshold
    accuracy = float(right[cut] / ((len(same) - impostors) * one_genuine + impostors * one_impostor))
    if cut == 0:
        return math.inf, accuracy
    if cut == len(last):
        return -math.inf, accuracy
    above, below = scores[last[cut - 1]], scores[last[cut]]
    middle = np.float32((np.float64(above) + np.float64(below)) / 2)
    # Between neighbours in float32 there is no middle; rounded down it would let the lower score in.
    return float(middle if middle > below else above), accuracy


def _spell(threshold: float) -> float | str:
    return threshold if math.isfinite(threshold) else str(threshold)


def _are(count: int) -> str:
    return "is 1" if count == 1 else f"are {count:,}"
