"""Digits by how far a number is known."""

from __future__ import annotations

import math

import pytest

from sandbox.reporting.compare.digits import equals_p, number, places, spell_p, whole


@pytest.mark.parametrize(
    ("half", "decimals"), [(0.17, 3), (0.017, 3), (0.0017, 4), (0.00017, 5), (1e-9, 6), (3.0, 3), (0.0, 4)]
)
def test_decimals_show_two_digits_of_the_half_interval(half: float, decimals: int) -> None:
    assert places(half) == decimals


def test_numbers() -> None:
    assert places(math.nan) == 4 and number(math.nan, 3) == ""
    assert number(0.0214, 3, sign=True) == "+0.021" and number(-0.0214, 3, sign=True) == "-0.021"
    assert number(-0.0001, 3, sign=True) == number(-0.0001, 3) == "0.000"  # and no -0.000
    assert [spell_p(p) for p in (0.0301, 0.0504, 0.5, 1.0, 0.0001, math.nan)] == [
        *("0.03", "0.0504", "0.5", "1", "< 0.001", "")
    ]
    assert equals_p(0.0001) == "p < 0.001" and equals_p(0.25) == "p = 0.25"
    assert whole(math.nan) is None and whole(0.5) == 0.5
