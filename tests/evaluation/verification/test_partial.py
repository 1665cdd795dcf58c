from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from sandbox.evaluation.intervals.influence import Influence
from sandbox.evaluation.verification.metrics import verify_all_pairs, verify_scores
from sandbox.evaluation.verification.partial import deviation, partial_auc
from sandbox.recipe.extra import parse_extra


def by_hand(scores: np.ndarray, same: np.ndarray, far: float) -> float:
    """The area below the polygon through every distinct score, cut at `far` and standardised."""
    points = [(0.0, 0.0)]
    for level in sorted(set(scores.tolist()), reverse=True):
        points.append(((scores[~same] >= level).mean(), (scores[same] >= level).mean()))
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 >= far or x1 == x0:
            continue
        end = min(x1, far)
        height = y0 + (y1 - y0) * (end - x0) / (x1 - x0)
        area += (end - x0) * (y0 + height) / 2
    return (1 + (area - far**2 / 2) / (far - far**2 / 2)) / 2


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(4, 60), st.sampled_from([0.003, 0.1, 0.37, 1.0]), st.booleans())
def test_it_is_the_area_by_hand_and_scikit_learns_with_ties(seed: int, n: int, far: float, tied: bool) -> None:
    rng = np.random.default_rng(seed)
    same = rng.random(n) < 0.4
    same[:2] = True, False
    scores = (rng.integers(0, 6, n) if tied else rng.normal(size=n) + same).astype(np.float32)
    value = partial_auc(verify_scores(scores, same).curve, far)
    assert value == pytest.approx(by_hand(scores, same, far), abs=1e-12)
    assert value == pytest.approx(roc_auc_score(same, scores, max_fpr=far), abs=1e-12)


def test_up_to_every_impostor_it_is_the_auc_with_the_interval_of_the_auc() -> None:
    rng = np.random.default_rng(2)
    y = np.repeat(np.arange(15), 5)
    x = rng.normal(size=(75, 8)) + 1.2 * rng.normal(size=(15, 8))[y]
    found = verify_all_pairs(x, y)
    figures = found.figures((), extra=parse_extra("pauc@1, pauc@0.05, map"))
    whole, auc = figures["verification/pauc@far=1e0"], figures["verification/auc"]
    for end in ("value", "low", "high"):
        assert whole[end] == pytest.approx(auc[end], abs=1e-9)
    part = figures["verification/pauc@far=5e-2"]
    assert part["low"] < part["value"] < part["high"] < 1 and part["far"] == 0.05


def test_the_error_is_that_of_data_drawn_again() -> None:
    far, values, errors = 0.2, [], []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        same = np.repeat([True, False], [150, 400])
        found = verify_scores((rng.normal(size=550) + 1.5 * same).astype(np.float32), same)
        values.append(partial_auc(found.curve, far))
        errors.append(deviation(Influence(found.spread), far).error)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.2)
