"""What came of a study's trials: one after another, the best among all, their learning curves, and the front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.ticker import MaxNLocator

from sandbox.reporting.plots.lettering import lettering
from sandbox.reporting.plots.study_marks import (
    BEST,
    BROKEN,
    COMPLETE,
    DEFAULT,
    DEFAULT_LINE,
    FAILED,
    INK,
    PRUNED,
    STYLES,
    TrialPoints,
    legend_entry,
    scatter_states,
    span,
)
from sandbox.reporting.plots.style import COLOURS, GREY, draw_legend, save

_DPI = 144
_LABELLED = 14  # trials of the front with their number beside them, at most
_CURVES = {
    COMPLETE: (COLOURS[4], "-"),
    BROKEN: ("#8a8a8a", "-."),
    PRUNED: ("#d79a2b", "-"),
    FAILED: (COLOURS[6], ":"),
}
_ON_FRONT = {**STYLES[COMPLETE], "s": 62, "marker": "h"}
_BEATEN = {**STYLES[COMPLETE], "c": COLOURS[4]}


def draw_history(points: TrialPoints, path: Path) -> int:
    """Each trial's figure by its number, the best so far, and the default as a line, to a PNG.

    Returns:
        How many trials lie beyond the axis and are drawn on its edge.
    """
    with sns.axes_style("whitegrid"), lettering([points.monitor]).for_plots():
        figure, axes = plt.subplots(figsize=(8.2, 4.1), layout="constrained")
        keep = [] if points.default is None else [points.default]
        low, high, beyond = span(points.values, lower=points.lower, keep=keep)
        up = points.values.clip(low, high)
        entries = []
        complete = points.of(COMPLETE)
        if len(complete):
            best = (np.minimum if points.lower else np.maximum).accumulate(points.values[complete])
            across = np.append(points.numbers[complete], points.numbers.max())
            (line,) = axes.step(across, np.append(best, best[-1]), where="post", color=COLOURS[0], linewidth=1.6)
            entries.append((line, "best so far"))
        if points.default is not None:
            entries.append((axes.axhline(points.default, **DEFAULT_LINE), "default"))
        there = scatter_states(axes, points.numbers.astype(float), points, up)
        entries += [
            (legend_entry(STYLES[s]), _counted(s, len(points.of(s)))) for s in (COMPLETE, BROKEN, PRUNED) if s in there
        ]
        rest = np.array([place for place, value in enumerate(points.values) if not np.isfinite(value)], np.int64)
        if len(rest):
            on_axis = axes.get_xaxis_transform()
            axes.scatter(points.numbers[rest], np.zeros(len(rest)), transform=on_axis, clip_on=False, **STYLES[FAILED])
            entries.append((legend_entry(STYLES[FAILED]), f"failed, or pruned before a figure ({len(rest)})"))
        if points.best is not None:
            entries.append((legend_entry(BEST), "best"))
        axes.set(xlabel="trial", ylabel=points.label, ylim=(low, high))
        axes.set_xlim(points.numbers.min() - 1, points.numbers.max() + 1)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
        if not np.isfinite([*points.values, *keep]).any():
            axes.set_yticks([])  # there is no figure
        _finish(figure, entries, path)
    return int(beyond.sum())


def draw_spread(points: TrialPoints, path: Path) -> None:
    """Complete trials from the worst to the best, the default among them, to a PNG."""
    kept = points.of(COMPLETE)
    order = kept[np.argsort(-points.values[kept] if points.lower else points.values[kept], kind="stable")]
    with sns.axes_style("whitegrid"), lettering([points.monitor]).for_plots():
        figure, axes = plt.subplots(figsize=(8.2, 3.2), layout="constrained")
        across, up = points.values[order], 100 * np.arange(1, len(order) + 1) / len(order)
        axes.vlines(across, 0, up, color=GREY, linewidth=0.6, zorder=1)
        axes.scatter(across, up, **STYLES[COMPLETE])
        entries = [(legend_entry(STYLES[COMPLETE]), _counted(COMPLETE, len(order)))]
        if points.best is not None:
            axes.scatter(points.values[points.best], 100, clip_on=False, **BEST)
            entries.append((legend_entry(BEST), "best"))
        if points.default is not None:
            entries.append((axes.axvline(points.default, **DEFAULT_LINE), "default"))
        axes.set(xlabel=points.label, ylabel="% of trials\nno better than it", ylim=(0, 106))
        if points.lower:
            axes.invert_xaxis()
        _finish(figure, entries, path)


def draw_learning_curves(
    curves: Sequence[Mapping[int, float]],
    points: TrialPoints,
    path: Path,
    *,
    default: Mapping[int, float] | None = None,
) -> int:
    """The figure of each trial over its steps, those that were pruned marked where they were cut, to a PNG.

    Args:
        curves: step -> figure for each of the points.
        points: the trials.
        path: where the PNG goes.
        default: the curve of the default trial.

    Returns:
        How many curves begin or go beyond the axis.
    """
    paths = [np.array(sorted(curve.items()), np.float64).reshape(-1, 2) for curve in curves]
    figures = np.concatenate([curve[:, 1] for curve in paths] or [np.zeros(0)])
    with sns.axes_style("whitegrid"), lettering([points.monitor]).for_plots():
        figure, axes = plt.subplots(figsize=(8.2, 4.1), layout="constrained")
        low, high, _ = span(figures, lower=points.lower, keep=list((default or {}).values()))
        entries = []
        for state in _CURVES:
            ours = [kept for place, kept in enumerate(paths) if points.states[place] == state and len(kept)]
            if ours:
                entries.append((_draw_curves(axes, ours, state, (low, high)), f"{state} ({len(ours)})"))
        if default:
            (line,) = axes.plot(*zip(*sorted(default.items()), strict=True), **{**DEFAULT_LINE, "zorder": 5})
            entries.append((line, "default"))
        if points.best is not None and len(paths[points.best]):
            (line,) = axes.plot(*paths[points.best].T, color=COLOURS[0], linewidth=2.4, zorder=6)
            entries.append((line, "best"))
        axes.set(xlabel="step", ylabel=points.curve_label, ylim=(low, high))
        _finish(figure, entries, path)
    return sum(bool(((curve[:, 1] < low) | (curve[:, 1] > high)).any()) for curve in paths)


def _draw_curves(axes: Any, curves: Sequence[np.ndarray], state: str, ends: tuple[float, float]) -> Any:
    """Draw curves (K, 2) of trials of one state, marked where they were cut; returns an artist for the legend."""
    colour, dashes = _CURVES[state]
    fade = float(np.clip(25 / len(curves), 0.12, 0.9))
    for curve in curves:
        axes.plot(*curve.T, color=colour, linestyle=dashes, linewidth=1.1, alpha=fade, zorder=2)
    cut = state in (PRUNED, FAILED)
    if cut:
        last = np.array([curve[-1] for curve in curves])
        axes.scatter(last[:, 0], last[:, 1].clip(*ends), **STYLES[state])
    marker = STYLES[state]["marker"] if cut else ""
    return plt.Line2D([], [], color=colour, linestyle=dashes, marker=marker, markerfacecolor="none")


@dataclass(frozen=True)
class Front:
    """Complete trials by M figures, the default not among them."""

    values: np.ndarray = field(repr=False)
    """(N, M) float64."""
    numbers: np.ndarray = field(repr=False)
    """(N,) int64 of the trials."""
    kept: np.ndarray = field(repr=False)
    """(N,) bool: no other one equals it in all and beats it in one."""
    feasible: np.ndarray = field(repr=False)
    """(N,) bool: it meets every constraint."""
    monitors: Sequence[str]
    lower: Sequence[bool]
    """Of each figure, whether less is better."""
    default: Sequence[float] | None = None
    """Figures of the default trial."""
    judge: str = "validation"
    """What the figures are of."""


def draw_front(front: Front, path: Path) -> None:
    """Trials by the first figure and each further one, those of the front with their numbers, to a PNG."""
    others = range(1, len(front.monitors))
    with sns.axes_style("whitegrid"), lettering(front.monitors).for_plots():
        figure, grid = plt.subplots(len(others), 1, figsize=(7, 4.3 * len(others)), squeeze=False, layout="constrained")
        for axes, other in zip(grid[:, 0], others, strict=True):
            _draw_pair(axes, front, other)
        counts = [
            (_ON_FRONT, "front", front.kept.sum()),
            (_BEATEN, "beaten", (front.feasible & ~front.kept).sum()),
            (STYLES[BROKEN], BROKEN, (~front.feasible).sum()),
        ]
        entries = [(legend_entry(style), f"{name} ({count})") for style, name, count in counts if count]
        entries += [(legend_entry(DEFAULT), "default")] if front.default is not None else []
        _finish(figure, entries, path)


def _draw_pair(axes: Any, front: Front, other: int) -> None:
    """The first figure across and another one up; of two figures the front is a line."""
    across, up = front.values[:, 0], front.values[:, other]
    rest = front.feasible & ~front.kept
    for those, style in ((~front.feasible, STYLES[BROKEN]), (rest, _BEATEN), (front.kept, _ON_FRONT)):
        axes.scatter(across[those], up[those], **style)
    order = np.flatnonzero(front.kept)[np.argsort(across[front.kept], kind="stable")]
    if len(front.monitors) == 2:
        where = "post" if front.lower[0] else "pre"
        axes.step(across[order], up[order], where=where, color=COLOURS[0], linewidth=1.2)
    for turn, place in enumerate(order if len(order) <= _LABELLED else ()):
        aside = ((5, 5), (4, -13))[turn % 2]  # above and below by turns, for those that lie close
        at, text = (across[place], up[place]), str(front.numbers[place])
        axes.annotate(text, at, aside, textcoords="offset points", fontsize=8.5, color=INK)
    if front.default is not None:
        axes.scatter(front.default[0], front.default[other], **DEFAULT)
    axes.set(xlabel=_named(front, 0), ylabel=_named(front, other))
    axes.margins(0.08)


def _named(front: Front, place: int) -> str:
    return f"{front.judge} {front.monitors[place]}" + ("\n(less is better)" if front.lower[place] else "")


def _counted(state: str, count: int) -> str:
    return f"pruned, last figure ({count})" if state == PRUNED else f"{state} ({count})"


def _finish(figure: Any, entries: Sequence[tuple[Any, str]], path: Path) -> None:
    if entries:
        draw_legend(figure, entries, loc="outside lower center", ncols=min(len(entries), 3))
    save(figure, path, dpi=_DPI)
