"""Where genuine and impostor scores lie, and what a threshold between them gets wrong: a picture of counted pairs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from sandbox.evaluation.figures import spell_threshold
from sandbox.reporting.plots.fitting import title_above
from sandbox.reporting.plots.lettering import lettering
from sandbox.reporting.plots.several.ticks import plain_numbers
from sandbox.reporting.plots.style import COLOURS, save
from sandbox.wording import counted

_GENUINE, _IMPOSTOR = COLOURS[0], COLOURS[3]


@dataclass(frozen=True)
class ScoreCounts:
    """Genuine and impostor pairs, counted by score."""

    edges: np.ndarray = field(repr=False)
    """(B + 1,) float64 ascending cosines; the first and the last bin hold what lies beyond them as well."""
    genuine: np.ndarray = field(repr=False)
    """(B,) int64."""
    impostors: np.ndarray = field(repr=False)
    """(B,) int64."""


@dataclass(frozen=True)
class Mark:
    """A threshold at or above which pairs are accepted, and what it does."""

    threshold: float
    chosen: str
    """How and on what it was chosen, in words."""
    far: float
    """Share of the impostor pairs that it accepts."""
    frr: float
    """Share of the genuine pairs that it rejects."""


def draw_counts(counts: ScoreCounts, path: Path, *, title: str, mark: Mark | None = None) -> None:
    """Distributions of genuine and impostor scores, above by density and below by a logarithm, to a PNG.

    The upper panel shows where most pairs are, the lower one the few that a threshold gets wrong.
    """
    known = lettering([title])
    with sns.axes_style("whitegrid"), known.for_plots():
        save(counts_figure(counts, known.written(title), mark), path, dpi=150)


def counts_figure(counts: ScoreCounts, title: str, mark: Mark | None) -> Any:
    """The figure of `draw_counts`, two axes; the title as `Lettering.written` gave it."""
    kinds = ((counts.impostors, "impostor", _IMPOSTOR), (counts.genuine, "genuine", _GENUINE))
    widths = np.diff(counts.edges)
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(7.2, 6), sharex=True, layout="constrained")
    for pairs, name, colour in kinds:
        share = pairs / pairs.sum()
        label = f"{name}: {counted(int(pairs.sum()), 'pair', 'pairs')}"
        upper.stairs(share / widths, counts.edges, fill=True, color=colour, alpha=0.35, label=label)
        upper.stairs(share / widths, counts.edges, color=colour, linewidth=1.2)
        lower.stairs(share, counts.edges, color=colour, linewidth=1.2)
        lower.stairs(share, counts.edges, fill=True, color=colour, alpha=0.15)
    upper.set(ylabel="density", ylim=(0, None))
    least = min(1 / pairs.sum() for pairs, _, _ in kinds)
    lower.set(yscale="log", xlabel="cosine", ylabel="share of the pairs in a bin", ylim=(least / 2, 1))
    plain_numbers(lower.yaxis)
    lower.set_xlim(counts.edges[0], counts.edges[-1])
    if mark is not None:
        _draw_mark(upper, lower, mark)
    title_above(figure, title, size=11)
    figure.legend(*upper.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def _draw_mark(upper: Any, lower: Any, mark: Mark) -> None:
    """The threshold through both panels, and what it gets wrong on either side."""
    label = f"threshold {spell_threshold(mark.threshold)}, {mark.chosen}"
    for axes in (upper, lower):
        axes.axvline(mark.threshold, color="black", linewidth=1.1, linestyle="--", label=label)
    rejected = f"FRR {spell_share(mark.frr)} of genuine pairs, below"
    accepted = f"FAR {spell_share(mark.far)} of impostor pairs, at or above"
    for text, side, colour in ((rejected, "left", _GENUINE), (accepted, "right", _IMPOSTOR)):
        lower.set_title(text, loc=side, color=colour, fontsize=9.5, fontweight="bold")


def spell_share(share: float) -> str:
    """A share as a person reads it, in percent: ``0.0012`` -> ``0.12 %``, with three digits that count."""
    return f"{100 * share:.3g} %"
