"""Standard errors of verification figures by identity, from influence functions (the infinitesimal jackknife).

Every pair moves a figure a little; what an identity moves is the sum over its pairs, and the figure's variance is the
sum of the squares of those (Jaeckel 1972; for two-sample AUC it is DeLong's, with identities in place of cases). An
impostor pair belongs to two identities and so is squared twice where it should be once, which is taken back (dyadic
clustering, Aronow, Samii and Assenova 2015). Influence is computed on at most 97 bins of the score, so that no second
look at the pairs is needed: what is approximate is the width of an interval, never the figure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class DenseSpread:
    """All pairs: a count for each identity and bin."""

    edges: np.ndarray
    """(K + 1,) ends of the bins, ascending."""
    by_genuine: np.ndarray = field(repr=False)
    """(identities, K) genuine pairs."""
    by_impostor: np.ndarray = field(repr=False)
    """(identities, K) impostor pairs, each counted for both of its identities."""

    @property
    def genuine(self) -> np.ndarray:
        """(K,) genuine pairs in each bin."""
        return self.by_genuine.sum(0, dtype=np.float64)

    @property
    def impostors(self) -> np.ndarray:
        """(K,) impostor pairs in each bin."""
        return self.by_impostor.sum(0, dtype=np.float64) / 2

    @property
    def identities(self) -> int:
        """How many identities take part in a pair."""
        return int((self.by_genuine.any(1) | self.by_impostor.any(1)).sum())

    def influence(self, genuine: np.ndarray, impostors: np.ndarray) -> np.ndarray:
        """(identities,): the sum over each identity's pairs of the value of their bin."""
        return self.by_genuine @ genuine + self.by_impostor @ impostors


@dataclass(frozen=True)
class PairSpread:
    """Given pairs: the bin of each and its one or two identities."""

    edges: np.ndarray
    """(K + 1,) ends of the bins, ascending."""
    bins: np.ndarray = field(repr=False)
    """(M,) of each pair."""
    same: np.ndarray = field(repr=False)
    """(M,) bool."""
    left: np.ndarray = field(repr=False)
    """(M,) identity number of the left image."""
    right: np.ndarray = field(repr=False)
    """(M,) identity number of the right image; for pairs without identities, of the pair again."""

    @property
    def genuine(self) -> np.ndarray:
        """(K,) genuine pairs in each bin."""
        return np.bincount(self.bins[self.same], minlength=len(self.edges) - 1).astype(np.float64)

    @property
    def impostors(self) -> np.ndarray:
        """(K,) impostor pairs in each bin."""
        return np.bincount(self.bins[~self.same], minlength=len(self.edges) - 1).astype(np.float64)

    @property
    def identities(self) -> int:
        """How many identities take part in a pair."""
        return len(np.union1d(self.left, self.right))

    @property
    def by_pair(self) -> bool:
        """Whether pairs have no identities, so that none is counted for two."""
        return bool((self.left == self.right).all())

    def influence(self, genuine: np.ndarray, impostors: np.ndarray) -> np.ndarray:
        """(identities,): the sum over each identity's pairs of the value of their bin."""
        if self._tables is not None:
            return self._tables[0] @ genuine + self._tables[1] @ impostors
        value = np.where(self.same, genuine[self.bins], impostors[self.bins])
        count = int(max(self.left.max(), self.right.max())) + 1
        apart = self.left != self.right
        both = np.bincount(self.left, weights=value, minlength=count)
        return both + np.bincount(self.right[apart], weights=value[apart], minlength=count)

    @cached_property
    def _tables(self) -> tuple[np.ndarray, np.ndarray] | None:
        """(identities, K) genuine and impostor pairs of each identity, where that is no larger than the pairs are."""
        count, bins = int(max(self.left.max(), self.right.max())) + 1, len(self.edges) - 1
        if count * bins > 4 * len(self.same):
            return None
        apart = self.left != self.right
        tables = []
        for kind in (self.same, ~self.same):
            cells = self.left[kind].astype(np.int64) * bins + self.bins[kind]
            also = self.right[kind & apart].astype(np.int64) * bins + self.bins[kind & apart]
            both = np.bincount(cells, minlength=count * bins) + np.bincount(also, minlength=count * bins)
            tables.append(both.reshape(count, bins).astype(np.float64))
        return tables[0], tables[1]


Spread = DenseSpread | PairSpread
"""Pairs by bin of the score and identity."""


@dataclass(frozen=True)
class Deviation:
    """A standard error and how much data stands behind it."""

    error: float
    degrees: float
    """Of freedom, after Satterthwaite: few where a few identities carry the figure."""
    identities: int


