"""How means and intervals are written: as many digits as the interval allows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sandbox.evaluation.intervals.paired import t_interval
from sandbox.reporting.tables.table import Cell

_NO_SHARE = ("d_prime", "cllr", "unmatched")
_COUNTS = ("unmatched",)
_PLACES = 3
"""Decimals of a mean without an interval."""
_MOST = 5


def is_share(key: str) -> bool:
    """Whether a figure lies between 0 and 1, so that it may be written in percent: not d', Cllr and counts."""
    return not key.endswith(_NO_SHARE)


def places(half: float) -> int:
    """Decimals that leave two digits of half an interval that count, 0 to 5.

    >>> places(0.0123), places(0.00996), places(0.51), places(12.3), places(0.0)
    (3, 3, 2, 0, 3)
    """
    if not half > 0:
        return _PLACES
    rounded = float(f"{half:.1e}")
    return min(_MOST, max(0, 1 - math.floor(math.log10(rounded))))


def figure_cell(key: str, by_seed: dict[int, float], percent: bool) -> Cell:
    """The cell of a figure: mean over seeds, and half of the 95 % t-interval where there are several.

    Args:
        key: report key.
        by_seed: seed -> value; an empty cell where there is none.
        percent: write shares times 100.
    """
    if not by_seed:
        return Cell()
    mean, half = t_interval(list(by_seed.values()))
    return written(key, mean, half, tuple(by_seed), percent)


def written(key: str, mean: float, half: float, seeds: Sequence[int], percent: bool, *, signed: bool = False) -> Cell:
    """The cell of a mean and half its interval, NaN where there is none; a difference carries its sign."""
    factor = 100 if percent and is_share(key) else 1
    sign = "+" if signed else ""
    if key.endswith(_COUNTS) and float(mean).is_integer() and not half > 0:
        return Cell(f"{mean:{sign},.0f}", "", mean, half, tuple(seeds))
    if math.isnan(half):
        decimals = _PLACES - (1 if factor == 100 else 0) * 2
        return Cell(f"{mean * factor:{sign}.{decimals}f}", "", mean, half, tuple(seeds))
    decimals = places(half * factor) if half > 0 else _PLACES - (2 if factor == 100 else 0)
    text, reach = f"{mean * factor:{sign}.{decimals}f}", f"{half * factor:.{decimals}f}"
    return Cell(text, reach, mean, half, tuple(seeds))
