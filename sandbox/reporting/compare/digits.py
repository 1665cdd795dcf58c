"""Numbers as a person reads them: digits by how far they are known."""

from __future__ import annotations

import math

_FEWEST, _MOST = 3, 6


def places(half: float) -> int:
    """Decimals of a figure whose interval reaches this far either way: two digits of that; 4 where it is unknown."""
    if math.isnan(half) or half <= 0:
        return 4
    return min(max(1 - math.floor(math.log10(half)), _FEWEST), _MOST)


def number(value: float, decimals: int, *, sign: bool = False) -> str:
    """A number with so many decimals, empty where there is none; what rounds to nothing has no sign."""
    if math.isnan(value):
        return ""
    rounded = round(value, decimals) + 0.0
    return f"{rounded:+.{decimals}f}" if sign and rounded else f"{rounded:.{decimals}f}"


def spell_p(p: float) -> str:
    """``0.03``, ``0.5``, ``< 0.001``; empty where there is none."""
    if math.isnan(p):
        return ""
    near = 0.045 < p < 0.055  # 0.0504 is no 0.05
    return "< 0.001" if p < 0.001 else f"{p:.{3 if near else 2}g}"


def equals_p(p: float) -> str:
    """``p = 0.03`` or ``p < 0.001``."""
    return f"p {spell_p(p)}" if p < 0.001 else f"p = {spell_p(p)}"


def whole(value: float) -> float | None:
    """For JSON, which has no NaN."""
    return float(value) if math.isfinite(value) else None
