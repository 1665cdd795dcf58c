"""How many seeds would settle a difference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from sandbox.evaluation.comparison.needed import MOST, Needed, needed, seeds_needed
from sandbox.evaluation.intervals.paired import paired


def power(effect: float, spread: float, n: int, repetitions: int = 20_000) -> float:
    """How often a paired t-test finds the difference, by trying."""
    rng = np.random.default_rng(n)
    return float((stats.ttest_1samp(rng.normal(effect, spread, (repetitions, n)), 0, axis=1).pvalue <= 0.05).mean())


@pytest.mark.parametrize(("effect", "spread"), [(0.02, 0.02), (0.02, 0.03), (-0.01, 0.02), (0.1, 0.04), (3.0, 10.0)])
def test_the_number_is_right_within_a_fifth_of_what_trying_gives(effect: float, spread: float) -> None:
    said = seeds_needed(effect, spread)
    assert said is not None
    fewer, more = min(round(0.8 * said), said - 1), max(round(1.2 * said), said + 1)
    assert power(effect, spread, fewer) < 0.8 < power(effect, spread, more)


def test_a_guess_from_few_seeds_of_the_true_effect_and_spread_is_the_same() -> None:
    values = np.array([-1.0, 1.0, 0.0, 1.0, -1.0])
    values = 0.02 + 0.03 * values / values.std(ddof=1)  # mean 0.02, deviation 0.03
    found = needed(paired(values, np.zeros(5)))
    assert found.seeds == seeds_needed(0.02, 0.03)
    assert found.most is None and found.fewest is not None and found.seeds is not None and found.fewest < found.seeds


def test_where_the_interval_is_beside_nothing_there_is_a_most() -> None:
    found = needed(paired([0.5, 0.52, 0.49, 0.51], [0.41, 0.42, 0.41, 0.4]))
    assert found.fewest is not None and found.seeds is not None and found.most is not None
    assert 3 <= found.fewest <= found.seeds <= found.most


def test_bounds() -> None:
    assert seeds_needed(0.0, 1.0) is None and seeds_needed(0.001, 1.0) is None  # some 8 million
    assert seeds_needed(100.0, 1.0) == 3 and seeds_needed(1e9, 1e-9) == 3
    number = seeds_needed(0.0095, 1.0)
    assert number is not None and 80_000 < number <= MOST
    assert needed(paired([0.5], [0.4])) == Needed(None, None, None)
    assert needed(paired([0.5, 0.6], [0.4, 0.5])) == Needed(None, None, None)  # no spread to go by
    assert not math.isnan(float(seeds_needed(12.0, 1.0) or math.nan))  # where SciPy's power is NaN


def test_the_number_falls_as_the_difference_grows_and_is_known_wherever_it_is_below_the_most() -> None:
    sizes = [*np.linspace(7, 11, 60) / math.sqrt(MOST), *np.linspace(3, 7, 60)]  # SciPy's power is NaN at some of them
    found = [seeds_needed(size, 1.0) for size in sizes]
    assert None not in found and found == sorted(found, reverse=True)  # type: ignore[type-var]
    assert found[-1] == 3 and found[0] == pytest.approx(MOST * (2.80 / 7) ** 2, rel=0.01)
