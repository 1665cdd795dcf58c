"""Learning curves: the watched validation figure over the steps, and below it how healthy the training is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.figures import lower_is_better, printed_name
from sandbox.evaluation.intervals.paired import t_interval
from sandbox.reporting.plots.fitting import legend_below, title_above
from sandbox.reporting.plots.lettering import Lettering
from sandbox.reporting.plots.several.chosen import data_said, mean_said
from sandbox.reporting.plots.several.labels import labels
from sandbox.reporting.plots.several.ticks import plain_numbers, spans_decades
from sandbox.reporting.plots.style import INK, draw_band, line_style, quiet, save
from sandbox.reporting.records.groups import Group
from sandbox.runs.folder import RunFolder
from sandbox.wording import counted, first_names

_WHOLE = {"active": (0.0, 1.0), "mean_cosine": (-1.0, 1.0)}
HEALTH = {
    "loss": "training loss",
    "effective_rank": "effective rank",
    "mean_cosine": "mean cosine",
    "active": "share of active tuples",
    "gradient_norm": "gradient norm",
    "lr": "learning rate",
}
"""What a log has of every step, as a plot calls it."""
Log = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Course:
    """A quantity over the steps: the mean over the seeds and half its 95 % t-interval."""

    steps: np.ndarray
    """(S,) int64, those that every seed has."""
    mean: np.ndarray
    """(S,) float64; NaN where a seed's is not finite."""
    half: np.ndarray
    """(S,) float64; NaN for one seed."""

    def best(self, lower: bool) -> int | None:
        """The place of the best mean, the first of equals; None where none is finite."""
        worth = -self.mean if lower else self.mean
        return int(np.nanargmax(worth)) if np.isfinite(worth).any() else None


@dataclass(frozen=True)
class Learning:
    """The curves of a recipe."""

    label: str
    monitored: Course | None
    """None where nothing was validated."""
    health: Mapping[str, Course] = field(repr=False)
    cut: bool = False
    """Whether some seed went on after another had stopped."""


def learning_of(label: str, logs: Sequence[Log], monitor: str) -> Learning:
    """The curves of the seeds of a recipe.

    Args:
        label: what the recipe is called.
        logs: the lines of log.jsonl of each seed.
        monitor: the validation figure, without its split.
    """
    ends = {max((row["step"] for row in log), default=0) for log in logs}
    found = {key: _course(logs, lambda row, key=key: row.get(key)) for key in HEALTH}  # type: ignore[misc]
    monitored = _course(logs, lambda row: row.get("val", {}).get(monitor))
    return Learning(label, monitored, {key: c for key, c in found.items() if c is not None}, len(ends) > 1)


def _course(logs: Sequence[Log], take: Callable[[Mapping[str, Any]], Any]) -> Course | None:
    seeds = [{row["step"]: float(value) for row in log if (value := take(row)) is not None} for log in logs]
    steps = sorted(set.intersection(*map(set, seeds))) if seeds else []
    if not steps:
        return None
    pairs = [t_interval([seed[step] for seed in seeds]) for step in steps]
    mean, half = np.array(pairs).T
    mean[~np.isfinite(mean)] = np.nan
    return Course(np.array(steps), mean, half)


def draw_learning(groups: Sequence[Group], path: Path, *, width: float) -> tuple[str, list[str]]:
    """Draw the curves of recipes; what they show in a sentence, and notes.

    Raises:
        SandboxError: runs that watch different figures, or that logged nothing.
    """
    monitors = list(dict.fromkeys(group.recipe.evaluate.monitor for group in groups))
    if len(monitors) > 1:
        raise SandboxError(
            f"the runs watch {len(monitors)} figures, {first_names([*map(printed_name, monitors)])}, which have no "
            f'common axis; choose one with --where "evaluate.monitor = {monitors[0]}"'
        )
    series = [
        learning_of(label, [RunFolder(run.path).read_log() for run in group.runs], monitors[0])
        for group, label in zip(groups, labels(groups), strict=True)
    ]
    told = [line for line in series if line.health or line.monitored]
    if not told:
        raise SandboxError(f"none of {counted(len(groups), 'recipe', 'recipes')} has a log.jsonl with a step in it")
    notes = []
    if cut := [line.label for line in series if line.cut]:
        count = counted(len(cut), "recipe has", "recipes have")
        notes.append(
            f"{count} seeds that stopped sooner than others, and is drawn as far as all go: {first_names(cut)}"
        )
    if silent := [line.label for line in series if line not in told]:
        notes.append(f"left out, as no step was logged: {first_names(silent)}")
    title = f"Training on {data_said(groups)}: {mean_said(groups)}"
    with quiet([title, *(line.label for line in told)]) as known:
        figure = learning_figure(told, monitors[0], known, title, width)
        save(figure, path, dpi=200)
    return counted(len(told), "recipe", "recipes"), notes


