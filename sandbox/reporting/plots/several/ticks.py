"""Axes that a person reads: plain numbers on a logarithmic one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

_WIDE = 30
_MOST = 7


def spans_decades(values: Sequence[float]) -> bool:
    """Whether values are above 0 and the largest is more than 30 times the least."""
    return min(values) > 0 and max(values) > _WIDE * min(values)


def plain_numbers(axis: Any, values: Sequence[float] = ()) -> None:
    """Write the ticks of a logarithmic axis as plain numbers, 0.001 and not 10^-3.

    Args:
        axis: of matplotlib, already logarithmic.
        values: where ticks should stand, if they are few and far enough apart; at 1, or 1, 2 and 5, of each decade
            else.
    """
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

    apart = [after / before for before, after in pairwise(values)]
    if 2 <= len(values) <= _MOST and min(apart) > (values[-1] / values[0]) ** (1 / 9):
        axis.set_major_locator(FixedLocator(list(values)))
    else:
        low, high = axis.get_view_interval()
        few = low > 0 and math.log10(high / low) < 2.2
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, place: plain(value)))


def plain(value: float) -> str:
    """A number without a power: ``0.0001``, ``3,000``, ``2.5 M``; below 1e-6 as 1e-7.

    >>> plain(0.0001), plain(30000.0), plain(2_500_000.0)
    ('0.0001', '30,000', '2.5 M')
    """
    if value == 0 or abs(value) < 1e-6:
        return f"{value:g}"
    if abs(value) >= 1e6:
        return f"{value / 1e6:,.4g} M"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.10f}".rstrip("0").rstrip(".") if abs(value) < 1 else f"{value:.4g}"
