"""Two ways of training compared on shared seeds: mean difference, t-interval, paired t-test, Holm over a table.

A seed fixes initial weights, batches and augmentation, so that two ways which share it share much of their luck; it
drops out of their difference. The t-interval is the one that holds its level at three to ten seeds, where a percentile
bootstrap is far too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special  # and not stats, whose import takes longer than that of NumPy and all else here

from sandbox.errors import SandboxError
from sandbox.evaluation.intervals.bootstrap import LEVEL

_ROUNDING = 1e-12
_LARGEST = 1e150  # its square is a number still


@dataclass(frozen=True)
class Paired:
    """How far one way, A, is from another, B, over n seeds that both were trained with."""

    n: int
    """Seeds."""
    difference: float
    """Mean of A - B, in the unit of the values."""
    half: float
    """Half of the 95 % t-interval of the difference, with n - 1 degrees of freedom; NaN where there is none: for one
    seed, and where all seeds differ by the same, so that nothing tells how far another seed would stray."""
    p: float
    """Two-sided p of the paired t-test; NaN where there is none, as for `half`, but 1 where A and B agree in every one
    of several seeds."""
    better: float
    """Share of seeds in which A is better, 0 to 1."""
    probability: float
    """P(A > B): the same with ties counted half; 0.5 where neither is better."""

    @property
    def low(self) -> float:
        """Lower end of the interval of the difference; NaN where there is none."""
        return self.difference - self.half

    @property
    def high(self) -> float:
        """Upper end of the same."""
        return self.difference + self.half


def paired(a: Sequence[float] | np.ndarray, b: Sequence[float] | np.ndarray, *, lower: bool = False) -> Paired:
    """Compare two ways seed by seed.

    Differences below 1e-12 of the largest value are rounding, and count as none.

    Args:
        a: (n,) a figure of the first way, one for each seed.
        b: (n,) the figure of the second with the same seeds in the same order.
        lower: whether less is better, as for an equal error rate.

    Raises:
        SandboxError: no values, as many of one as not of the other, or a value that is not finite.
    """
    one, other = (np.asarray(values, dtype=np.float64) for values in (a, b))
    if one.ndim != 1 or one.shape != other.shape or not len(one):
        raise SandboxError(
            f"values of shapes {one.shape} and {other.shape} are given to be paired; both hold one for each seed, and "
            "at least one"
        )
    largest = float(np.abs(np.concatenate([one, other])).max())
    if not largest <= _LARGEST:
        raise SandboxError(f"values to be paired are finite, and at most {_LARGEST:g}; here is one of {largest:g}")
    differences = one - other
    differences[np.abs(differences) <= _ROUNDING * largest] = 0.0
    mean, half = t_interval(differences.tolist())
    if np.ptp(differences) <= _ROUNDING * largest:
        half = math.nan
    gains = -differences if lower else differences
    better, ties = float((gains > 0).mean()), float((gains == 0).mean())
    return Paired(len(one), mean, half, _p(differences, mean, half), better, better + ties / 2)


def t_interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half of Student's 95 % t-interval; half is NaN for one value, and both are for none."""
    n = len(values)
    if n == 0:
        return math.nan, math.nan
    mean = sum(values) / n
    if n == 1:
        return mean, math.nan
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
    return mean, _reach(n) * spread / math.sqrt(n)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p of each test of a family, adjusted for how many there are, in the order given.

    Those at most 0.05 may all be called differences, with a chance of 5 % at most that any of them is none (Holm, "A
    simple sequentially rejective multiple test procedure", 1979).

    Args:
        p_values: 0 to 1, or NaN where a test could not be made: it stays NaN, and counts as a test of the family.

    Raises:
        SandboxError: a value outside 0 to 1.
    """
    for value in p_values:
        if not (math.isnan(value) or 0 <= value <= 1):
            raise SandboxError(f"{value:g} is given as a p-value, which lies between 0 and 1")
    order = sorted(range(len(p_values)), key=lambda place: (math.isnan(p_values[place]), p_values[place]))
    adjusted, reached = [math.nan] * len(p_values), 0.0
    for done, place in enumerate(order):
        if math.isnan(p_values[place]):
            break
        reached = max(reached, min(1.0, (len(order) - done) * p_values[place]))
        adjusted[place] = reached
    return adjusted


def _p(differences: np.ndarray, mean: float, half: float) -> float:
    n = len(differences)
    if math.isnan(half):
        return 1.0 if n > 1 and not differences.any() else math.nan
    error = half / _reach(n)
    return min(1.0, 2 * float(special.stdtr(n - 1, -abs(mean) / error)))


def _reach(n: int) -> float:
    """Standard errors from the middle of a 95 % t-interval of n values to its end."""
    return float(special.stdtrit(n - 1, (1 + LEVEL) / 2))