def learning_figure(
    series: Sequence[Learning], monitor: str, known: Lettering, title: str = "", width: float = 7.0
) -> Any:
    """The figure of `draw_learning`: the axes of the watched figure, then one for each of `HEALTH` that is logged.

    Args:
        series: the recipes.
        monitor: the validation figure, without its split.
        known: fonts of the labels and the title.
        title: the line above; none where empty.
        width: inches.
    """
    shown = [key for key in HEALTH if any(key in line.health for line in series)]
    across = 3 if width >= 5 else 2
    rows = -(-len(shown) // across)
    figure = plt.figure(figsize=(width, 3), layout="constrained")
    tall = min(2.3, 0.7 * width)
    places = figure.add_gridspec(1 + rows, across, height_ratios=[tall, *[1.25] * rows])
    lines = title_above(figure, known.written(title)) if title else 0
    entries = _draw_monitored(figure.add_subplot(places[0, :]), series, monitor, known)
    for place, key in enumerate(shown):
        axes = figure.add_subplot(places[1 + place // across, place % across])
        _draw_health(axes, series, key)
        if place + across >= len(shown):
            axes.set_xlabel("step")
    legend = legend_below(figure, entries if len(series) > 1 else entries[len(series) :])
    figure.set_figheight(tall + 1.25 * rows + 0.16 * lines + legend + 0.35)
    return figure


def _draw_monitored(axes: Any, series: Sequence[Learning], monitor: str, known: Lettering) -> list[tuple[Any, str]]:
    entries, starred = [], None
    for place, line in enumerate(series):
        style = line_style(place)
        entries.append((plt.Line2D([], [], **style), known.written(line.label)))
        course = line.monitored
        if course is None:
            continue
        _draw_course(axes, course, style, len(series), marked=len(course.steps) <= 30, ends=(0.0, 1.0))
        best = course.best(lower_is_better(monitor))
        if best is not None:
            (starred,) = axes.plot(
                course.steps[best], course.mean[best], marker="*", markersize=11, color=style["color"],
                markeredgecolor=INK, markeredgewidth=0.7, linestyle="", zorder=5,
            )  # fmt: skip
            if len(series) == 1:
                text = f"best {course.mean[best]:.4f} at step {course.steps[best]:,}"
                axes.set_title(text, loc="right", color=INK)
    axes.set(xlabel="step", ylabel=f"validation {printed_name(monitor)}")
    axes.set_xlim(left=0)
    if starred is None:
        axes.text(0.5, 0.5, "nothing was validated", ha="center", transform=axes.transAxes)
        return entries
    star = plt.Line2D([], [], marker="*", markersize=9, color="white", markeredgecolor=INK, linestyle="")
    return [*entries, (star, "best step" + ("" if len(series) == 1 else " of the mean"))]


def _draw_health(axes: Any, series: Sequence[Learning], key: str) -> None:
    values: list[float] = []
    for place, line in enumerate(series):
        if key in line.health:
            _draw_course(axes, line.health[key], line_style(place), len(series), marked=False, ends=_WHOLE.get(key))
            values += line.health[key].mean[np.isfinite(line.health[key].mean)].tolist()
    axes.set_title(HEALTH[key], loc="left", fontsize=7.5)
    if values and key in ("loss", "gradient_norm") and spans_decades(values):
        axes.set(yscale="log", ylim=(min(values) / 2, max(values) * 2))
        plain_numbers(axes.yaxis)
    elif values and key in ("loss", "gradient_norm"):  # by the lines: a band of few seeds may reach far
        room = 0.15 * (max(values) - min(values)) or 0.1 * abs(max(values)) or 1.0
        axes.set_ylim(min(values) - room, max(values) + room)
    if key == "active":
        axes.set_ylim(-0.04, 1.04)
    axes.set_xlim(left=0)


def _draw_course(
    axes: Any, course: Course, style: Mapping[str, Any], of: int, *, marked: bool, ends: tuple[float, float] | None
) -> None:
    """A line with its band, which stays in what the quantity can be; markers at each point, or at a few for grey."""
    every = 1 if marked else max(1, math.ceil(len(course.steps) / 4))
    style = {**style, "marker": style["marker"] if marked or of > 1 else ""}
    axes.plot(course.steps, course.mean, markevery=every, **{**style, "linewidth": 1.3 if marked else 1.0})
    low, high = course.mean - course.half, course.mean + course.half
    if np.isfinite(low).any() and (marked or of <= 3):  # many bands of noise show nothing
        low, high = (low, high) if ends is None else (low.clip(*ends), high.clip(*ends))
        draw_band(axes, course.steps, low, high, str(style["color"]), of=of)
