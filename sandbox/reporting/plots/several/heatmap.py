"""A heat map: the mean of a figure over two settings, losses down and miners across where nothing else is asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from sandbox.errors import SandboxError
from sandbox.evaluation.figures import lower_is_better
from sandbox.reporting.plots.fitting import Ruler, title_above, wrapped
from sandbox.reporting.plots.lettering import Lettering
from sandbox.reporting.plots.several.chosen import Mean, axis_name, data_names, figure_name, mean_of, seeds_said
from sandbox.reporting.plots.several.labels import differing, setting_of, spelt
from sandbox.reporting.plots.style import COLOURS, lightness, quiet, save
from sandbox.reporting.records.groups import Group
from sandbox.reporting.records.names import printed_setting
from sandbox.wording import first_names

_CELL = 0.42  # inches down


@dataclass(frozen=True)
class Grid:
    """The cells of a heat map."""

    key: str
    """Of the figure."""
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: dict[tuple[int, int], Mean] = field(repr=False)
    """(row, column) -> the mean; places without runs are not there."""

    @property
    def means(self) -> np.ndarray:
        """(R, C) float64, NaN where there is no run."""
        held = np.full((len(self.rows), len(self.columns)), np.nan)
        for place, mean in self.cells.items():
            held[place] = mean.value
        return held


def grid_of(groups: Sequence[Group], key: str, rows: str = "loss", columns: str = "miner") -> Grid:
    """The recipes put where their two settings say.

    Rows and columns that are numbers rise; others have the best first, but ``none`` before all.

    Args:
        groups: recipes.
        key: of the figure, such as ``test/retrieval/map@r``.
        rows: a setting that `setting_name` gave.
        columns: another.

    Raises:
        SandboxError: two recipes would share a cell; says what tells them apart.
    """
    if rows == columns:
        raise SandboxError(f"rows and columns are both {rows}; a heat map needs two settings")
    at: dict[tuple[Any, Any], Group] = {}
    for group in groups:
        try:
            place = (setting_of(group, rows), setting_of(group, columns))
        except KeyError:  # of another data set or objective
            continue
        if place in at:
            two = [at[place], group]
            apart = differing(two) or ["the objective's values" if at[place].objective != group.objective else "split"]
            raise SandboxError(
                f"two recipes have {printed_setting(rows)} {spelt(place[0])} and {printed_setting(columns)} "
                f"{spelt(place[1])} and differ in {first_names(apart)}; choose one with --where, or name what "
                "differs with --rows or --columns"
            )
        at[place] = group
    found = {place: mean for place, group in at.items() if (mean := mean_of(group, key)) is not None}
    if not found:
        raise SandboxError(f"no recipe has both {rows} and {columns} and the figure {figure_name(key)}")
    down, across = (_order(found, side, lower_is_better(key)) for side in (0, 1))
    cells = {(down.index(place[0]), across.index(place[1])): mean for place, mean in found.items()}
    return Grid(key, tuple(map(spelt, down)), tuple(map(spelt, across)), cells)


def _order(found: dict[tuple[Any, Any], Mean], side: int, lower: bool) -> list[Any]:
    best: dict[Any, float] = {}
    for place, mean in found.items():
        worth = -mean.value if lower else mean.value
        best[place[side]] = max(worth, best.get(place[side], -math.inf))
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in best)
    return sorted(best) if numbers else sorted(best, key=lambda value: (value not in ("none", None), -best[value]))


def cell_text(mean: Mean, n: bool = True) -> str:
    """The mean, half its interval and the seeds, as a cell has them."""
    lines = [f"{mean.value:.3f}", *([] if math.isnan(mean.half) else [f"± {mean.half:.3f}"])]
    return "\n".join([*lines, *([f"n = {mean.n}"] if n else [])])


def draw_heatmap(
    groups: Sequence[Group], keys: Sequence[str], path: Path, *, rows: str, columns: str, width: float
) -> str:
    """Draw a heat map for each figure, one under another, and say what it shows.

    Args:
        groups: recipes.
        keys: of the figures.
        path: ends in .png, .svg or .pdf.
        rows: a setting that `setting_name` gave.
        columns: another.
        width: inches.
    """
    grids = [grid_of(groups, key, rows, columns) for key in keys]
    title = f"{', '.join(map(figure_name, keys))} on {data_names(groups)}: {seeds_said(groups)}"
    title += (
        ", mean ± half the 95 % t-interval" if max(len(group.seeds) for group in groups) > 1 else ", so no interval"
    )
    names = [name for grid in grids for name in (*grid.rows, *grid.columns)]
    with quiet([title, *names]) as known:
        figure = heatmap_figure(grids, known, (printed_setting(rows), printed_setting(columns)), title, width)
        save(figure, path, dpi=200)
    held = len(grids[0].cells)
    whole = len(grids[0].rows) * len(grids[0].columns)
    return f"{held} of {whole} cells hold runs" + (
        "; one cell is no map: name other --rows or --columns" if whole == 1 else ""
    )


def heatmap_figure(grids: Sequence[Grid], known: Lettering, axes_of: tuple[str, str], title: str, width: float) -> Any:
    """The figure of `draw_heatmap`; its axes are those of the grids, in their order, then their colour bars."""
    height = sum(_CELL * len(grid.rows) + 0.75 for grid in grids)
    figure = plt.figure(figsize=(width, height), layout="constrained")
    lines = title_above(figure, known.written(title))
    figure.set_figheight(height + 0.16 * lines + 0.3)
    places = figure.subplots(len(grids), 1, squeeze=False)[:, 0]
    for axes, grid in zip(places, grids, strict=True):
        _draw_grid(figure, axes, grid, known, axes_of)
    return figure


def _draw_grid(figure: Any, axes: Any, grid: Grid, known: Lettering, axes_of: tuple[str, str]) -> None:
    texts = np.full(grid.means.shape, "", dtype=object)
    for place, mean in grid.cells.items():
        texts[place] = cell_text(mean)
    shades = sns.light_palette(COLOURS[0], as_cmap=True)  # one hue that darkens: in grey the order stays
    lower = lower_is_better(grid.key)
    axes.set_facecolor("white")
    axes.grid(False)
    axes.patch.set(hatch="////", edgecolor="#bbbbbb")  # what stays to be seen where no run is
    sns.heatmap(
        grid.means, ax=axes, annot=texts, fmt="", cmap=shades.reversed() if lower else shades, linewidths=1.5,
        linecolor="white", annot_kws={"fontsize": 6.5, "linespacing": 0.95}, mask=np.isnan(grid.means),
        cbar_kws={"label": axis_name(grid.key), "pad": 0.015, "fraction": 0.04},
    )  # fmt: skip
    for text in axes.texts:
        text.set_color(_ink(text, axes, len(grid.columns)))
    ruler = Ruler(figure)
    cell = 0.62 * figure.get_figwidth() / len(grid.columns)
    for axis, names, room, lines in (
        (axes.yaxis, grid.rows, 0.27 * figure.get_figwidth(), 3),
        (axes.xaxis, grid.columns, 0.92 * cell, 3),
    ):
        fits = ruler.fits(7, room)
        shown = ["\n".join(wrapped(known.written(name), fits, lines)).replace("$", r"\$") for name in names]
        axis.set_ticks(np.arange(len(names)) + 0.5, shown)
        axis.set_tick_params(length=0, rotation=0)
    axes.set(xlabel=axes_of[1], ylabel=axes_of[0])
    for edge in axes.spines.values():
        edge.set_visible(False)


def _ink(text: Any, axes: Any, columns: int) -> str:
    """Black or white, whichever stands out more from the cell that a text lies in (WCAG's contrast)."""
    column, row = (int(part) for part in text.get_position())
    light = lightness(axes.collections[0].get_facecolors()[row * columns + column][:3])
    return "white" if 1.05 / (light + 0.05) > (light + 0.05) / 0.05 else "black"
