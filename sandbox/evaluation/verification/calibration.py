"""Calibration: scores into log likelihood ratios, and what they cost.

A log likelihood ratio (LLR), here in nats, says how many times more likely a score is for a genuine pair than for an
impostor pair; it is good at any prior. Cllr is its cost in bits, averaged over all priors (Brümmer and du Preez,
"Application-independent evaluation of speaker detection", 2006): 0 is perfect, 1 is what a system earns that always
answers 0, more than 1 misleads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import check_finite, check_scores

Method = Literal["logistic", "isotonic"]

# Inverse strength of the ridge on the slope: where no score of one kind overlaps the other, the best slope is infinite.
_RIDGE = 1e6


def cllr(llr: np.ndarray, same: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The cost of log likelihood ratios, in bits (Brümmer and du Preez, 2006).

    Cllr = 1/2 (mean over genuine pairs of log2(1 + e^-llr) + mean over impostor pairs of log2(1 + e^llr)).

    Args:
        llr: (M,) in nats; infinite ones are allowed, and cost nothing or everything.
        same: (M,) bool, whether a pair is genuine.
        weights: (M,) 0 or more, how many pairs each entry stands for; one each where not given.

    Raises:
        SandboxError: shapes that do not fit, a ratio that is NaN, weights that are negative or not finite, or no
            genuine or no impostor pair.
    """
    if np.isnan(llr).any():
        raise SandboxError(f"{int(np.isnan(llr).sum())} of {len(llr)} log likelihood ratios are NaN")
    llr, same, weights = _counted(llr, same, weights)
    cost = np.logaddexp(0, np.where(same, -llr, llr))
    sides = [np.average(cost[side], weights=weights[side]) for side in (same, ~same)]
    return float(sum(sides) / (2 * np.log(2)))


