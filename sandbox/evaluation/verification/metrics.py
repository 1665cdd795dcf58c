"""Verification: do genuine pairs score above impostor pairs, over given scores, given pairs, or every pair of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numba import njit

from sandbox.errors import SandboxError
from sandbox.evaluation.blocks import over_blocks
from sandbox.evaluation.figures import Figures, few_identities, spell_rate
from sandbox.evaluation.intervals.bootstrap import logit_interval, plain_interval
from sandbox.evaluation.intervals.influence import Deviation, Influence, Moments, PairSpread, Spread
from sandbox.evaluation.similarity import Similarity, as_products, check_embeddings
from sandbox.evaluation.verification import partial as partial_area
from sandbox.evaluation.verification.all_pairs import count_all_pairs
from sandbox.evaluation.verification.counting import make_grid
from sandbox.evaluation.verification.roc import Curve, curve_from_counts
from sandbox.recipe.extra import Extra


@dataclass(frozen=True)
class Verification:
    """Verification over pairs: their ROC curve, and what its intervals are made of."""

    curve: Curve
    spread: Spread = field(repr=False)
    moments: Moments
    scores: np.ndarray | None = field(default=None, repr=False)
    """(M,) float32 where pairs or scores were given; None over all pairs, which are not kept."""

    def figures(
        self,
        far: Sequence[float],
        *,
        threshold: float | None = None,
        balanced_threshold: float | None = None,
        mix: tuple[int, int] | None = None,
        extra: Sequence[Extra] = (),
        intervals: bool = True,
    ) -> Figures:
        """AUC (ties count half), EER, TAR@FAR, accuracy and d', each with its 95 % interval by identity.

        Balanced accuracy is (TAR + 1 - FAR) / 2, the accuracy where a genuine pair is as likely as an impostor pair
        (``prior`` 0.5). Plain accuracy is reported of given pairs alone, where it is what a protocol asks for: over all
        pairs it is hardly more than the share of impostors.

        Args:
            far: false accept rates at which the true accept rate is wanted: the largest whose false accept rate does
                not exceed it, with the rate ``far`` that was reached; ``supported`` is False below 30 / FAR impostors.
            threshold: one chosen elsewhere (on validation) for accuracy, which is wanted at it too.
            balanced_threshold: one chosen elsewhere for balanced accuracy, which is wanted at it too.
            mix: genuine and impostor pairs of the list that these choose a threshold for. Where it is another
                proportion than theirs, the entry of accuracy has ``test_threshold`` and ``test_share`` besides: the
                threshold that is best where that share of pairs is genuine.
            extra: further figures, of which partial AUC is read here.
            intervals: leave them out to save time between validations.
        """
        curve, influence = self.curve, Influence(self.spread)
        entry = partial(self._entry, intervals=intervals)
        eer, at = curve.equal_error()
        figures: Figures = {
            "verification/auc": entry(curve.auc, influence.auc),
            "verification/eer": entry(eer, partial(influence.eer, at, eer), threshold=at),
        }
        for rate in far:
            value, reached, at = curve.accept_at(rate)
            figures[f"verification/tar@far={spell_rate(rate)}"] = entry(
                value,
                partial(influence.tar, at, rate),
                far=reached,
                supported=curve.impostors * rate >= 30,
            )
        for one in (one for one in extra if one.name == "pauc"):
            error = partial(partial_area.deviation, influence, one.at)
            figures[one.key] = entry(partial_area.partial_auc(curve, one.at), error, far=one.at)
        figures |= self._accuracies(threshold, balanced_threshold, mix, intervals)
        separation = self.moments.d_prime
        if np.isfinite(separation):
            figures["verification/d_prime"] = {"value": separation, "n": curve.pairs}
            if intervals:
                deviation = influence.d_prime(self.moments)
                low, high = plain_interval(separation, deviation.error, deviation.degrees)
                figures["verification/d_prime"] = {
                    "value": separation,
                    "low": low,
                    "high": high,
                    "n": curve.pairs,
                    **few_identities(self.people(deviation)),
                }
        return figures

    def _accuracies(
        self,
        threshold: float | None,
        balanced_threshold: float | None,
        mix: tuple[int, int] | None,
        intervals: bool,
    ) -> Figures:
        """Balanced accuracy, and of given pairs accuracy: at the best threshold, and at those chosen elsewhere."""
        curve, influence = self.curve, Influence(self.spread)
        entry = partial(self._entry, intervals=intervals)
        figures: Figures = {}
        if self.scores is not None:
            accuracy, at = curve.best_accuracy()
            best: dict[str, Any] = {"threshold": at} if np.isfinite(at) else {}
            if mix is not None and mix[0] * curve.impostors != mix[1] * curve.genuine:
                elsewhere = curve.best_accuracy(mix)[1]
                more = {"test_threshold": elsewhere} if np.isfinite(elsewhere) else {}
                best |= {"test_share": mix[0] / sum(mix), **more}
            figures["verification/accuracy"] = entry(accuracy, partial(influence.accuracy, at), **best)
            if threshold is not None:
                value = curve.accuracy_at(threshold)
                figures["verification/accuracy@validation"] = entry(
                    value, partial(influence.accuracy, threshold), threshold=float(np.float32(threshold))
                )
        balanced, at = curve.best_balanced_accuracy()
        figures["verification/balanced_accuracy"] = entry(
            balanced, partial(influence.balanced_accuracy, at), threshold=at, prior=0.5
        )
        if balanced_threshold is not None:
            value = curve.balanced_accuracy_at(balanced_threshold)
            figures["verification/balanced_accuracy@validation"] = entry(
                value,
                partial(influence.balanced_accuracy, balanced_threshold),
                threshold=float(np.float32(balanced_threshold)),
                prior=0.5,
            )
        return figures

    def _entry(
        self, value: float, error: Callable[[], Deviation], *, intervals: bool, **more: float | bool
    ) -> dict[str, float | int]:
        """An entry of a report; the error is asked for only where an interval is wanted."""
        if not intervals:
            return {"value": value, "n": self.curve.pairs, **more}
        found = error()
        low, high = logit_interval(value, found.error, found.degrees, found.identities)
        marked = few_identities(self.people(found))
        return {"value": value, "low": low, "high": high, "n": self.curve.pairs, **more, **marked}

    def people(self, found: Deviation) -> int | None:
        """Identities behind a figure; None where pairs name none."""
        return None if isinstance(self.spread, PairSpread) and self.spread.by_pair else found.identities


def verify_all_pairs(
    x: np.ndarray,
    y: np.ndarray,
    *,
    far: Sequence[float] = (),
    thresholds: Sequence[float] = (),
    metric: Similarity = "cosine",
) -> Verification:
    """Verification over every pair of rows, exactly, without keeping the pairs.

    Args:
        x: (N, D) embeddings of any floating type.
        y: (N,) integer labels; a pair is genuine where they agree.
        far: false accept rates that `Verification.figures` will be asked for.
        thresholds: scores that it will be asked for.
        metric: what the score is; see `as_products`.

    Raises:
        SandboxError: embeddings that are not finite, or no genuine or no impostor pair.
    """
    check_embeddings(x, y)
    left, right = as_products(x, metric)
    finite = [one for one in thresholds if np.isfinite(one)]
    counted = count_all_pairs(left, right, y.astype(np.int64), far=far, thresholds=finite)
    return Verification(counted.curve, counted.spread, counted.moments)


def verify_scores(
    scores: np.ndarray,
    same: np.ndarray,
    *,
    identities: tuple[np.ndarray, np.ndarray] | None = None,
    thresholds: Sequence[float] = (),
) -> Verification:
    """Verification over given scores, wherever they came from.

    Args:
        scores: (M,) higher is more alike; compared as float32.
        same: (M,) bool, whether a pair is genuine.
        identities: (left (M,), right (M,)) whose images the pairs show, for intervals; without it pairs count as
            independent, which is too narrow where people occur in several.
        thresholds: scores that `Verification.figures` will be asked for.

    Raises:
        SandboxError: scores that are not finite or beyond float32, or no genuine or no impostor pair.
    """
    if scores.shape != same.shape or scores.ndim != 1:
        raise SandboxError(f"scores {scores.shape} and same {same.shape} do not fit: both are (M,)")
    with np.errstate(over="ignore"):
        exact, same = scores.astype(np.float32), same.astype(bool)
    bad = ~np.isfinite(exact)
    if bad.any():
        raise SandboxError(f"{int(bad.sum())} of {len(scores)} scores are not finite, first number {bad.argmax()}")
    genuine, impostors = exact[same], exact[~same]
    if not len(genuine) or not len(impostors):
        which = "genuine" if not len(genuine) else "impostor"
        raise SandboxError(f"verification needs both kinds of pair; there is no {which} pair among {len(scores)}")
    levels, at = np.unique(genuine, return_counts=True)
    asked = np.setdiff1d(np.array([one for one in thresholds if np.isfinite(one)], dtype=np.float32), levels)
    places = np.searchsorted(levels, asked)
    levels, at = np.insert(levels, places, asked), np.insert(at, places, 0)
    sorted_impostors = np.sort(impostors)
    below, up_to = (np.searchsorted(sorted_impostors, levels, side=side) for side in ("left", "right"))
    slots = np.diff(np.stack([below, up_to], 1).ravel(), prepend=0, append=len(impostors))
    grid = make_grid(levels, genuine, impostors)
    left, right = identities if identities is not None else (np.arange(len(same)),) * 2
    left, right = _numbered(left, right)
    wide, wide_impostors = genuine.astype(np.float64), impostors.astype(np.float64)
    return Verification(
        curve_from_counts(levels, at, slots, len(genuine), len(impostors), len(genuine)),
        PairSpread(grid.edges, grid.bin_of(exact), same, left, right),
        Moments(float(wide.mean()), float(wide.var()), float(wide_impostors.mean()), float(wide_impostors.var())),
        exact,
    )


def verify_pairs(
    x: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    same: np.ndarray,
    *,
    y: np.ndarray | None = None,
    thresholds: Sequence[float] = (),
    metric: Similarity = "cosine",
) -> Verification:
    """Verification over given pairs of rows.

    Args:
        x: (N, D) embeddings of any floating type.
        left: (M,) integer rows.
        right: (M,) integer rows.
        same: (M,) bool, whether a pair is genuine.
        y: (N,) identities of the rows, for the intervals.
        thresholds: see `verify_scores`.
        metric: what the score is; see `as_products`.

    Raises:
        SandboxError: as `verify_scores`; rows that are not there, or rows of a pair that are not finite.
    """
    if y is not None and len(y) != len(x):
        raise SandboxError(f"there are {len(x)} embeddings and {len(y)} labels; both must be as many")
    scores = score_pairs(x, left, right, metric=metric)
    identities = None if y is None else (y[left], y[right])
    return verify_scores(scores, np.asarray(same), identities=identities, thresholds=thresholds)


def score_pairs(x: np.ndarray, left: np.ndarray, right: np.ndarray, *, metric: Similarity = "cosine") -> np.ndarray:
    """(M,) float32: how alike the rows of each pair are, summed in float64.

    Raises:
        SandboxError: no pairs, rows that are not there, or embeddings that are not finite.
    """
    check_embeddings(x, np.zeros(len(x), np.int64))
    left, right = np.asarray(left), np.asarray(right)
    if len(left) == 0 or left.shape != right.shape:
        raise SandboxError(f"there are {len(left)} left and {len(right)} right rows to pair; both must be as many")
    lowest, highest = min(left.min(), right.min()), max(left.max(), right.max())
    if lowest < 0 or highest >= len(x):
        wrong = lowest if lowest < 0 else highest
        raise SandboxError(f"a pair names row {wrong}, but the rows are 0 to {len(x) - 1}")
    a, b = as_products(x, metric)
    scores = np.empty(len(left), np.float32)

    def consume(start: int, end: int, worker: int) -> None:
        _dot_rows(a, b, left[start:end], right[start:end], scores[start:end])

    for _ in over_blocks(len(left), 1 << 15, consume):
        pass
    return scores


@njit(nogil=True, cache=True, fastmath={"reassoc", "nsz"})
def _dot_rows(a: np.ndarray, b: np.ndarray, left: np.ndarray, right: np.ndarray, out: np.ndarray) -> None:
    """Inner products of pairs of rows, without gathering the rows first."""
    for pair in range(len(out)):
        total = 0.0
        for d in range(a.shape[1]):
            total += np.float64(a[left[pair], d]) * np.float64(b[right[pair], d])
        out[pair] = total


def _numbered(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The identities of both sides as numbers from 0, none much larger than there are pairs."""
    if left.dtype.kind == right.dtype.kind == "i" and min(left.min(), right.min()) >= 0:
        if max(left.max(), right.max()) <= 2 * len(left):
            return left, right
    _, both = np.unique(np.concatenate([left, right]), return_inverse=True)
    return both[: len(left)], both[len(left) :]
