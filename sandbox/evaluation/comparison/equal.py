"""Whether a difference lies within what a person counts as equal: two one-sided tests (TOST).

Schuirmann, "A comparison of the two one-sided tests procedure and the power approach", 1987. A test at 5 % each way
finds two ways equal just where the 90 % interval of their difference lies within the margin; the 95 % interval, which
is shown beside a difference, is wider and settles the opposite: that they differ by more than the margin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from scipy import special

from sandbox.evaluation.intervals.bootstrap import LEVEL
from sandbox.evaluation.intervals.paired import Paired

Verdict = Literal["within", "outside", "undecided"]


@dataclass(frozen=True)
class Equivalence:
    """What a margin makes of a difference."""

    margin: float
    """Differences up to it, either way, count as equal."""
    verdict: Verdict
    """``within``: equal; ``outside``: apart by more than the margin; or neither is shown."""
    p: float = math.nan
    """Of the two one-sided tests, the larger; NaN where no test can be made."""
    low: float = math.nan
    """Lower end of the 90 % interval of the difference, to which that p belongs."""
    high: float = math.nan
    """Upper end of the same."""


def equivalence(found: Paired, margin: float) -> Equivalence:
    """Two one-sided t-tests over seeds, 5 % each; undecided where all seeds differ by the same.

    Args:
        found: the difference over seeds.
        margin: above 0, in the unit of the difference.
    """
    if math.isnan(found.half) or found.half == 0:
        return Equivalence(margin, "undecided")
    degrees = found.n - 1
    error = found.half / float(special.stdtrit(degrees, (1 + LEVEL) / 2))
    p = float(special.stdtr(degrees, (abs(found.difference) - margin) / error))
    reach = float(special.stdtrit(degrees, LEVEL)) * error
    verdict: Verdict = "undecided"
    if p <= 1 - LEVEL:
        verdict = "within"
    elif found.low > margin or found.high < -margin:
        verdict = "outside"
    return Equivalence(margin, verdict, p, found.difference - reach, found.difference + reach)


def by_interval(low: float, high: float, margin: float) -> Equivalence:
    """What a 95 % interval that is no t-interval says by itself: it is wider than equality would need."""
    verdict: Verdict = "undecided"
    if -margin <= low and high <= margin:
        verdict = "within"
    elif low > margin or high < -margin:
        verdict = "outside"
    return Equivalence(margin, verdict)
