"""Small line drawings as SVG, which follow the page's colours and need no script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

WIDE, HIGH = 330, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 10, 12, 26


@dataclass(frozen=True)
class Line:
    """Points over the steps."""

    points: Sequence[tuple[float, float]] = field(repr=False)
    """(step, value), finite."""
    name: str = ""
    """What it is of, where there are several."""
    dots: bool = False
    best: tuple[float, float] | None = None
    """A point to mark."""


@dataclass(frozen=True)
class Panel:
    """One drawing with its words."""

    title: str
    word: str
    svg: str
    """Safe HTML."""


def panel(title: str, word: str, lines: Sequence[Line]) -> Panel:
    """Lines over the steps with axes; a line that is not the first is broken in a way of its own."""
    points = [point for line in lines for point in line.points]
    low, high = _range([value for _, value in points])
    first, last = min(step for step, _ in points), max(step for step, _ in points)

    def across(step: float) -> float:
        return _LEFT + (WIDE - _LEFT - _RIGHT) * (step - first) / max(last - first, 1e-12)

    def down(value: float) -> float:
        return HIGH - _BOTTOM - (HIGH - _TOP - _BOTTOM) * (value - low) / (high - low)

    parts = [f'<svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{escape(_summary(title, lines))}">']
    for value in ticks(low, high):
        y = down(value)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{WIDE - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_spelt(value)}</text>')
    for step, anchor in ((first, "start"), (last, "end")):
        parts.append(f'<text x="{across(step):.1f}" y="{HIGH - 8}" text-anchor="{anchor}">step {step:,.0f}</text>')
    for place, line in enumerate(lines):
        path = "L".join(f"{across(step):.1f} {down(value):.1f}" for step, value in line.points)
        parts.append(f'<path class="line c{place % 8}" d="M{path}"/>')
        if line.dots:
            dots = "".join(f'<circle cx="{across(s):.1f}" cy="{down(v):.1f}" r="2.5"/>' for s, v in line.points)
            parts.append(f'<g class="dot c{place % 8}">{dots}</g>')
        if line.best is not None:
            x, y = across(line.best[0]), down(line.best[1])
            parts.append(f'<path class="best" d="M{x - 6:.1f} {y - 6:.1f}h12v12h-12z"/>')
    return Panel(title, word, "".join(parts) + "</svg>")


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round values within a range, `most` at most."""
    rough = (high - low) / max(most - 1, 1)
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    return [step * k for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or max(abs(high), 1e-6) * 0.1
    return low - (0 if low >= 0 and low - room < 0 else room), high + room


def _spelt(value: float) -> str:
    return "0" if abs(value) < 1e-12 else f"{value:.4g}"


def _summary(title: str, lines: Sequence[Line]) -> str:
    ends = [
        f"{line.name + ': ' if line.name else ''}from {line.points[0][1]:.4g} to {line.points[-1][1]:.4g}"
        for line in lines
    ]
    return f"{title}, {'; '.join(ends)}"
