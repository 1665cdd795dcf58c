"""Two trained networks on the same images: differences of figures, with intervals by identity.

Identities are drawn anew for both networks together, so that what is hard for both drops out of the difference. It is
the bootstrap of `intervals.bootstrap` on the differences of what queries get, and the influence functions of
`intervals.influence` on the differences of how far an identity moves each figure of pairs. Such an interval says how
far other people, drawn as these were, would have changed the difference. It does not know what other seeds would do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from sandbox.evaluation.intervals.bootstrap import LEVEL, bootstrap_means
from sandbox.evaluation.intervals.influence import Influence
from sandbox.evaluation.verification.metrics import Verification

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Between:
    """A figure of two networks, A and B, and how far they are apart."""

    a: float
    b: float
    difference: float
    """A - B."""
    low: float
    """Lower end of the 95 % interval of the difference; NaN where every identity differs by the same, or is alone."""
    high: float
    """Upper end of the same."""
    identities: int
    """What was drawn anew."""
    episodes: int = 0
    """What was drawn in their place, for figures of episodes."""


def between_queries(a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray], labels: np.ndarray) -> dict[str, Between]:
    """Figures that are means over queries: identities resampled for both networks together, their gallery as it is.

    Args:
        a: key -> (Q,) what each query gets from the first network.
        b: the same of the second, for the same queries in the same order; keys that one lacks are left out.
        labels: (Q,) identity of each query.
    """
    keys = [key for key in a if key in b]
    apart = np.column_stack([a[key] - b[key] for key in keys])
    mean, low, high = bootstrap_means(apart, labels)
    _, place = np.unique(labels, return_inverse=True)
    counts = np.bincount(place)
    found = {}
    for column, key in enumerate(keys):
        own = np.bincount(place, weights=apart[:, column]) / counts
        known = len(counts) > 1 and np.ptp(own) > _ROUNDING
        ends = (float(low[column]), float(high[column])) if known else (math.nan, math.nan)
        found[key] = Between(float(a[key].mean()), float(b[key].mean()), float(mean[column]), *ends, len(counts))
    return found


def between_pairs(a: Verification, b: Verification) -> dict[str, Between]:
    """AUC and EER of two networks over the same pairs: the variance of how far each identity moves their difference.

    An impostor pair counts for both of its identities, as it does where identities are drawn anew: if anything the
    interval is a little wide.
    """
    one, other = Influence(a.spread), Influence(b.spread)
    (eer_a, at_a), (eer_b, at_b) = a.curve.equal_error(), b.curve.equal_error()
    moved = {
        "verification/auc": (a.curve.auc, b.curve.auc, one.auc_by_identity() - other.auc_by_identity()),
        "verification/eer": (eer_a, eer_b, one.eer_by_identity(at_a, eer_a) - other.eer_by_identity(at_b, eer_b)),
    }
    identities = a.spread.identities
    return {key: _from_influence(x, y, each, identities) for key, (x, y, each) in moved.items()}


def between_episodes(a: np.ndarray, b: np.ndarray) -> Between:
    """A few-shot accuracy of two networks over the same episodes: 1.96 standard errors of the mean difference.

    Args:
        a: (E,) the share of right answers in each episode by the first network.
        b: (E,) the same of the second.
    """
    apart = a - b
    ends = (math.nan, math.nan)
    if len(apart) > 1 and np.ptp(apart) > _ROUNDING:
        reach = 1.96 * float(apart.std(ddof=1)) / math.sqrt(len(apart))
        ends = (float(apart.mean()) - reach, float(apart.mean()) + reach)
    return Between(float(a.mean()), float(b.mean()), float(apart.mean()), *ends, 0, len(apart))


def _from_influence(a: float, b: float, each: np.ndarray, identities: int) -> Between:
    """A t-interval with Satterthwaite's degrees of freedom, as one network's figures have."""
    squares = each[each != 0] ** 2
    count, total = len(squares), float(squares.sum())
    if count < 2 or total <= _ROUNDING**2:
        return Between(a, b, a - b, math.nan, math.nan, identities)
    error = math.sqrt(total * count / (count - 1))
    degrees = min(max(3 * total**2 / float((squares**2).sum()) - 1, 1.0), count - 1)
    reach = float(special.stdtrit(degrees, (1 + LEVEL) / 2)) * error
    return Between(a, b, a - b, max(a - b - reach, -1.0), min(a - b + reach, 1.0), identities)
