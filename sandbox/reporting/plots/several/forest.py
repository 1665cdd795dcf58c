"""A forest plot: what each recipe is worth against a baseline on the seeds they share, or, without one, its mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from sandbox.errors import SandboxError
from sandbox.evaluation.figures import lower_is_better
from sandbox.evaluation.intervals.paired import holm, paired
from sandbox.reporting.plots.fitting import Ruler, title_above, wrapped
from sandbox.reporting.plots.lettering import Lettering
from sandbox.reporting.plots.several.chosen import data_said, figure_name, mean_of, mean_said
from sandbox.reporting.plots.several.labels import labels
from sandbox.reporting.plots.style import COLOURS, INK, quiet, save
from sandbox.reporting.records.groups import Group
from sandbox.wording import counted, first_names

_ROW = 0.22  # inches


@dataclass(frozen=True)
class Effect:
    """A row of a forest plot."""

    label: str
    value: float
    """The mean, or the mean difference to the baseline."""
    half: float
    """Half of its 95 % t-interval; NaN where there is none."""
    n: int
    """Seeds, or seeds that both have."""
    p: float = math.nan
    """Of the paired t-test, adjusted by Holm for the rows; NaN where there is none."""


def effects(groups: Sequence[Group], key: str, baseline: Group | None = None) -> tuple[list[Effect], list[str]]:
    """The rows, best first, and sentences on what is left out.

    Args:
        groups: recipes.
        key: of the figure.
        baseline: one of the groups, to which the others are compared on shared seeds.

    Raises:
        SandboxError: no row is left.
    """
    names, lower = labels(groups), lower_is_better(key)
    rows, alone, single = [], [], []
    for group, name in zip(groups, names, strict=True):
        if group is baseline:
            continue
        if baseline is None:
            mean = mean_of(group, key)
            rows += [] if mean is None else [Effect(name, mean.value, mean.half, mean.n)]
            continue
        ours, theirs = group.by_seed(key), baseline.by_seed(key)
        shared = sorted(ours.keys() & theirs.keys())
        if not shared:
            alone.append(name)
            continue
        if only := sorted(ours.keys() ^ theirs.keys()):
            single.append(f"{name} (seeds {', '.join(map(str, only))})")
        found = paired([ours[seed] for seed in shared], [theirs[seed] for seed in shared], lower=lower)
        rows.append(Effect(name, found.difference, found.half, found.n, found.p))
    notes = []
    if alone:
        count = counted(len(alone), "recipe shares", "recipes share")
        notes.append(f"{count} no seed with the baseline and {'is' if len(alone) == 1 else 'are'} left out: "
                     f"{first_names(alone)}")  # fmt: skip
    if single:
        count = counted(len(single), "recipe has", "recipes have")
        notes.append(f"{count} seeds without a partner, which are left out: {first_names(single)}")
    if not rows:
        raise SandboxError(f"no recipe can be drawn: none has {figure_name(key)}" + (
            " on a seed that the baseline has" if baseline is not None else ""))  # fmt: skip
    adjusted = holm([row.p for row in rows])
    rows = [Effect(r.label, r.value, r.half, r.n, p) for r, p in zip(rows, adjusted, strict=True)]
    return sorted(rows, key=lambda row: row.value, reverse=not lower), notes


def draw_forest(
    groups: Sequence[Group], keys: Sequence[str], path: Path, *, baseline: Group | None, width: float
) -> tuple[str, list[str]]:
    """Draw the rows for each figure, one panel under another; what it shows in a sentence, and notes.

    Args:
        groups: recipes.
        keys: of the figures.
        path: ends in .png, .svg or .pdf.
        baseline: one of the groups, or None for means.
        width: inches.
    """
    panels, notes = [], []
    for key in keys:
        rows, more = effects(groups, key, baseline)
        panels.append(rows)
        notes += [note for note in more if note not in notes]
    what = ", ".join(map(figure_name, keys))
    if baseline is None:
        title = f"{what} on {data_said(groups)}: {mean_said(groups)}"
    else:
        base = labels(groups)[next(i for i, group in enumerate(groups) if group is baseline)]
        title = f"{what} on {data_said(groups)}, difference to {base} on the same seeds, with its 95 % t-interval"
    with quiet([title, *(row.label for rows in panels for row in rows)]) as known:
        figure = forest_figure(panels, keys, known, title, width, against=baseline is not None)
        save(figure, path, dpi=200)
    return counted(len(panels[0]), "recipe", "recipes"), notes


def forest_figure(
    panels: Sequence[Sequence[Effect]],
    keys: Sequence[str],
    known: Lettering,
    title: str,
    width: float,
    *,
    against: bool,
) -> Any:
    """The figure of `draw_forest`, one axes for each figure."""
    figure = plt.figure(figsize=(width, 2), layout="constrained")
    lines = title_above(figure, known.written(title))
    ruler = Ruler(figure)
    fits = ruler.fits(7.5, 0.4 * width)
    shown = [[wrapped(known.written(row.label), fits, 3) for row in rows] for rows in panels]
    tall = [[0.1 + 0.125 * len(name) for name in names] for names in shown]
    heights = [sum(rows) + 0.3 for rows in tall]
    figure.set_figheight(sum(heights) + 0.42 * len(panels) + 0.16 * lines + 0.2)
    places = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, rows, names, high, key in zip(places, panels, shown, tall, keys, strict=True):
        _draw_panel(axes, rows, names, high, key, against)
    return figure


def _draw_panel(
    axes: Any, rows: Sequence[Effect], names: Sequence[list[str]], tall: Sequence[float], key: str, against: bool
) -> None:
    down = [sum(tall[:place]) + tall[place] / 2 for place in range(len(rows))]
    if against:
        axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    for at, row in zip(down, rows, strict=True):
        there = not math.isnan(row.half)
        axes.errorbar(
            row.value, at, xerr=row.half if there else None, color=COLOURS[0], ecolor=COLOURS[0], marker="s",
            markersize=4.5, markerfacecolor=COLOURS[0] if there else "white", capsize=2.2, linewidth=1.2, zorder=3,
        )  # fmt: skip
    axes.set_yticks(down, ["\n".join(name).replace("$", r"\$") for name in names], fontsize=7.5)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(sum(tall) + 0.05, -0.25)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    right = lower_is_better(key)
    axes.set_xlabel(
        f"difference of {figure_name(key)} ({'less' if right else 'more'} is better)"
        if against
        else figure_name(key) + (" (less is better)" if right else "")
    )
    columns = [("n", 1.03, [str(row.n) for row in rows])]
    if against:
        columns.append(("p (Holm)", 1.12, [p_said(row.p) for row in rows]))
    for head, across, texts in columns:
        axes.annotate(head, (across, -0.12), xycoords=("axes fraction", "data"), fontsize=7, color="#555555",
                      ha="left", va="center", annotation_clip=False)  # fmt: skip
        for at, text in zip(down, texts, strict=True):
            axes.annotate(text, (across, at), xycoords=("axes fraction", "data"), fontsize=7, ha="left", va="center",
                          annotation_clip=False)  # fmt: skip


def p_said(p: float) -> str:
    """A p-value as a plot has it: '0.034', '< 0.001', a dash where no test could be made."""
    if math.isnan(p):
        return "-"
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
