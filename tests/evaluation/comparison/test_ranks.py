"""Several ways over several data sets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from sandbox.errors import SandboxError
from sandbox.evaluation.comparison.ranks import ranked
from sandbox.evaluation.intervals.paired import holm


def test_ranks_and_tests_are_those_by_hand() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(0.5, 0.1, (9, 4)) + np.array([0.3, 0.0, 0.1, 0.0])
    found = ranked(values)
    by_hand = [[1 + sum(other > value for other in row) for value in row] for row in values]
    assert found.ranks == pytest.approx(np.mean(by_hand, axis=0))
    assert (found.statistic, found.p) == pytest.approx(tuple(stats.friedmanchisquare(*values.T)))
    alone = [stats.wilcoxon(values[:, pair.first], values[:, pair.second]).pvalue for pair in found.pairs]
    assert [pair.p for pair in found.pairs] == pytest.approx(alone)
    assert [pair.holm for pair in found.pairs] == pytest.approx(holm(alone))
    first = found.pairs[0]
    assert first.wins == int((values[:, 0] > values[:, 1]).sum()) and first.wins + first.ties + first.losses == 9
    assert first.difference == pytest.approx((values[:, 0] - values[:, 1]).mean())


def test_what_a_pair_is_told_does_not_depend_on_the_others_figures() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(0.5, 0.1, (8, 3))
    others = values.copy()
    others[:, 2] += 5
    assert ranked(values).pairs[0].p == ranked(others).pairs[0].p


def test_less_may_be_better_and_ties_share_a_rank() -> None:
    values = np.array([[0.1, 0.2, 0.2]] * 5 + [[0.1 + 0.2, 0.3, 0.5]])
    found = ranked(values, lower=True)
    assert found.ranks == pytest.approx([(5 + 1.5) / 6, (5 * 2.5 + 1.5) / 6, (5 * 2.5 + 3) / 6])
    assert (found.pairs[0].wins, found.pairs[0].ties, found.pairs[0].losses) == (5, 1, 0)
    assert found.pairs[0].difference == pytest.approx(-0.5 / 6)


def test_ways_that_are_all_alike() -> None:
    found = ranked(np.full((6, 3), 0.5))
    assert found.p == 1 and found.ranks.tolist() == [2, 2, 2]
    assert [(pair.p, pair.holm, pair.ties) for pair in found.pairs] == [(1, 1, 6)] * 3


def test_the_least_p_is_reached_where_one_is_better_everywhere() -> None:
    values = np.column_stack([np.arange(5.0), np.arange(5.0) + 0.1 * np.arange(1, 6)])
    found = ranked(values)
    assert found.pairs[0].holm == found.least == 0.0625 and math.isnan(found.p)


def test_fewer_than_five_data_sets_and_other_input_are_refused() -> None:
    with pytest.raises(SandboxError, match="over 4 data sets say nothing"):
        ranked(np.zeros((4, 3)))
    with pytest.raises(SandboxError, match="1 way is given"):
        ranked(np.zeros((6, 1)))
    with pytest.raises(SandboxError, match="finite"):
        ranked(np.full((6, 2), np.nan))
