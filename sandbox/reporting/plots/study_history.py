"""What came of a study's trials: one after another, the best among all, their learning curves, and the front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    sorted_curves = [np.array(sorted(curve.items()), np.float64).reshape(-1, 2) for curve in curves]
    drawn = {
        COMPLETE: (COLOURS[4], "-"),
        BROKEN: ("#8a8a8a", "-."),
        PRUNED: ("#d79a2b", "-"),
        FAILED: (COLOURS[6], ":"),
    }
    all_values = np.concatenate([curve[:, 1] for curve in sorted_curves] or [np.zeros(0)])
    with sns.axes_style("whitegrid"), lettering([points.monitor]).for_plots():
        figure, axes = plt.subplots(figsize=(8.2, 4.1), layout="constrained")
        low, high, _ = span(all_values, lower=points.lower, keep=list((default or {}).values()))
        entries = []
        alpha = float(np.clip(25 / max(len(curves), 1), 0.12, 0.9))
        for state, (colour, dashes) in drawn.items():
            ours = [c for place, c in enumerate(sorted_curves) if points.states[place] == state and len(c)]
            for curve in ours:
                axes.plot(*curve.T, color=colour, linestyle=dashes, linewidth=1.1, alpha=alpha, zorder=2)
            if ours and state in (PRUNED, FAILED):
                ends = np.array([curve[-1] for curve in ours])
                axes.scatter(ends[:, 0], ends[:, 1].clip(low, high), **STYLES[state])
            if ours:
                marker = STYLES[state]["marker"] if state in (PRUNED, FAILED) else ""
                artist = plt.Line2D([], [], color=colour, linestyle=dashes, marker=marker, markerfacecolor="none")
                entries.append((artist, f"{state} ({len(ours)})"))
        if default:
            (line,) = axes.plot(*zip(*sorted(default.items()), strict=True), **{**DEFAULT_LINE, "zorder": 5})
            entries.append((line, "default"))
        if points.best is not None and len(sorted_curves[points.best]):
            (line,) = axes.plot(*sorted_curves[points.best].T, color=COLOURS[0], linewidth=2.4, zorder=6)
            entries.append((line, "best"))
        axes.set(xlabel="step", ylabel=points.label, ylim=(low, high))
        _finish(figure, entries, path)
    return sum(bool(((curve[:, 1] < low) | (curve[:, 1] > high)).any()) for curve in sorted_curves)


def draw_front(
    values: np.ndarray,
    numbers: np.ndarray,
    front: np.ndarray,
    feasible: np.ndarray,
    path: Path,
    *,
    monitors: Sequence[str],
    lower: Sequence[bool],
    default: Sequence[float] | None = None,
) -> None:
    """Complete trials by two figures, those of the front with their numbers, to a PNG.

    Args:
        values: (N, M) float64; of more than two figures the first against each further one.
        numbers: (N,) of the trials.
        front: (N,) bool, which no other one equals in all and beats in one.
        feasible: (N,) bool, which meet every constraint.
        path: where the PNG goes.
        monitors: names of the M figures.
        lower: of each, whether less is better.
        default: figures of the default trial.
    """
    others = range(1, values.shape[1])
    with sns.axes_style("whitegrid"), lettering(monitors).for_plots():
        figure, grid = plt.subplots(len(others), 1, figsize=(7, 4.3 * len(others)), squeeze=False, layout="constrained")
        rest = feasible & ~front
        for axes, other in zip(grid[:, 0], others, strict=True):
            axes.scatter(values[~feasible, 0], values[~feasible, other], **STYLES[BROKEN])
            axes.scatter(values[rest, 0], values[rest, other], **{**STYLES[COMPLETE], "c": COLOURS[4]})
            axes.scatter(values[front, 0], values[front, other], **{**STYLES[COMPLETE], "s": 62, "marker": "h"})
            order = np.flatnonzero(front)[np.argsort(values[front, 0], kind="stable")]
            if len(others) == 1:
                where = "post" if lower[0] else "pre"
                axes.step(values[order, 0], values[order, other], where=where, color=COLOURS[0], linewidth=1.2)
            for place in order if len(order) <= _LABELLED else ():
                at = (values[place, 0], values[place, other])
                axes.annotate(str(numbers[place]), at, (5, 5), textcoords="offset points", fontsize=8.5, color=INK)
            if default is not None:
                axes.scatter(default[0], default[other], **DEFAULT)
            axes.set(xlabel=_named(monitors[0], lower[0]), ylabel=_named(monitors[other], lower[other]))
            axes.margins(0.08)
        entries = [
            (legend_entry({**STYLES[COMPLETE], "s": 62, "marker": "h"}), f"front ({front.sum()})"),
            (legend_entry({**STYLES[COMPLETE], "c": COLOURS[4]}), f"beaten ({rest.sum()})"),
        ]
        entries = [entry for entry, some in zip(entries, (front.any(), rest.any()), strict=True) if some]
        entries += (
            [(legend_entry(STYLES[BROKEN]), _counted(BROKEN, int((~feasible).sum())))] if not feasible.all() else []
        )
        entries += [(legend_entry(DEFAULT), "default")] if default is not None else []
        _finish(figure, entries, path)


def _named(monitor: str, lower: bool) -> str:
    return f"validation {monitor}" + ("\n(less is better)" if lower else "")


def _counted(state: str, count: int) -> str:
    return f"pruned, last figure ({count})" if state == PRUNED else f"{state} ({count})"


def _finish(figure: Any, entries: Sequence[tuple[Any, str]], path: Path) -> None:
    if entries:
        draw_legend(figure, entries, loc="outside lower center", ncols=min(len(entries), 3))
    save(figure, path, dpi=_DPI)
