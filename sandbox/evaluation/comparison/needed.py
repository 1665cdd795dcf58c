"""How many shared seeds would settle a difference: at which a paired t-test finds it four times in five."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sandbox.evaluation.intervals.bootstrap import LEVEL
from sandbox.evaluation.intervals.paired import Paired

POWER = 0.8
"""How often the test should find a difference that is there."""
MOST = 100_000
"""Seeds beyond which no number is given."""
_FEWEST = 3  # with two, one degree of freedom is left
_PLAIN = 7.0  # standard errors from nothing at which no number of seeds above two misses a difference


@dataclass(frozen=True)
class Needed:
    """Seeds in all, those that there are included, that would settle a difference."""

    seeds: int | None
    """Of the size seen; None where none was seen, or where more than `MOST` would be needed."""
    fewest: int | None
    """Of the size at that end of its interval that is farther from nothing."""
    most: int | None
    """Of the size at the nearer end; None where the interval holds 0, so that no number is certain to do."""


def seeds_needed(effect: float, spread: float) -> int | None:
    """The least number of shared seeds at which the paired t-test at 5 % finds a difference with 80 % power.

    Args:
        effect: mean of the differences, in any unit.
        spread: their standard deviation, in the same unit, above 0.

    Returns:
        3 to `MOST`, or None: the effect is 0, or so small that more are needed.
    """
    from statsmodels.stats.power import TTestPower

    size, test = abs(effect) / spread, TTestPower()

    def enough(n: int) -> bool:
        if size * math.sqrt(n) >= _PLAIN:  # and from 7.6 on SciPy's distribution may be NaN
            return True
        return bool(test.power(size, n, 1 - LEVEL, alternative="two-sided") >= POWER)

    if size == 0 or not enough(MOST):
        return None
    low, high = _FEWEST - 1, _FEWEST  # never enough, and perhaps
    while not enough(high):
        low, high = high, min(2 * high, MOST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def needed(found: Paired) -> Needed:
    """The seeds that would settle a difference of the size seen, and of the sizes at the ends of its interval.

    The spread is taken as it was seen. Where there is no interval no number is known.
    """
    if math.isnan(found.half) or found.half == 0:
        return Needed(None, None, None)
    from scipy import special

    spread = found.half / float(special.stdtrit(found.n - 1, (1 + LEVEL) / 2)) * math.sqrt(found.n)
    near, far = sorted((found.low, found.high), key=abs)
    inside = found.low <= 0 <= found.high
    most = None if inside else seeds_needed(near, spread)
    return Needed(seeds_needed(found.difference, spread), seeds_needed(far, spread), most)
