"""Two ways of training compared seed by seed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sandbox.errors import SandboxError
from sandbox.evaluation.intervals.paired import holm, paired, t_interval


@pytest.mark.parametrize("n", [2, 3, 6, 40])
def test_interval_and_p_are_those_of_scipy(n: int) -> None:
    rng = np.random.default_rng(n)
    a, b = rng.normal(0.7, 0.02, n), rng.normal(0.69, 0.02, n)
    found, theirs = paired(a, b), stats.ttest_rel(a, b)
    ends = theirs.confidence_interval(0.95)
    assert (found.difference, found.p) == pytest.approx(((a - b).mean(), theirs.pvalue))
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high))
    mean, half = t_interval(a.tolist())
    assert (mean - half, mean + half) == pytest.approx(stats.t.interval(0.95, n - 1, a.mean(), stats.sem(a)))


def test_a_case_by_hand() -> None:
    found = paired([0.5, 0.6, 0.7, 0.8], [0.4, 0.6, 0.5, 0.9])
    # Differences 0.1, 0, 0.2, -0.1: mean 0.05, squares about it 0.05, so the error is sqrt(0.05 / 3 / 4) = 0.06455.
    assert (found.n, found.better, found.probability) == (4, 0.5, 0.625)
    assert found.difference == pytest.approx(0.05)
    assert found.half == pytest.approx(3.182446 * 0.0645497)
    assert found.p == pytest.approx(0.4950, abs=1e-4)  # t = 0.7746 with 3 degrees of freedom


def test_less_may_be_better() -> None:
    eer = paired([0.1, 0.2, 0.3], [0.2, 0.2, 0.1], lower=True)
    assert (eer.better, eer.probability) == pytest.approx((1 / 3, 0.5))
    assert eer.difference == pytest.approx(0.1 / 3)
    assert paired([0.1, 0.2], [0.2, 0.4], lower=True).better == 1


def test_one_seed_has_no_interval() -> None:
    found = paired([0.5], [0.4])
    assert (found.n, found.difference, found.better) == (1, pytest.approx(0.1), 1)
    assert all(map(math.isnan, (found.half, found.low, found.high, found.p)))
    assert math.isnan(paired([0.5], [0.5]).p)
    assert t_interval([0.5])[0] == 0.5 and math.isnan(t_interval([0.5])[1])
    assert all(map(math.isnan, t_interval([])))


@pytest.mark.parametrize("shift", [0.1, -0.01, 1 / 3])
def test_differences_that_are_all_equal_are_no_proof(shift: float) -> None:
    b = np.array([0.51, 0.63, 0.7, 0.2, 0.123])  # the differences are apart by a rounding
    found = paired(b + shift, b)
    assert found.difference == pytest.approx(shift) and found.better == float(shift > 0)
    assert math.isnan(found.half) and math.isnan(found.p)


@pytest.mark.parametrize("noise", [0.0, 1e-17])
def test_two_ways_that_agree_in_every_seed(noise: float) -> None:
    a = np.array([0.51, 0.63, 0.7])
    found = paired(a, a + noise)
    assert (found.difference, found.p, found.better, found.probability) == (0, 1, 0, 0.5)
    assert math.isnan(found.half)
    assert paired([0.0, 0.0], [0.0, 0.0]).p == 1


def test_a_rounding_is_a_tie() -> None:
    assert paired([0.1 + 0.2, 0.5], [0.3, 0.4]).probability == 0.75


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ([], [], "at least one"),
        ([0.1, 0.2], [0.1], r"\(2,\) and \(1,\)"),
        ([[0.1, 0.2]], [[0.1, 0.3]], r"\(1, 2\)"),
        ([0.1, math.nan], [0.1, 0.2], "finite.* nan"),
        ([0.1, 0.2], [math.inf, 0.2], "finite.* inf"),
        ([0.1, 0.2], [0.1, -math.inf], "finite.* inf"),
        ([1e200, 0.2], [0.1, 0.2], "at most"),
    ],
)
def test_what_cannot_be_paired_is_refused(a: list[float], b: list[float], said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        paired(a, b)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=8))
def test_turned_round_only_the_sign_changes(values: list[tuple[float, float]]) -> None:
    a, b = [list(column) for column in zip(*values, strict=True)]
    one, other = paired(a, b), paired(b, a)
    assert one.difference == -other.difference and one.probability == pytest.approx(1 - other.probability)
    assert (one.half, one.p) == pytest.approx((other.half, other.p), nan_ok=True)
    assert one.probability == paired(b, a, lower=True).probability
    assert math.isnan(one.p) or 0 <= one.p <= 1


def test_intervals_and_p_hold_what_they_say() -> None:
    rng, held, found = np.random.default_rng(0), 0, 0
    for _ in range(2000):
        luck = rng.normal(0, 0.1, 5)  # of the seeds, which both share
        result = paired(0.72 + luck + rng.normal(0, 0.01, 5), 0.7 + luck + rng.normal(0, 0.02, 5))
        held += result.low <= 0.02 <= result.high
        equal = paired(luck + rng.normal(0, 0.01, 5), luck + rng.normal(0, 0.02, 5))
        found += equal.p <= 0.05
    assert 0.935 < held / 2000 < 0.965 and 0.035 < found / 2000 < 0.065  # three standard errors either way


def test_holm_by_hand() -> None:
    # Sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1 are 0.04, 0.06, 0.06, 0.04, none below the one before it.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([0.03]) == [0.03] and holm([]) == []
    assert holm([0.01, 0.01]) == pytest.approx([0.02, 0.02])


def test_a_test_that_could_not_be_made_counts_and_stays_without_p() -> None:
    adjusted = holm([math.nan, 0.02, 0.01])
    assert math.isnan(adjusted[0]) and adjusted[1:] == pytest.approx([0.04, 0.03])


@pytest.mark.parametrize("value", [-0.01, 1.01, math.inf])
def test_what_is_no_p_is_refused(value: float) -> None:
    with pytest.raises(SandboxError, match="between 0 and 1"):
        holm([0.5, value])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_rejects_what_the_procedure_does(values: list[float]) -> None:
    rejected, order = [False] * len(values), sorted(range(len(values)), key=values.__getitem__)
    for done, place in enumerate(order):
        if values[place] * (len(values) - done) > 0.05:
            break
        rejected[place] = True
    assert [value <= 0.05 for value in holm(values)] == rejected


@pytest.mark.parametrize("n", [3, 5, 10])
def test_the_interval_over_seeds_covers_the_true_difference(n: int) -> None:
    draws = np.random.default_rng(n).normal(0.01, 0.03, (10_000, n))
    luck = np.random.default_rng(0).normal(0.6, 0.1, n)  # of a seed, which both ways share
    hits = [abs(found.difference - 0.01) <= found.half for found in (paired(luck + row, luck) for row in draws)]
    assert 0.94 <= np.mean(hits) <= 0.96
