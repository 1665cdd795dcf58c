"""The verification curve: how many genuine and impostor pairs reach each distinct genuine score.

The true accept rate changes only at genuine scores, so these points hold all that AUC, EER and TAR@FAR need, and the
impostor scores, which are many, are counted and never kept.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

_ARRAYS = ("threshold", "genuine_from", "genuine_above", "impostors_from", "impostors_above")


def kind_weights(genuine: int, impostors: int, mix: tuple[int, int] | None) -> tuple[int, int] | tuple[float, float]:
    """What a genuine and what an impostor pair counts, so that so many of each are in the proportion `mix`.

    They are whole numbers, so that equal sums compare as equal, where such are small enough; (1, 1) without a mix.
    """
    if mix is None or mix[0] * impostors == mix[1] * genuine:
        return 1, 1
    exact = mix[0] * impostors, mix[1] * genuine
    common = math.gcd(*exact)
    exact = exact[0] // common, exact[1] // common
    if exact[0] * genuine + exact[1] * impostors < 2**62:
        return exact
    return mix[0] / genuine, mix[1] / impostors


@dataclass(frozen=True)
class Curve:
    """Counts of pairs at and above each threshold; the thresholds are scores of genuine pairs, or were asked for."""

    threshold: np.ndarray = field(repr=False)
    """(L,) float32 ascending, distinct."""
    genuine_from: np.ndarray = field(repr=False)
    """(L,) int64: genuine pairs that score at least the threshold."""
    genuine_above: np.ndarray = field(repr=False)
    """(L,) int64: genuine pairs that score more."""
    impostors_from: np.ndarray = field(repr=False)
    """(L,) int64: impostor pairs that score at least the threshold."""
    impostors_above: np.ndarray = field(repr=False)
    """(L,) int64: impostor pairs that score more."""
    genuine: int
    impostors: int
    wins: float
    """Pairs of a genuine and an impostor pair in which the genuine one scores higher; a tie counts half."""

    @property
    def pairs(self) -> int:
        """How many pairs there are."""
        return self.genuine + self.impostors

    @property
    def auc(self) -> float:
        """P(genuine > impostor) + P(tie) / 2: the area under the ROC curve, exactly."""
        return self.wins / self.genuine / self.impostors

    def equal_error(self) -> tuple[float, float]:
        """(EER, threshold): where false accepts equal false rejects, on the line between the two nearest points."""
        frr = 1 - np.stack([self.genuine_from, self.genuine_above], 1).ravel() / self.genuine
        far = np.stack([self.impostors_from, self.impostors_above], 1).ravel() / self.impostors
        far, frr = np.concatenate([[1.0], far, [0.0]]), np.concatenate([[0.0], frr, [1.0]])
        cross = int(np.argmax(frr >= far))
        before, after = far[cross - 1] - frr[cross - 1], frr[cross] - far[cross]
        share = before / (before + after) if before + after else 0.0
        level = self.threshold[min(max((cross - 1) // 2, 0), len(self.threshold) - 1)]
        return float(far[cross - 1] + share * (far[cross] - far[cross - 1])), float(level)

    def accept_at(self, far: float) -> tuple[float, float, float]:
        """(TAR, FAR reached, threshold): the largest true accept rate whose false accept rate does not exceed `far`."""
        at = self._place_at(far)
        if at is None:
            return 0.0, 0.0, float("inf")
        return (
            float(self.genuine_from[at] / self.genuine),
            float(self.impostors_from[at] / self.impostors),
            float(self.threshold[at]),
        )

    def _place_at(self, far: float) -> int | None:
        """The strictest threshold among those that accept most genuine pairs at a false accept rate up to `far`.

        Several accept as many only where thresholds were asked for that are no scores of genuine pairs.
        """
        allowed = np.flatnonzero(self.impostors_from / self.impostors <= far)
        if not len(allowed):
            return None
        return int(np.flatnonzero(self.genuine_from == self.genuine_from[allowed[0]])[-1])

    def best_accuracy(self, mix: tuple[int, int] | None = None) -> tuple[float, float]:
        """(accuracy, threshold): the largest share of pairs that one threshold (accept at or above) calls rightly.

        Args:
            mix: genuine and impostor pairs of the list that the threshold is for, where these stand for it but are
                mixed otherwise: the accuracy is that of pairs in this proportion.
        """
        genuine, impostors = kind_weights(self.genuine, self.impostors, mix)
        right = self.genuine_from * genuine + (self.impostors - self.impostors_from) * impostors
        total, rejecting = self.genuine * genuine + self.impostors * impostors, self.impostors * impostors
        best = int(np.argmax(right))
        if right[best] < rejecting:  # nothing beats rejecting every pair
            return rejecting / total, float("inf")
        return float(right[best] / total), float(self.threshold[best])

    def accuracy_at(self, threshold: float) -> float:
        """Accuracy of accepting at or above one of the curve's own thresholds, or infinity.

        Raises:
            KeyError: the curve has no such threshold.
        """
        genuine, impostors = self._accepted_at(threshold)
        return float((genuine + self.impostors - impostors) / self.pairs)

    def best_balanced_accuracy(self) -> tuple[float, float]:
        """(balanced accuracy, threshold): the largest mean of TAR and 1 - FAR at one threshold (accept at or above).

        It is the accuracy where genuine and impostor pairs are equally likely. Of several thresholds it is the highest,
        and always a score: the lowest genuine one accepts every genuine pair, and so has at least the 0.5 of calling
        all pairs alike.
        """
        lead = self._lead()
        best = len(lead) - 1 - int(np.argmax(lead[::-1]))
        return self._balanced(self.genuine_from[best], self.impostors_from[best]), float(self.threshold[best])

    def balanced_accuracy_at(self, threshold: float) -> float:
        """Balanced accuracy of accepting at or above one of the curve's own thresholds, or infinity.

        Raises:
            KeyError: the curve has no such threshold.
        """
        return self._balanced(*self._accepted_at(threshold))

    def errors_at(self, threshold: float) -> tuple[float, float]:
        """(FNMR, FMR) of accepting at or above one of the curve's own thresholds, or infinity.

        Raises:
            KeyError: the curve has no such threshold.
        """
        genuine, impostors = self._accepted_at(threshold)
        return float(1 - genuine / self.genuine), float(impostors / self.impostors)

    def _balanced(self, genuine: int, impostors: int) -> float:
        return float((genuine / self.genuine + (self.impostors - impostors) / self.impostors) / 2)

    def _lead(self) -> np.ndarray:
        """(L,): TAR - FAR at each threshold, times one number, so that equal ones compare as equal."""
        if self.genuine * self.impostors < 2**62:
            return self.genuine_from * self.impostors - self.impostors_from * self.genuine
        return self.genuine_from / self.genuine - self.impostors_from / self.impostors

    def _accepted_at(self, threshold: float) -> tuple[int, int]:
        """Genuine and impostor pairs at or above one of the curve's own thresholds, or infinity, which rejects all."""
        if threshold == float("inf"):
            return 0, 0
        at = int(np.searchsorted(self.threshold, np.float32(threshold)))
        if at == len(self.threshold) or self.threshold[at] != np.float32(threshold):
            raise KeyError(threshold)
        return int(self.genuine_from[at]), int(self.impostors_from[at])

    def points(self, most: int = 2000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(FAR, TAR, threshold) from strict to lenient, for drawing: at most about `most` points, fine at both ends."""
        kept = _spread(self.impostors_from, self.genuine_from, most)[::-1]
        far, tar = self.impostors_from[kept] / self.impostors, self.genuine_from[kept] / self.genuine
        return far, tar, self.threshold[kept].astype(np.float64)

    def thinned(self, far: Sequence[float], thresholds: Sequence[float] = (), most: int = 4096) -> Curve:
        """Fewer points, among them all that EER, TAR at `far`, both best accuracies and those at `thresholds` need."""
        keep = [_spread(self.impostors_from, self.genuine_from, most)]
        share = self.impostors_from / self.impostors
        for rate in far:
            at = self._place_at(rate)
            keep.append(np.array([] if at is None else [at], dtype=np.int64))
        cross = int(np.argmax(1 - self.genuine_from / self.genuine >= share))
        keep.append(np.arange(cross - 1, cross + 2))
        keep.append(np.array([np.argmax(self.genuine_from - self.impostors_from)]))
        keep.append(np.array([len(self.threshold) - 1 - np.argmax(self._lead()[::-1])]))
        keep.append(np.flatnonzero(np.isin(self.threshold, np.asarray(thresholds, dtype=np.float32))))
        kept = np.unique(np.concatenate(keep))
        kept = kept[(kept >= 0) & (kept < len(self.threshold))]
        return replace(self, **{name: getattr(self, name)[kept] for name in _ARRAYS})


def curve_from_counts(
    levels: np.ndarray, at: np.ndarray, slots: np.ndarray, genuine: int, impostors: int, genuine_from: int
) -> Curve:
    """A curve, or a piece of one, from counts at and between thresholds.

    Args:
        levels: (L,) float32 ascending, distinct.
        at: (L,) genuine pairs at each.
        slots: (2L + 1,) impostor pairs: slot 2p lies below level p and above level p - 1, slot 2p + 1 ties with p.
        genuine: genuine pairs in all.
        impostors: impostor pairs in all.
        genuine_from: genuine pairs at or above the first level.
    """
    reached = np.cumsum(slots)
    below, up_to = reached[0:-1:2], reached[1::2]
    start = genuine_from - (np.cumsum(at) - at)
    wins = float((at.astype(np.float64) * (below + up_to)).sum() / 2)
    return Curve(levels, start, start - at, impostors - below, impostors - up_to, genuine, impostors, wins)


def joined(pieces: Sequence[Curve]) -> Curve:
    """One curve from pieces in ascending order of their thresholds."""
    if len(pieces) == 1:
        return pieces[0]
    arrays: dict[str, Any] = {n: np.concatenate([getattr(piece, n) for piece in pieces]) for n in _ARRAYS}
    return replace(pieces[0], wins=sum(piece.wins for piece in pieces), **arrays)


def _spread(impostors: np.ndarray, genuine: np.ndarray, most: int) -> np.ndarray:
    """Places spread evenly over genuine pairs and, by logarithm, over impostor pairs, with both ends."""
    count = len(genuine)
    if count <= most:
        return np.arange(count)
    by_genuine = np.linspace(0, count - 1, most // 2).astype(np.int64)
    targets = np.geomspace(1, max(int(impostors[0]), 2), most // 2)
    by_impostors = count - np.searchsorted(impostors[::-1], targets, side="right")
    return np.unique(np.concatenate([by_genuine, by_impostors.clip(0, count - 1)]))