def min_cllr(scores: np.ndarray, same: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The least Cllr that any non-decreasing calibration reaches on these very scores: the loss of discrimination.

    Found by pooling adjacent violators (PAV) on the same data, without pseudo counts.

    Args:
        scores: (M,) higher is more alike.
        same: (M,) bool, whether a pair is genuine.
        weights: (M,) how many pairs each entry stands for.

    Raises:
        SandboxError: as `Calibration.fit`.
    """
    scores, same = check_scores(scores, same, np.float64)
    scores, same, weights = _counted(scores, same, weights)
    levels, llr = _pav(scores, same, weights, pseudo=0.0)
    return cllr(llr[np.searchsorted(levels, scores)], same, weights)


@dataclass(frozen=True)
class Calibration:
    """A non-decreasing map from scores to log likelihood ratios in nats, of plain numbers."""

    method: Method
    slope: float = 0.0
    """Of "logistic": llr = slope * score + offset; never negative."""
    offset: float = 0.0
    """Of "logistic"."""
    levels: np.ndarray = field(default_factory=lambda: np.empty(0))
    """Of "isotonic": (K,) float64 ascending scores, straight lines between them, level beyond the ends."""
    llr: np.ndarray = field(default_factory=lambda: np.empty(0))
    """Of "isotonic": (K,) float64 log likelihood ratio at each level."""

    @classmethod
    def fit(
        cls, scores: np.ndarray, same: np.ndarray, *, method: Method = "logistic", weights: np.ndarray | None = None
    ) -> Calibration:
        """Learn the map from pairs that are not those it will be judged on.

        "logistic" minimises Cllr over straight lines: logistic regression in which genuine and impostor pairs weigh
        the same in total. Scores that rise where pairs are impostors get slope 0, the best that is not decreasing. A
        ridge of 5e-7 times the squared slope (for scores of unit deviation) keeps it finite where the two kinds do not
        overlap. "isotonic" is PAV, which may take any non-decreasing shape and wants many pairs; one genuine and one
        impostor pseudo count below all scores and above all scores (Brümmer's rule, after Laplace) keep it finite,
        so that no ratio goes beyond what the number of pairs can show.

        Args:
            scores: (M,) higher is more alike.
            same: (M,) bool, whether a pair is genuine.
            method: "logistic" or "isotonic".
            weights: (M,) 0 or more, how many pairs each entry stands for: a histogram is its values twice, once
                as genuine with the genuine counts and once as impostors with theirs.

        Raises:
            SandboxError: an unknown method, shapes that do not fit, scores that are not finite, weights that are
                negative or not finite, or no genuine or no impostor pair.
        """
        if method not in ("logistic", "isotonic"):
            raise SandboxError(f"a calibration is 'logistic' or 'isotonic', not '{method}'")
        scores, same = check_scores(scores, same, np.float64)
        scores, same, weights = _counted(scores, same, weights)
        if method == "logistic":
            slope, offset = _logistic(scores, same, weights)
            return cls(method, slope=slope, offset=offset)
        levels, llr = _pav(scores, same, weights, pseudo=1.0)
        bend = np.ones(len(llr), bool)  # the inner points of a level stretch say nothing
        bend[1:-1] = (llr[1:-1] != llr[:-2]) | (llr[1:-1] != llr[2:])
        return cls(method, levels=levels[bend], llr=llr[bend])

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Log likelihood ratios (M,) float64 in nats; a higher score never gets a lower one.

        Raises:
            SandboxError: scores that are not finite.
        """
        scores = check_finite(scores, np.float64)
        if self.method == "logistic":
            return self.slope * scores + self.offset
        after = np.searchsorted(self.levels, scores, side="right")
        low, high = self.llr[np.maximum(after - 1, 0)], self.llr[np.minimum(after, len(self.llr) - 1)]
        # Rounding may carry a straight line past its end by a hair, where the next one begins.
        return np.clip(np.interp(scores, self.levels, self.llr), low, high)


def _logistic(scores: np.ndarray, same: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression

    share = np.where(same, weights / weights[same].sum(), weights / weights[~same].sum()) / 2
    if scores.min() == scores.max():
        return 0.0, 0.0
    middle = share @ scores
    spread = np.sqrt(share @ np.square(scores - middle))
    model = LogisticRegression(C=_RIDGE, solver="newton-cholesky", tol=1e-10, max_iter=1000)
    model.fit(((scores - middle) / spread)[:, None], same, sample_weight=share)
    slope = float(model.coef_[0, 0]) / spread
    if slope <= 0:  # the cost is convex, so the best slope that is not negative is 0, and says nothing
        return 0.0, 0.0
    return float(slope), float(model.intercept_[0] - slope * middle)


def _pav(scores: np.ndarray, same: np.ndarray, weights: np.ndarray, *, pseudo: float) -> tuple[np.ndarray, np.ndarray]:
    """Distinct scores, ascending, and their log likelihood ratios by PAV.

    PAV fits the share of genuine pairs; dividing its odds by those of all pairs leaves the likelihood ratio. `pseudo`
    pairs of each kind are added below and above all scores.
    """
    from sklearn.isotonic import isotonic_regression

    levels, place = np.unique(scores, return_inverse=True)
    genuine = np.bincount(place, weights=weights * same)
    total = np.bincount(place, weights=weights)
    ends = np.full(1 if pseudo else 0, 2 * pseudo)
    total_padded = np.concatenate([ends, total, ends])
    genuine_padded = np.concatenate([ends / 2, genuine, ends / 2])
    share = isotonic_regression(genuine_padded / total_padded, sample_weight=total_padded, y_min=0, y_max=1)
    share = share[len(ends) : len(ends) + len(levels)]
    prior = weights[same].sum() / weights.sum()
    with np.errstate(divide="ignore"):
        llr = np.log(share) - np.log1p(-share) - (np.log(prior) - np.log1p(-prior))
    return levels, llr


def _counted(
    values: np.ndarray, same: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values as float64, kinds as bool and weights as float64, without the entries that stand for no pair."""
    weights = np.ones(same.shape) if weights is None else weights.astype(np.float64)
    if values.ndim != 1 or values.shape != same.shape or values.shape != weights.shape:
        raise SandboxError(
            f"scores {values.shape}, same {same.shape} and weights {weights.shape} do not fit: all are (M,)"
        )
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise SandboxError("weights count pairs: each must be finite and 0 or more")
    held = weights > 0
    values, same, weights = values[held].astype(np.float64), same[held].astype(bool), weights[held]
    if same.all() or not same.any():
        which = "impostor" if same.any() else "genuine"
        raise SandboxError(f"calibration needs both kinds of pair; there is no {which} pair among {len(same)}")
    return values, same, weights
