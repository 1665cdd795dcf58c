"""Digits by the interval's width, and settings shortened to what they mean."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.objectives.resolve import resolve
from sandbox.reporting.records.spelling import short_objective, short_value, shortened
from sandbox.reporting.tables.numbers import figure_cell, is_share, places, written


@pytest.mark.parametrize(
    ("mean", "half", "text"),
    [
        (0.92583, 0.51861, "0.93 ± 0.52"),
        (0.41234, 0.0123, "0.412 ± 0.012"),
        (0.41234, 0.00996, "0.412 ± 0.010"),
        (0.5, 0.0, "0.500 ± 0.000"),
        (12.34, 31.0, "12 ± 31"),
        (0.41234, math.nan, "0.412"),
    ],
)
def test_a_cell_has_the_digits_that_its_interval_allows(mean: float, half: float, text: str) -> None:
    assert written("test/verification/d_prime", mean, half, (0, 1), False).plain == text


@given(st.floats(1e-4, 0.9))
def test_two_digits_of_half_the_interval_count(half: float) -> None:
    shown = f"{half:.{places(half)}f}".replace(".", "").lstrip("0")
    assert len(shown) == 2


def test_counts_are_whole_and_shares_are_known() -> None:
    assert figure_cell("test/retrieval/unmatched", {0: 3.0}, True).text == "3"
    assert is_share("test/verification/auc") and is_share("val/retrieval/recall@5")
    assert not any(map(is_share, ("test/verification/min_cllr", "test/verification/d_prime")))
    assert figure_cell("test/verification/eer", {0: 0.0123}, True).text == "1.2"


@pytest.mark.parametrize(
    ("typed", "short"),
    [
        (
            "triplet(margin=0.2139569380699943) + 0.001772033234683411*center",
            "triplet_margin(margin=0.214) + 0.00177*center",
        ),
        ("triplet(miner=semihard)", "triplet_margin(miner=semihard)"),
        ("contrastive(distance=squared_l2)", "contrastive(distance=lp(power=2))"),
        (
            "xbm(loss=triplet(margin=0.123456), memory_size=4096)",
            "cross_batch_memory(loss=triplet_margin(margin=0.123), memory_size=4096)",
        ),
    ],
)
def test_an_objective_is_written_as_a_person_types_it(typed: str, short: str) -> None:
    found = short_objective(str(resolve(typed)))
    assert found == short
    assert short_objective(str(resolve(found))) == found  # it can be typed


def test_objectives_that_differ_late_stay_apart_and_odd_ones_stay_as_they_are() -> None:
    texts = ["arcface(margin=28.60001)", "arcface(margin=28.60002)", "arcface(margin=0.123456)"]
    assert list(shortened("loss", texts).values()) == [*texts[:2], "arcface(margin=0.123)"]
    assert short_objective("no (objective") == "no (objective"


@given(st.lists(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans()), unique=True))
def test_values_that_differ_are_told_apart(values: list[float]) -> None:
    texts = shortened("optimizer.lr", values)
    assert len({str(texts[value]) for value in values if type(value) is float}) == len(
        [v for v in values if type(v) is float]
    )


def test_values_mean_what_they_say() -> None:
    assert [short_value(v) for v in (16.0, 1e9, 0.00136541, None, "", True, (1, 5, 10))] == [
        *("16", "1,000,000,000", "0.00137", "none", "none", "yes", "1, 5, 10")
    ]
