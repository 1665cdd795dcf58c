"""A figure against what it costs: parameters, images per second in training, hours of training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from sandbox.errors import SandboxError, unknown
from sandbox.evaluation.figures import lower_is_better
from sandbox.reporting.plots.fitting import legend_below, title_above
from sandbox.reporting.plots.lettering import Lettering
from sandbox.reporting.plots.several.chosen import Mean, axis_name, data_said, figure_name, mean_of, mean_said
from sandbox.reporting.plots.several.labels import labels
from sandbox.reporting.plots.several.ticks import plain_numbers, spans_decades
from sandbox.reporting.plots.style import GREY, class_style, darker, quiet, save
from sandbox.reporting.records.groups import Group
from sandbox.reporting.records.run import Run
from sandbox.wording import counted, first_names

COSTS = {
    "parameters": "parameters of the network and its head",
    "images_per_second": "images per second in training (more is better)",
    "hours": "hours of training",
}


@dataclass(frozen=True)
class Point:
    """A recipe on the plane of cost and figure."""

    label: str
    cost: float
    """Mean over the seeds."""
    mean: Mean
    front: bool
    """Whether no other recipe is at least as good in both and better in one."""


def cost_of(run: Run, x: str) -> float | None:
    """Parameters, images per second or hours of a run; None where run.json does not say."""
    try:
        if x == "parameters":
            return float(run.facts["parameters"]["backbone"] + run.facts["parameters"]["head"])
        return float(
            run.facts["images_per_second"] if x == "images_per_second" else run.facts["seconds"]["training"] / 3600
        )
    except (KeyError, TypeError, ValueError):
        return None


def points_of(groups: Sequence[Group], key: str, x: str) -> tuple[list[Point], list[str]]:
    """The recipes, the Pareto front among them marked, and sentences on what is left out.

    Args:
        groups: recipes.
        key: of the figure.
        x: of `COSTS`.

    Raises:
        SandboxError: no such cost, or no recipe that has both.
    """
    name = x.strip().lower().replace(" ", "_")
    if name not in COSTS:
        raise unknown("cost for --x", x, COSTS)
    found, left = [], []
    for group, label in zip(groups, labels(groups), strict=True):
        costs = [cost for run in group.runs if (cost := cost_of(run, name)) is not None and cost > 0]
        mean = mean_of(group, key)
        if costs and mean is not None:
            found.append((label, sum(costs) / len(costs), mean))
        else:
            left.append(label)
    if not found:
        raise SandboxError(f"no recipe has both {figure_name(key)} and {COSTS[name]}")
    signs = (1 if name == "images_per_second" else -1, -1 if lower_is_better(key) else 1)
    worth = [(signs[0] * cost, signs[1] * mean.value) for _, cost, mean in found]
    points = [
        Point(*row, not any(a >= own[0] and b >= own[1] and (a, b) != own for a, b in worth))
        for row, own in zip(found, worth, strict=True)
    ]
    notes = [f"{counted(len(left), 'recipe is', 'recipes are')} left out, as run.json does not say the cost or the "
             f"figure is missing: {first_names(left)}"] if left else []  # fmt: skip
    devices = sorted({str(run.facts.get("device")) for group in groups for run in group.runs})
    if name != "parameters" and len(devices) > 1:
        notes.append(
            f"the runs were trained on {len(devices)} kinds of device, {first_names(devices)}: what one costs says "
            "nothing of another"
        )
    return points, notes


def draw_cost(
    groups: Sequence[Group], keys: Sequence[str], path: Path, *, x: str, width: float
) -> tuple[str, list[str]]:
    """Draw figures against a cost, one panel under another; what it shows in a sentence, and notes.

    Args:
        groups: recipes.
        keys: of the figures.
        path: ends in .png, .svg or .pdf.
        x: of `COSTS`.
        width: inches.
    """
    found = [points_of(groups, key, x) for key in keys]
    panels, notes = [points for points, _ in found], list(dict.fromkeys(note for _, more in found for note in more))
    name = COSTS[x.strip().lower().replace(" ", "_")]
    title = f"{', '.join(map(figure_name, keys))} on {data_said(groups)} against {name.partition(' (')[0]}: "
    title += mean_said(groups)
    with quiet([title, *(point.label for points in panels for point in points)]) as known:
        figure = cost_figure(panels, keys, known, name, title, width)
        save(figure, path, dpi=200)
    best = [point.label for point in panels[0] if point.front]
    return f"{counted(len(panels[0]), 'recipe', 'recipes')}; on the Pareto front: {first_names(best)}", notes


def cost_figure(
    panels: Sequence[Sequence[Point]], keys: Sequence[str], known: Lettering, name: str, title: str, width: float
) -> Any:
    """The figure of `draw_cost`, one axes for each figure; what is on the front is filled and joined."""
    figure = plt.figure(figsize=(width, 3), layout="constrained")
    lines = title_above(figure, known.written(title))
    places = figure.subplots(len(panels), 1, squeeze=False, sharex=True)[:, 0]
    order = list(dict.fromkeys(point.label for points in panels for point in points))
    for axes, points, key in zip(places, panels, keys, strict=True):
        front = sorted((point.cost, point.mean.value) for point in points if point.front)
        axes.plot(*zip(*front, strict=True), color="#888888", linewidth=0.9, zorder=1)
        for point in points:
            _draw_point(axes, point, order.index(point.label))
        axes.set_ylabel(axis_name(key))
    costs = sorted({point.cost for point in panels[0]})
    if spans_decades(costs):
        places[0].set_xscale("log")
    for axes in places:
        if spans_decades(costs):
            plain_numbers(axes.xaxis)
        else:
            axes.xaxis.set_major_formatter(lambda value, place: f"{value:,.10g}")
    places[-1].set_xlabel(name)
    entries = [(_handle(place), known.written(label)) for place, label in enumerate(order)]
    entries.append((plt.Line2D([], [], color="#888888", linewidth=0.9), "Pareto front (filled)"))
    tall = legend_below(figure, entries)
    figure.set_figheight(min(2.6, 0.65 * width) * len(panels) + 0.16 * lines + tall + 0.3)
    return figure


def _draw_point(axes: Any, point: Point, place: int) -> None:
    colour, marker = class_style(place % 24)
    half = None if math.isnan(point.mean.half) else point.mean.half
    axes.errorbar(
        point.cost, point.mean.value, yerr=half, marker=marker, markersize=6, ecolor=GREY, elinewidth=0.9, capsize=2,
        markerfacecolor=colour if point.front else "white", markeredgecolor=darker(colour), linestyle="", zorder=3,
    )  # fmt: skip


def _handle(place: int) -> Any:
    colour, marker = class_style(place % 24)
    return plt.Line2D([], [], linestyle="", marker=marker, markersize=6, color=colour, markeredgecolor=darker(colour))
