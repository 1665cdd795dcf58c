"""Equal within a margin."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.weightstats import ttost_paired

from sandbox.evaluation.comparison.equal import by_interval, equivalence
from sandbox.evaluation.intervals.paired import paired


@pytest.mark.parametrize(("shift", "margin"), [(0.0, 0.02), (0.004, 0.005), (-0.03, 0.01), (0.01, 0.005)])
def test_p_is_that_of_statsmodels_and_of_the_90_percent_interval(shift: float, margin: float) -> None:
    rng = np.random.default_rng(3)
    a = rng.normal(0.7, 0.02, 6)
    b = a - shift + rng.normal(0, 0.004, 6)
    found = equivalence(paired(a, b), margin)
    assert found.p == pytest.approx(float(ttost_paired(a, b, -margin, margin)[0]))
    assert (found.p <= 0.05) == (-margin < found.low and found.high < margin) == (found.verdict == "within")


def test_the_three_verdicts() -> None:
    near, far = [0.5, 0.51, 0.52, 0.53], [0.4, 0.412, 0.42, 0.431]
    close = paired(near, [0.5005, 0.5098, 0.5203, 0.5299])
    assert equivalence(close, 0.005).verdict == "within" and equivalence(close, 0.0003).verdict == "undecided"
    assert equivalence(paired(near, far), 0.005).verdict == "outside"
    assert equivalence(paired(far, near), 0.005).verdict == "outside"
    constant = equivalence(paired([0.5, 0.6], [0.4, 0.5]), 1.0)
    assert constant.verdict == "undecided" and math.isnan(constant.p)


def test_ways_that_differ_by_the_margin_are_called_equal_in_one_of_twenty_at_most() -> None:
    rng = np.random.default_rng(0)
    draws = rng.normal(0.005, 0.002, (2000, 5))
    called = [equivalence(paired(row, np.zeros(5)), 0.005).verdict for row in draws]
    assert 0.035 < called.count("within") / len(called) < 0.065
    assert called.count("outside") / len(called) < 0.04


def test_an_interval_by_itself() -> None:
    assert [by_interval(*ends, 0.005).verdict for ends in ((-0.004, 0.005), (0.006, 0.01), (-0.01, 0.001))] == [
        *("within", "outside", "undecided")
    ]