class Influence:
    """What each bin's pairs do to each figure."""

    def __init__(self, spread: Spread):
        self.spread = spread
        self.genuine, self.impostors = spread.genuine, spread.impostors
        self.p, self.n = self.genuine.sum(), self.impostors.sum()

    def auc(self) -> Deviation:
        """Placement values: the share of the other kind that a pair's score beats, or is beaten by."""
        return self._deviation(*self._auc())

    def auc_by_identity(self) -> np.ndarray:
        """(identities,): how far each identity moves the AUC."""
        return self.spread.influence(*self._auc())

    def tar(self, threshold: float, far: float) -> Deviation:
        """TAR where FAR is `far`: the pairs above the threshold, and those that would move the threshold."""
        accepted = self._above(threshold)
        slope = self._slope(far)
        return self._deviation(self._centred(accepted, True), -slope * self._centred(accepted, False))

    def eer(self, threshold: float, rate: float) -> Deviation:
        """FAR and FRR at the threshold where they meet, weighed by the densities there."""
        return self._deviation(*self._eer(threshold, rate))

    def eer_by_identity(self, threshold: float, rate: float) -> np.ndarray:
        """(identities,): how far each identity moves the EER."""
        return self.spread.influence(*self._eer(threshold, rate))

    def accuracy(self, threshold: float) -> Deviation:
        """The share called rightly, of as many pairs of each kind; moving the best threshold changes little in it."""
        accepted = self._above(threshold)
        share = self.p / (self.p + self.n)
        return self._deviation(share * self._centred(accepted, True), (share - 1) * self._centred(accepted, False))

    def balanced_accuracy(self, threshold: float) -> Deviation:
        """The mean of TAR and 1 - FAR at one threshold; moving the best threshold changes little in it."""
        accepted = self._above(threshold)
        return self._deviation(self._centred(accepted, True) / 2, -self._centred(accepted, False) / 2)

    def fnmr(self, threshold: float) -> Deviation:
        """The share of genuine pairs below a threshold that stays where it is."""
        return self._deviation(-self._centred(self._above(threshold), True), np.zeros_like(self.impostors))

    def fmr(self, threshold: float) -> Deviation:
        """The share of impostor pairs at or above a threshold that stays where it is."""
        return self._deviation(np.zeros_like(self.genuine), self._centred(self._above(threshold), False))

    def d_prime(self, moments: Moments) -> Deviation:
        """The delta method on both means and variances."""
        centre = (self.spread.edges[1:] + self.spread.edges[:-1]) / 2
        half = (moments.genuine_var + moments.impostor_var) / 2
        bend = moments.d_prime / (4 * half)
        g = (centre - moments.genuine_mean) / half**0.5 - bend * (
            (centre - moments.genuine_mean) ** 2 - moments.genuine_var
        )
        i = -(centre - moments.impostor_mean) / half**0.5 - bend * (
            (centre - moments.impostor_mean) ** 2 - moments.impostor_var
        )
        return self._deviation(self._centred(g, True), self._centred(i, False))

    def _auc(self) -> tuple[np.ndarray, np.ndarray]:
        """What a genuine and an impostor pair of each bin do to the AUC."""
        beaten = (np.cumsum(self.impostors) - self.impostors / 2) / self.n
        beating = 1 - (np.cumsum(self.genuine) - self.genuine / 2) / self.p
        return self._centred(beaten, True), self._centred(beating, False)

    def _eer(self, threshold: float, rate: float) -> tuple[np.ndarray, np.ndarray]:
        """The same of the EER."""
        accepted = self._above(threshold)
        slope = self._slope(max(rate, 1 / self.n))
        weight = slope / (1 + slope)
        return -(1 - weight) * self._centred(accepted, True), weight * self._centred(accepted, False)

    def _centred(self, value: np.ndarray, genuine: bool) -> np.ndarray:
        weight, total = (self.genuine, self.p) if genuine else (self.impostors, self.n)
        return (value - (value * weight).sum() / total) / total

    def _above(self, threshold: float) -> np.ndarray:
        """(K,): the share of each bin that lies at or above the threshold."""
        low, high = self.spread.edges[:-1], self.spread.edges[1:]
        return np.clip((high - threshold) / np.maximum(high - low, np.finfo(np.float64).tiny), 0, 1)

    def _slope(self, far: float) -> float:
        """DTAR / dFAR as a secant between FAR / 1.65 and 1.65 FAR."""
        reached = np.append(self.impostors[::-1].cumsum()[::-1] / self.n, 0)[::-1]
        accepted = np.append(self.genuine[::-1].cumsum()[::-1] / self.p, 0)[::-1]
        far = max(far, 1 / self.n)  # a rate of 0 has no secant
        ends = np.array([far * 0.607, min(far * 1.65, 1.0)])
        tar = np.interp(ends, reached, accepted)
        return float((tar[1] - tar[0]) / (ends[1] - ends[0]))

    def deviation(self, genuine: np.ndarray, impostors: np.ndarray) -> Deviation:
        """The error of a figure that a genuine and an impostor pair of each bin (K,) move in this measure."""
        return self._deviation(self._centred(genuine, True), self._centred(impostors, False))

    def _deviation(self, genuine: np.ndarray, impostors: np.ndarray) -> Deviation:
        """The error from the influence of a genuine and of an impostor pair of each bin."""
        each = self.spread.influence(genuine, impostors)
        each = each[each != 0]
        count = max(len(each), 1)
        squares = each**2
        alone = (self.genuine * genuine**2).sum(), (self.impostors * impostors**2).sum()
        by_pair = isinstance(self.spread, PairSpread) and self.spread.by_pair
        variance = squares.sum() * count / max(count - 1, 1) - (0 if by_pair else alone[1])
        variance = max(variance, sum(alone))  # no fewer than pairs that were independent would give
        degrees = max(3 * squares.sum() ** 2 / max((squares**2).sum(), 1e-300) - 1, 1.0) if count > 1 else 1.0
        return Deviation(float(variance**0.5), float(min(degrees, count - 1)), self.spread.identities)


@dataclass(frozen=True)
class Moments:
    """Means and variances of genuine and impostor scores."""

    genuine_mean: float
    genuine_var: float
    impostor_mean: float
    impostor_var: float

    @property
    def d_prime(self) -> float:
        """(mean difference) / (root of the mean variance), as in detection theory; not finite without any variance."""
        half = (self.genuine_var + self.impostor_var) / 2
        gap = self.genuine_mean - self.impostor_mean
        return gap / half**0.5 if half > 0 else float("inf") * gap  # NaN where there is no gap either
