"""Names at points of an axes, none over another, with a line where one had to move."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from matplotlib.patheffects import withStroke

Wanted = tuple[tuple[float, float], tuple[float, float], str, Any]
Box = tuple[float, float, float, float]
"""Middle, width and height in pixels."""
_STEP, _ROUNDS, _TURNS = 9, 12, 12  # pixels, rings, directions


def place_names(
    figure: Any,
    axes: Any,
    wanted: Sequence[tuple[tuple[float, float], tuple[float, float], str, Any]],
    *,
    size: float = 8,
) -> list[Any]:
    """Write names where they are wanted or as near as there is room inside the axes.

    The layout of the figure must be settled: what is placed in pixels does not follow when axes move.

    Args:
        figure: of matplotlib, drawn once.
        axes: whose coordinates the places are in.
        wanted: for each name the point it is of, where it should stand, the name as `Lettering.plotted` gives it, and
            its colour.
        size: points.

    Returns:
        The texts that were written.
    """
    renderer, frame = figure.canvas.get_renderer(), axes.get_window_extent()
    to_data = axes.transData.inverted()
    texts: list[Any] = []
    boxes: list[Box] = []
    for point, place, name, colour in wanted:
        text = axes.text(
            *place, name, fontsize=size, fontweight="bold", color=colour, ha="center", va="center", zorder=6
        )
        text.set_path_effects([withStroke(linewidth=2.2, foreground="white")])
        wide, high = (getattr(text.get_window_extent(renderer), side) for side in ("width", "height"))
        middle = axes.transData.transform(place)
        spots = [(middle[0] + across, middle[1] + up) for across, up in _around()]
        free = [spot for spot in spots if _inside(frame, spot, wide, high) and not _hits(boxes, spot, wide, high)]
        spot = free[0] if free else spots[0]
        boxes.append((*spot, wide, high))
        text.set_position(to_data.transform(spot))
        if math.dist(spot, middle) > _STEP:
            line = {"arrowstyle": "-", "color": colour, "linewidth": 0.7, "shrinkA": high / 2, "shrinkB": 0}
            axes.annotate("", point, xytext=to_data.transform(spot), zorder=5, arrowprops=line)
        texts.append(text)
    return texts


def _around() -> Iterator[tuple[float, float]]:
    """Steps away from a place, the nearest first."""
    yield 0.0, 0.0
    for ring in range(1, _ROUNDS + 1):
        for turn in range(_TURNS):
            angle = 2 * math.pi * turn / _TURNS
            yield 1.6 * ring * _STEP * math.cos(angle), ring * _STEP * math.sin(angle)


def _inside(frame: Any, spot: tuple[float, float], wide: float, high: float) -> bool:
    return bool(
        frame.x0 + 2 <= spot[0] - wide / 2
        and spot[0] + wide / 2 <= frame.x1 - 2
        and frame.y0 + 2 <= spot[1] - high / 2
        and spot[1] + high / 2 <= frame.y1 - 2
    )


def _hits(boxes: Sequence[Box], spot: tuple[float, float], wide: float, high: float) -> bool:
    return any(2 * abs(x - spot[0]) < w + wide + 4 and 2 * abs(y - spot[1]) < h + high + 2 for x, y, w, h in boxes)
