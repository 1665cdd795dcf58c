"""Recall@k over k, of the test embeddings that runs keep."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.figures import on_whole_scale
from sandbox.evaluation.intervals.paired import t_interval
from sandbox.reporting.plots.fitting import legend_below, title_above
from sandbox.reporting.plots.lettering import Lettering
from sandbox.reporting.plots.several.chosen import data_said, seeds_said
from sandbox.reporting.plots.several.ticks import plain_numbers
from sandbox.reporting.plots.several.verified import embeddings_of, of_each
from sandbox.reporting.plots.style import draw_band, line_style, quiet, save
from sandbox.reporting.records.groups import Group
from sandbox.reporting.records.run import Run
from sandbox.wording import counted

RANKS = (1, 2, 3, 5, 10, 20, 50, 100)


@dataclass(frozen=True)
class Recalls:
    """A line: recall at each k."""

    label: str
    k: np.ndarray = field(repr=False)
    """(K,) of `RANKS`, as far as there are neighbours."""
    value: np.ndarray = field(repr=False)
    """(K,) 0 to 1."""
    low: np.ndarray = field(repr=False)
    high: np.ndarray = field(repr=False)
    """(K,) ends of the 95 % interval; NaN where there is none."""


def recalls_of(run: Run) -> np.ndarray:
    """(K, 3) recall@k of a run's test split, with the ends of its interval by identity, for `RANKS`.

    Raises:
        SandboxError: no test embeddings, or the run's report has no retrieval on test.
    """
    if "retrieval/recall@1" not in run.report.get("test", {}) and "retrieval/map@r" not in run.report.get("test", {}):
        raise SandboxError(f"{run.path.name} was not judged by retrieval on test")
    kept = embeddings_of(run).take("test")
    ranks = [k for k in RANKS if k < len(kept.x)]
    found = on_whole_scale(kept.retrieved(ranks).figures(intervals=True))
    rows = [found[f"retrieval/recall@{k}"] for k in ranks]
    return np.array([[row["value"], row.get("low", math.nan), row.get("high", math.nan)] for row in rows])


def mean_recalls(label: str, rows: Sequence[np.ndarray]) -> Recalls:
    """The line of a recipe: of one run with its interval by identity, of several seeds with the t-interval."""
    if len(rows) == 1:
        value, low, high = rows[0].T
        return Recalls(label, np.array(RANKS[: len(value)]), value, low, high)
    table = np.stack([row[:, 0] for row in rows])
    value, half = np.array([t_interval(column.tolist()) for column in table.T]).T
    return Recalls(label, np.array(RANKS[: len(value)]), value, (value - half).clip(0, 1), (value + half).clip(0, 1))


def draw_recall(groups: Sequence[Group], path: Path, *, width: float) -> tuple[str, list[str]]:
    """Draw recall@k of recipes; what it shows in a sentence, and notes.

    Raises:
        SandboxError: no run keeps test embeddings.
    """
    found, notes = of_each(groups, "recall@k", recalls_of)
    lines = [mean_recalls(label, rows) for label, rows in found]
    title = f"Recall@k on {data_said(groups)}: mean of {seeds_said(groups)}, band 95 % interval"
    with quiet([title, *(line.label for line in lines)]) as known:
        figure = recall_figure(lines, known, title, width)
        save(figure, path, dpi=200)
    return f"{counted(len(lines), 'recipe', 'recipes')}, k up to {lines[0].k[-1]}", notes


def recall_figure(lines: Sequence[Recalls], known: Lettering, title: str, width: float) -> Any:
    """The figure of `draw_recall`, with one axes."""
    figure = plt.figure(figsize=(width, 3), layout="constrained")
    above = title_above(figure, known.written(title))
    axes = figure.subplots()
    entries = []
    for place, line in enumerate(lines):
        style = line_style(place)
        (drawn,) = axes.plot(line.k, line.value, **style)
        draw_band(axes, line.k, line.low, line.high, style["color"], of=len(lines))
        entries.append((drawn, known.written(line.label)))
    axes.set(xscale="log", xlabel="k", ylabel="recall@k")
    axes.set_ylim(None, min(1.02, axes.get_ylim()[1]))
    longest = max((line.k for line in lines), key=len)
    plain_numbers(axes.xaxis, longest.tolist())
    axes.set_xticks(longest, [str(k) for k in longest])
    figure.set_figheight(min(2.8, 0.7 * width) + 0.16 * above + legend_below(figure, entries) + 0.2)
    return figure
