"""The area under the ROC curve up to a false accept rate, for tables that look at few false accepts."""

from __future__ import annotations

import numpy as np

from sandbox.evaluation.intervals.influence import Deviation, Influence
from sandbox.evaluation.verification.roc import Curve


def partial_auc(curve: Curve, far: float) -> float:
    """The area up to a false accept rate, standardised so that 0.5 is guessing and 1 is without fault.

    With A the area from 0 to `far`: 1/2 (1 + (A - far^2 / 2) / (far - far^2 / 2)) (McClish, "Analyzing a portion of the
    ROC curve", 1989), which scikit-learn's ``roc_auc_score(max_fpr=far)`` gives too. Over more than about 4 million
    genuine pairs the curve holds some thousand points, and the area between them is that of trapezoids.

    Args:
        curve: of all pairs, or of given ones.
        far: above 0, at most 1; at 1 it is the AUC.
    """
    return _standardised(_area(curve, far), far)


def deviation(influence: Influence, far: float) -> Deviation:
    """Its standard error by identity.

    A genuine pair adds the share of impostors within `far` that it beats. An impostor pair within `far` takes what the
    true accept rate at its score falls short of that at `far`; that it moves the end of the stretch changes nothing, to
    first order.
    """
    genuine, impostors = influence.genuine, influence.impostors
    reached = 1 - (np.cumsum(impostors) - impostors / 2) / influence.n
    accepted = 1 - (np.cumsum(genuine) - genuine / 2) / influence.p
    at_end = float(np.interp(far, reached[::-1], accepted[::-1]))
    lost = np.where(reached <= far, np.minimum(accepted - at_end, 0), 0)
    scale = 1 / (2 * far - far**2)
    return influence.deviation(scale * np.maximum(far - reached, 0), scale * lost)


def _standardised(area: float, far: float) -> float:
    guessing = far**2 / 2
    return float((1 + (area - guessing) / (far - guessing)) / 2)


def _area(curve: Curve, far: float) -> float:
    """Under the straight lines between the points of the curve, from 0 to `far`; a tie is a slope."""
    tar = np.stack([curve.genuine_from, curve.genuine_above], 1).ravel()[::-1] / curve.genuine
    reached = np.stack([curve.impostors_from, curve.impostors_above], 1).ravel()[::-1] / curve.impostors
    x, y = np.concatenate([[0.0], reached, [1.0]]), np.concatenate([[0.0], tar, [1.0]])
    width, rise = np.diff(x), np.diff(y)
    kept = np.clip(far - x[:-1], 0, width)
    slope = np.divide(rise, width, out=np.zeros_like(rise), where=width > 0)
    return float((kept * (y[:-1] + slope * kept / 2)).sum())
