"""Both errors at one threshold that was chosen elsewhere: FNMR and FMR (ISO/IEC 19795-1), with their intervals."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.evaluation.figures import Figures, few_identities
from sandbox.evaluation.intervals.bootstrap import logit_interval
from sandbox.evaluation.intervals.influence import Deviation, Influence
from sandbox.evaluation.verification.metrics import Verification


def error_figures(judged: Verification, threshold: float, *, intervals: bool = True) -> Figures:
    """The false non-match rate, the share of genuine pairs below the threshold, and the false match rate.

    The false match rate is the share of impostor pairs at or above it. Each is counted over its own kind of pair, and
    each interval is by identity.

    Args:
        judged: over pairs, asked for this threshold.
        threshold: one of its curve's.
        intervals: leave them out to save time between validations.
    """
    influence, curve = Influence(judged.spread), judged.curve
    missed, matched = curve.errors_at(threshold)

    def entry(value: float, n: int, error: Callable[[float], Deviation]) -> dict[str, float | int]:
        if not intervals:
            return {"value": value, "n": n, "threshold": threshold}
        found = error(threshold)
        low, high = logit_interval(value, found.error, found.degrees, found.identities)
        marked = few_identities(judged.people(found))
        return {"value": value, "low": low, "high": high, "n": n, "threshold": threshold, **marked}

    return {
        "verification/fnmr": entry(missed, curve.genuine, influence.fnmr),
        "verification/fmr": entry(matched, curve.impostors, influence.fmr),
    }
