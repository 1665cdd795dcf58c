"""Features of two numbers drawn as they are: what softmax alone makes of classes, and what center loss adds.

The figures 2 and 3 of Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition", ECCV 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from sandbox.reporting.plots.fitting import shortened, title_above
from sandbox.reporting.plots.lettering import Lettering, lettering
from sandbox.reporting.plots.placing import place_names
from sandbox.reporting.plots.style import GREY, MOST_COLOURED, class_style, darker, draw_legend, ink, save


@dataclass(frozen=True)
class Panel:
    """One set of images under one network."""

    title: str
    features: np.ndarray = field(repr=False)
    """(N, 2) float32, as the network puts them out."""
    labels: np.ndarray = field(repr=False)
    """(N,) int64."""
    accuracy: float
    """Share of the images whose class the network's own classifier names."""
    centers: np.ndarray | None = field(default=None, repr=False)
    """(C, 2) float32 where the loss learnt a center of each class."""


def draw_plane(rows: Sequence[Sequence[Panel]], classes: Sequence[str], path: Path, *, title: str) -> None:
    """Draw panels as a PNG: a row for each network, whose panels have the same axes.

    Args:
        rows: the same number of panels in each.
        classes: the name of each label; classes after the first 24 are grey.
        path: ends in .png; its folder is made.
        title: the line above.

    Raises:
        SandboxError: the file cannot be written.
    """
    known = lettering([title, *classes[:MOST_COLOURED]])
    with sns.axes_style("whitegrid"), known.for_plots():
        save(plane_figure(rows, classes, known, title), path, dpi=150)


def plane_figure(rows: Sequence[Sequence[Panel]], classes: Sequence[str], known: Lettering, title: str) -> Any:
    """The figure of `draw_plane`, its axes row by row."""
    columns = len(rows[0])
    figure, grid = plt.subplots(
        len(rows),
        columns,
        figsize=(4.3 * columns + 1.2, 4.4 * len(rows)),
        squeeze=False,
        layout="constrained",
    )
    spans: list[float] = []
    for row, panels in zip(grid, rows, strict=True):
        limits = _limits(panels)
        for axes, panel in zip(row, panels, strict=True):
            _draw_panel(axes, panel)
            axes.set(xlim=limits[0], ylim=limits[1])
        row[0].set_ylabel("second feature")
        spans.append(float(limits[0, 1] - limits[0, 0]))
    figure.align_ylabels(grid[:, 0])
    for axes in grid[-1]:
        axes.set_xlabel("first feature")
    if max(spans) > 1.2 * min(spans):
        said = " and ".join(f"{span:.3g}" for span in spans)
        figure.supxlabel(f"each row has a scale of its own: its axes span {said}", fontsize=9, color="#555555")
    names = [_short(known.written(name), 20).replace("$", r"\$") for name in classes]
    _draw_legend(figure, names, any(panel.centers is not None for row in rows for panel in row))
    title_above(figure, known.written(title), size=12)
    figure.canvas.draw()
    figure.set_layout_engine("none")  # names are placed in pixels
    short = [_short(known.written(name), 14).replace("$", r"\$") for name in classes]
    for row, panels in zip(grid, rows, strict=True):
        for axes, panel in zip(row, panels, strict=True):
            _draw_names(figure, axes, panel, short)
    return figure


def _draw_panel(axes: Any, panel: Panel) -> None:
    for label in np.unique(panel.labels)[::-1]:  # what is grey lies below
        colour, marker = class_style(label) if label < MOST_COLOURED else (GREY, "o")
        ours = panel.features[panel.labels == label]
        axes.scatter(*ours.T, s=14, c=colour, marker=marker, edgecolors=[darker(colour)], linewidths=0.3, zorder=2)
    if panel.centers is not None:
        for width, colour in ((2.0, "white"), (1.0, "black")):  # seen on black points as well
            axes.scatter(*panel.centers.T, s=40, c=colour, marker="+", linewidths=width, zorder=3)
    axes.set_title(f"{panel.title}\ntop-1 {panel.accuracy:.4f} of {len(panel.labels):,} images", fontsize=10.5)
    axes.set_aspect("equal")


def _draw_names(figure: Any, axes: Any, panel: Panel, names: Sequence[str]) -> None:
    """The name of each class beyond its images, as seen from the middle of all."""
    middle, wanted = np.median(panel.features, axis=0), []
    span = float(np.ptp(axes.get_xlim()))
    for label in np.unique(panel.labels):
        if label >= MOST_COLOURED:
            continue
        ours = panel.features[panel.labels == label]
        point = np.median(ours, axis=0)
        away = float(np.linalg.norm(point - middle))
        outward = (point - middle) / away if away > 1e-3 * span else np.array([0.0, 1.0])
        beyond = float(np.quantile((ours - point) @ outward, 0.98)) + 0.045 * span
        place = point + beyond * outward
        wanted.append((tuple(point), tuple(place), names[label], ink(class_style(int(label))[0])))
    place_names(figure, axes, wanted)


def _limits(panels: Sequence[Panel]) -> np.ndarray:
    """(2, 2) float64: low and high end of either axis, of one length, around all features of the panels."""
    features = np.concatenate([panel.features for panel in panels]).astype(np.float64)
    low, high = features.min(0), features.max(0)
    half = 0.6 * max(float((high - low).max()), 1e-6)
    return ((low + high) / 2)[:, None] + np.array([-half, half])


def _draw_legend(figure: Any, names: Sequence[str], centered: bool) -> None:
    entries = []
    for place, name in enumerate(names[:MOST_COLOURED]):
        colour, marker = class_style(place)
        entries.append((plt.Line2D([], [], linestyle="", marker=marker, color=colour, markersize=6), name))
    if len(names) > MOST_COLOURED:
        left = f"{len(names) - MOST_COLOURED:,} others"
        entries.append((plt.Line2D([], [], linestyle="", marker="o", color=GREY, markersize=6), left))
    if centered:
        cross = plt.Line2D([], [], linestyle="", marker="+", color="black", markersize=8)
        entries.append((cross, "learnt center"))
    draw_legend(figure, entries, loc="outside right upper", title="class")


def _short(name: str, most: int) -> str:
    """The name, its middle left out where it is too long."""
    return shortened(name, lambda text: len(text) <= most)
