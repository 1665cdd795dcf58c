"""All parameters of a study's trials in one picture, a line a trial: parallel coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize

from sandbox.reporting.plots.lettering import lettering
from sandbox.reporting.plots.study_marks import (
    BROKEN,
    COMPLETE,
    INK,
    PRUNED,
    ParameterAxis,
    TrialPoints,
    digits,
    plotted,
    span,
    wrapped,
)
from sandbox.reporting.plots.style import COLOURS, save

_DPI = 144


def draw_parallel(points: TrialPoints, axes_of: Sequence[ParameterAxis], path: Path) -> None:
    """Each trial as a line over all parameters and its figure, coloured by the figure, to a PNG."""
    low, high, beyond = span(points.values[points.of(COMPLETE)], lower=points.lower, room=0)
    heights = [_heights(axis) for axis in axes_of]
    heights.append((points.values.clip(low, high) - low) / (high - low))
    lines = np.column_stack(heights)
    colours, norm = plt.get_cmap("viridis_r" if points.lower else "viridis"), Normalize(low, high)
    names = [axis.name for axis in axes_of]
    with sns.axes_style("white"), lettering([*names, *(c for axis in axes_of for c in axis.choices)]).for_plots():
        figure, axes = plt.subplots(figsize=(max(6.4, 1.15 * lines.shape[1] + 1), 4.6), layout="constrained")
        steps = np.arange(lines.shape[1])
        whole = np.isfinite(lines).all(1)
        for state in (PRUNED, BROKEN, COMPLETE):
            ours = [p for p in points.of(state) if whole[p]]
            ours.sort(key=lambda place: points.values[place], reverse=points.lower)  # the better ones lie above
            drawn = steps[:-1] if state == PRUNED else steps  # which has no figure to be held against the others
            paths = [np.column_stack([drawn, lines[place, : len(drawn)]]) for place in ours]
            fade = float(np.clip(40 / max(len(ours), 1), 0.35, 0.9))
            inks = [colours(norm(points.values[place])) for place in ours] if state == COMPLETE else "#c4c4c4"
            axes.add_collection(LineCollection(paths, colors=inks, linewidths=1.2, alpha=fade))
        if points.best is not None and whole[points.best]:
            axes.plot(steps, lines[points.best], color="black", linewidth=3.2)
            axes.plot(steps, lines[points.best], color=COLOURS[7], linewidth=1.6)
        axes.vlines(steps, 0, 1, color=INK, linewidth=0.9, zorder=3)
        for step, axis in zip(steps, axes_of, strict=False):
            _ticks(axes, int(step), axis)
        edge = ("", "\u2265 ") if points.lower else ("\u2264 ", "")
        for height, value in ((0, low), (1, high)):
            _written(axes, int(steps[-1]), height, f"{edge[height] if beyond.any() else ''}{value:.3f}")
        axes.set(xlim=(-0.4, steps[-1] + 0.55), ylim=(-0.06, 1.06), yticks=[])
        axes.set_xticks(steps, [*(wrapped(plotted(name)) for name in names), wrapped(plotted(points.monitor))])
        axes.tick_params(axis="x", labelsize=9, length=0, pad=6)
        sns.despine(ax=axes, left=True, bottom=True)
        save(figure, path, dpi=_DPI)


def _heights(axis: ParameterAxis) -> np.ndarray:
    """(N,) places between 0 and 1."""
    low, high = _ends(axis)
    if axis.choices:  # a little apart, so that lines do not meet in one point
        apart = 0.025 * np.random.default_rng(0).uniform(-1, 1, len(axis.places))
        return axis.places / high + apart if high else 0.5 + apart + 0 * axis.places
    return (axis.scaled - low) / (high - low) if high > low else np.where(np.isfinite(axis.scaled), 0.5, np.nan)


def _ends(axis: ParameterAxis) -> tuple[float, float]:
    if axis.choices:
        return 0.0, float(len(axis.choices) - 1)
    known = axis.scaled[np.isfinite(axis.scaled)]
    return (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)


def _ticks(axes: Any, step: int, axis: ParameterAxis) -> None:
    low, high = _ends(axis)
    if axis.choices:
        last = max(len(axis.choices) - 1, 1)
        for place, choice in enumerate(axis.choices):
            height = place / last if len(axis.choices) > 1 else 0.5
            _written(axes, step, height, plotted(choice if len(choice) <= 14 else f"{choice[:13]}…"))
        return
    for height, value in ((0, low), (1, high)) if high > low else ((0.5, low),):
        _written(axes, step, height, digits(10**value if axis.log else value))


def _written(axes: Any, step: int, height: float, text: str) -> None:
    box = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.8}
    axes.text(step + 0.05, height, text, fontsize=8.5, color=INK, va="center", bbox=box, zorder=5)
