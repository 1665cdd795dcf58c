"""Where in the searched space the figures lie: along each parameter, over two of them, and which parameters matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.colors import Normalize
from matplotlib.patches import Polygon
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from sandbox.reporting.plots.lettering import lettering
from sandbox.reporting.plots.study_marks import (
    BEST,
    BROKEN,
    COMPLETE,
    DEFAULT,
    DEFAULT_LINE,
    PRUNED,
    STYLES,
    ParameterAxis,
    TrialPoints,
    digits,
    plotted,
    scatter_states,
    span,
)
from sandbox.reporting.plots.style import COLOURS, save

_DPI = 144
_FEWEST = 12
"""Different places that a surface is laid through at least."""


def draw_importance(names: Sequence[str], shares: np.ndarray, chance: np.ndarray, path: Path) -> None:
    """Bars of the shares (P,) of parameters, most first, with what chance alone stays below (P,), to a PNG."""
    with sns.axes_style("whitegrid"), lettering(names).for_plots():
        figure, axes = plt.subplots(figsize=(7.6, 0.9 + 0.38 * len(names)), layout="constrained")
        rows = np.arange(len(names))
        inks = [COLOURS[0] if share > by else "#a9c9dd" for share, by in zip(shares, chance, strict=True)]
        axes.barh(rows, 100 * shares, height=0.62, color=inks, zorder=2)
        axes.vlines(100 * chance, rows - 0.42, rows + 0.42, color="black", linewidth=1.6, zorder=3)
        named = [f"{plotted(name)}   {100 * share:.0f} %" for name, share in zip(names, shares, strict=True)]
        axes.set_yticks(rows, named)
        axes.set(xlabel="share of the importance, %", xlim=(0, 100 * max(shares.max(), chance.max()) + 3))
        axes.invert_yaxis()
        axes.grid(False, axis="y")
        save(figure, path, dpi=_DPI)


def draw_slice(points: TrialPoints, axis: ParameterAxis, path: Path) -> None:
    """The figure of each trial against one parameter, of choices in strips with their medians, to a PNG."""
    with sns.axes_style("whitegrid"), lettering([axis.name, *axis.choices, points.monitor]).for_plots():
        figure, axes = plt.subplots(figsize=(4.7, 3.4), layout="constrained")
        keep = [] if points.default is None else [points.default]
        low, high, _ = span(points.values, lower=points.lower, keep=keep)
        across = _strips(axis, points) if axis.choices else axis.places
        if points.default is not None:
            axes.axhline(points.default, **{**DEFAULT_LINE, "linewidth": 0.8})
        scatter_states(axes, across, points, points.values.clip(low, high))
        if axis.default is not None and points.default is not None:
            axes.scatter(axis.default, points.default, **DEFAULT)
        complete = points.of(COMPLETE)
        for choice in range(len(axis.choices)):
            ours = points.values[complete][axis.places[complete] == choice]
            if len(ours):
                axes.hlines(np.median(ours), choice - 0.3, choice + 0.3, color=COLOURS[0], linewidth=2, zorder=3)
        axes.set(xlabel=plotted(axis.name), ylabel=points.label, ylim=(low, high))
        counts = [int((axis.places[complete] == choice).sum()) for choice in range(len(axis.choices))]
        _scale(axes, axis, "x", [f"n = {count}" for count in counts])
        save(figure, path, dpi=_DPI)


def draw_contour(points: TrialPoints, across: ParameterAxis, up: ParameterAxis, path: Path) -> bool:
    """The figure over two parameters, to a PNG: a smoothed surface where trials lie around, else the trials alone.

    Returns:
        Whether a surface was laid.
    """
    kept = points.of(COMPLETE)
    kept = kept[np.isfinite(across.places[kept]) & np.isfinite(up.places[kept])]
    values = points.values[kept]
    low, high, _ = span(values, lower=points.lower, room=0)
    look = {"cmap": "viridis_r" if points.lower else "viridis", "norm": Normalize(low, high)}
    with sns.axes_style("white"), lettering([across.name, up.name, *across.choices, *up.choices]).for_plots():
        figure, axes = plt.subplots(figsize=(7.2, 5), layout="constrained")
        places = np.column_stack([across.scaled[kept], up.scaled[kept]])
        surface = None if across.choices or up.choices else _surface(places, values)
        if surface is not None:
            _draw_surface(axes, surface, (across.log, up.log), np.linspace(low, high, 15), look)
        x = _strips(across, points) if across.choices else across.places
        y = _strips(up, points, seed=1) if up.choices else up.places
        for state in (PRUNED, BROKEN):
            axes.scatter(x[points.of(state)], y[points.of(state)], **{**STYLES[state], "c": "white"})
        size = float(np.clip(34 * 100 / len(kept), 10, 34))
        axes.scatter(x[kept], y[kept], s=1.8 * size, c="white", linewidths=0, zorder=4)  # seen on every colour
        drawn = axes.scatter(x[kept], y[kept], s=size, c=values, edgecolors="black", linewidths=0.6, zorder=4, **look)
        if points.best is not None:
            axes.scatter(x[points.best], y[points.best], **{**BEST, "s": 420, "c": "white", "linewidths": 0})
            axes.scatter(x[points.best], y[points.best], **BEST)
        if across.default is not None and up.default is not None:
            axes.scatter(across.default, up.default, **DEFAULT)
        axes.set(xlabel=plotted(across.name), ylabel=plotted(up.name))
        _scale(axes, across, "x")
        _scale(axes, up, "y")
        figure.colorbar(drawn, ax=axes, label=points.label)
        save(figure, path, dpi=_DPI)
    return surface is not None


def _draw_surface(
    axes: Any, surface: Surface, log: tuple[bool, bool], levels: np.ndarray, look: dict[str, Any]
) -> None:
    """Filled levels, cut along the line around the trials."""
    x, y = (10**side if is_log else side for side, is_log in zip((surface.x, surface.y), log, strict=True))
    z = surface.z.clip(levels[0], levels[-1])
    around = np.column_stack([10**a if is_log else a for a, is_log in zip(surface.around.T, log, strict=True)])
    edge = Polygon(around, facecolor="none", edgecolor="none")
    axes.add_patch(edge)
    axes.contourf(x, y, z, levels=levels, **look).set_clip_path(edge)
    axes.contour(x, y, z, levels=levels, colors="white", linewidths=0.35).set_clip_path(edge)


@dataclass(frozen=True)
class Surface:
    """Figures laid smoothly over two axes, of logarithmic ones over the logarithms."""

    x: np.ndarray = field(repr=False)
    """(G,) float64."""
    y: np.ndarray = field(repr=False)
    """(G,) float64."""
    z: np.ndarray = field(repr=False)
    """(G, G) float64."""
    around: np.ndarray = field(repr=False)
    """(K, 2) float64: corners of the line around the trials, beyond which nothing is known."""


def _surface(places: np.ndarray, values: np.ndarray) -> Surface | None:
    """A smoothed surface through values (N,) at places (N, 2); None of too few, and of those on one line."""
    from scipy.interpolate import RBFInterpolator
    from scipy.spatial import ConvexHull, QhullError

    reach = np.ptp(places, axis=0) if len(places) else np.zeros(2)
    if not reach.all():
        return None
    unit = (places - places.min(0)) / reach
    if len(np.unique(unit.round(6), axis=0)) < _FEWEST:
        return None
    side = np.linspace(0, 1, 100)
    grid = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    try:
        around = places[ConvexHull(unit).vertices]
        laid = RBFInterpolator(unit, values, neighbors=min(len(unit), 60), smoothing=1e-2)(grid)
    except (QhullError, np.linalg.LinAlgError):
        return None
    low = places.min(0)
    z = laid.clip(values.min(), values.max()).reshape(100, 100)
    return Surface(low[0] + side * reach[0], low[1] + side * reach[1], z, around)


def _strips(axis: ParameterAxis, points: TrialPoints, seed: int = 0) -> np.ndarray:
    """(N,) places of choices, moved a little to the side so that points do not hide each other."""
    return axis.places + np.random.default_rng(seed).uniform(-0.22, 0.22, len(points.values))


def _scale(axes: Any, axis: ParameterAxis, which: str, below: Sequence[str] = ()) -> None:
    """Logarithmic where the range is, and the choices by their names."""
    if axis.choices:
        names = [plotted(choice if len(choice) <= 16 else f"{choice[:15]}…") for choice in axis.choices]
        names = [f"{name}\n{more}" for name, more in zip(names, below, strict=True)] if below else names
        getattr(axes, f"set_{which}ticks")(range(len(names)), names)
        getattr(axes, f"set_{which}lim")(-0.6, len(names) - 0.4)
        if which == "x" and len(names) > 5:
            axes.tick_params(axis="x", labelrotation=45, labelsize=8)
    elif axis.log:
        getattr(axes, f"set_{which}scale")("log")
        known = np.append(axis.scaled, np.nan if axis.default is None else np.log10(axis.default))
        known = known[np.isfinite(known)]
        if len(known) and np.ptp(known) < 1.7:  # not two powers of ten: label some between
            on = axes.xaxis if which == "x" else axes.yaxis
            on.set_major_locator(LogLocator(subs=(1, 2, 5)) if np.ptp(known) > 0.7 else MaxNLocator(5))
            on.set_major_formatter(lambda value, _: digits(value))
            on.set_minor_formatter(NullFormatter())
