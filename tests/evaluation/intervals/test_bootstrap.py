from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import beta

from sandbox.errors import SandboxError
from sandbox.evaluation.intervals import bootstrap as uncertainty
from sandbox.evaluation.intervals.bootstrap import bootstrap_means, exact_bounds, logit_interval, plain_interval


def clustered(seed: int, groups: int, most: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Values between 0 and 1 of groups that differ in level and in size."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), rng.integers(1, most, groups))
    level = rng.beta(4, 2, groups)
    return rng.beta(8 * level[group] + 0.1, 8 * (1 - level[group]) + 0.1), group


def by_loop(values: np.ndarray, groups: np.ndarray, resamples: int) -> tuple[float, float]:
    """BCa ends (Efron 1987) of the mean, one resample and one left-out group at a time."""
    rng = np.random.default_rng(99)
    names = sorted(set(groups.tolist()))
    rows = {name: values[groups == name] for name in names}
    drawn = []
    for _ in range(resamples):
        drawn.append(np.concatenate([rows[names[i]] for i in rng.integers(0, len(names), len(names))]).mean())
    left_out = np.array([values[groups != name].mean() for name in names])
    off = left_out.mean() - left_out
    acceleration = (off**3).sum() / (6 * (off**2).sum() ** 1.5)
    bias = stats.norm.ppf((np.array(drawn) < values.mean()).mean())
    ends = []
    for z in stats.norm.ppf([0.025, 0.975]):
        share = stats.norm.cdf(bias + (bias + z) / (1 - acceleration * (bias + z)))
        ends.append(float(np.quantile(drawn, share)))
    return ends[0], ends[1]


@pytest.mark.parametrize("seed", range(3))
def test_ends_are_those_of_a_loop(seed: int) -> None:
    values, groups = clustered(seed, 25)
    mean, low, high = bootstrap_means(values, groups, resamples=6000)
    expected_low, expected_high = by_loop(values, groups, 6000)
    assert mean[0] == pytest.approx(values.mean(), abs=1e-15)
    width = expected_high - expected_low
    assert low[0] == pytest.approx(expected_low, abs=0.06 * width)
    assert high[0] == pytest.approx(expected_high, abs=0.06 * width)


@given(st.integers(0, 10**6), st.integers(1, 15), st.integers(1, 4))
def test_means_are_exact_and_inside_their_ends(seed: int, groups: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    group = np.append(rng.integers(0, groups, 20), np.arange(groups))
    values = rng.random((len(group), columns))
    mean, low, high = bootstrap_means(values, group, resamples=50)
    np.testing.assert_allclose(mean, values.mean(0), rtol=1e-13)
    if groups == 1:
        assert np.isnan(low).all() and np.isnan(high).all()
    else:
        assert (low <= mean).all() and (mean <= high).all()
        assert (low >= values.min(0) - 1e-12).all() and (high <= values.max(0) + 1e-12).all()


def test_copies_of_rows_in_one_group_do_not_narrow_the_interval() -> None:
    values, groups = clustered(0, 30, most=2)
    once = bootstrap_means(values, groups)
    often = bootstrap_means(np.repeat(values, 10), np.repeat(groups, 10))
    np.testing.assert_allclose(np.concatenate(often), np.concatenate(once), atol=1e-12)
    _, low, high = bootstrap_means(np.repeat(values, 10), np.arange(10 * len(values)))  # as if each copy were news
    assert (high - low)[0] < 0.5 * (once[2] - once[1])[0]


def test_a_long_tail_reaches_further_on_its_side() -> None:
    values = np.array([1.0, 1, 2, 2, 3, 3, 4, 5, 9, 30]) / 30
    _, low, high = bootstrap_means(values, np.arange(10), resamples=20_000)
    expected = by_loop(values, np.arange(10), 20_000)
    assert (low[0], high[0]) == pytest.approx(expected, rel=0.06)
    assert high[0] - values.mean() > 2.5 * (values.mean() - low[0])


def test_names_and_order_of_the_groups_change_nothing() -> None:
    values, groups = clustered(1, 20)
    order = np.random.default_rng(0).permutation(len(values))
    plain = bootstrap_means(values, groups)
    for changed in (bootstrap_means(values[order], groups[order]), bootstrap_means(values, groups * 7 - 2**40)):
        np.testing.assert_allclose(np.concatenate(changed), np.concatenate(plain), atol=1e-12)


def test_every_column_sees_the_same_draws_and_a_seed_gives_the_same_ones() -> None:
    values, groups = clustered(2, 12)
    both = bootstrap_means(np.column_stack([values, values, 1 - values]), groups)
    for column in (0, 1):
        alone = [part[0] for part in bootstrap_means(values, groups)]
        np.testing.assert_allclose([part[column] for part in both], alone, rtol=1e-14)
    assert both[1][2] == pytest.approx(1 - both[2][0], abs=0.01)  # a mirror image, up to the side of a quantile
    np.testing.assert_array_equal(bootstrap_means(values, groups, seed=5), bootstrap_means(values, groups, seed=5))
    assert bootstrap_means(values, groups, seed=5)[1] != bootstrap_means(values, groups, seed=6)[1]


@pytest.mark.parametrize("at_once", [1, 100, 1234])
def test_how_many_resamples_are_held_at_once_changes_nothing(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    values, groups = clustered(3, 11)
    whole = bootstrap_means(values, groups, resamples=301)
    monkeypatch.setattr(uncertainty, "_AT_ONCE", at_once)
    np.testing.assert_allclose(
        np.concatenate(bootstrap_means(values, groups, resamples=301)), np.concatenate(whole), atol=1e-14
    )


@pytest.mark.parametrize("count", [2, 10, 300])
def test_all_ones_or_all_zeros_get_the_exact_bounds_of_their_groups(count: int) -> None:
    groups = np.repeat(np.arange(count), 3)
    mean, low, high = bootstrap_means(np.column_stack([np.ones(3 * count), np.zeros(3 * count)]), groups)
    lower = beta.ppf(0.025, count, 1)
    assert mean.tolist() == [1, 0]
    assert low.tolist() == pytest.approx([lower, 0]) and high.tolist() == pytest.approx([1, 1 - lower])


def test_groups_that_all_agree_on_another_value_leave_no_room() -> None:
    mean, low, high = bootstrap_means(np.tile([0.0, 1.0], 8), np.repeat(np.arange(8), 2))
    assert mean == low == high == 0.5


def test_exact_bounds_are_those_of_clopper_and_pearson() -> None:
    for count in (1, 7, 500):
        low, high = exact_bounds(np.array([1.0]), count)
        assert stats.binomtest(count, count).proportion_ci(0.95, "exact").low == pytest.approx(low[0], abs=1e-9)
        assert stats.binomtest(0, count).proportion_ci(0.95, "exact").high == pytest.approx(high[0], abs=1e-9)


@pytest.mark.parametrize(("values", "groups"), [(np.empty(0), np.empty(0)), (np.ones(3), np.zeros(2))])
def test_no_rows_or_groups_that_do_not_fit_are_refused(values: np.ndarray, groups: np.ndarray) -> None:
    with pytest.raises(SandboxError, match=f"{len(values)} values and {len(groups)} groups"):
        bootstrap_means(values, groups)


@given(st.floats(1e-9, 1 - 1e-9), st.floats(0, 10), st.floats(0.1, 1e6), st.integers(0, 1000))
def test_a_logit_interval_holds_its_value_inside_0_and_1(
    value: float, error: float, degrees: float, units: int
) -> None:
    low, high = logit_interval(value, error, degrees, units)
    assert 0 <= low <= value <= high <= 1


def test_a_logit_interval_is_a_t_interval_of_the_log_odds() -> None:
    low, high = logit_interval(0.8, 0.05, 9, 10)
    odds = np.log([low / (1 - low), 0.8 / 0.2, high / (1 - high)])
    assert odds[1] - odds[0] == pytest.approx(odds[2] - odds[1])
    assert odds[2] - odds[1] == pytest.approx(2.2621571628 * 0.05 / (0.8 * 0.2))  # t of 9 degrees, from a table
    tight_low, tight_high = logit_interval(0.3, 1e-6, 1e6, 10)
    assert (tight_low, tight_high) == pytest.approx((0.3 - 1.96e-6, 0.3 + 1.96e-6), abs=1e-9)


@pytest.mark.parametrize("units", [0, 1, 40])
def test_a_value_at_its_limit_leaves_the_exact_bound_open(units: int) -> None:
    bound = 0.025 ** (1 / max(units, 1))
    assert logit_interval(1.0, 0.0, 5, units) == pytest.approx((bound, 1.0))
    assert logit_interval(0.0, 0.0, 5, units) == pytest.approx((0.0, 1 - bound))


def test_a_plain_interval_is_a_t_interval() -> None:
    assert plain_interval(3.0, 0.5, 9) == pytest.approx((3 - 2.2621571628 * 0.5, 3 + 2.2621571628 * 0.5))
    assert plain_interval(3.0, 0.5, 0.01) == plain_interval(3.0, 0.5, 1)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    held, truth = 0, (8 * 4 / 6 + 0.1) / 8.2  # the mean of `clustered`
    for seed in range(300):
        values, groups = clustered(seed, 40, most=2)
        _, low, high = bootstrap_means(values, groups, resamples=400)
        held += low[0] <= truth <= high[0]
    assert 0.9 <= held / 300 <= 0.99
