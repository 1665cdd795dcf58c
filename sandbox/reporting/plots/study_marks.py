"""What the pictures of a study share: how a trial of each state looks, a parameter's axis, and how far an axis goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import matplotlib

matplotlib.use("Agg")  # a picture is a file here, never a window

import numpy as np

from sandbox.reporting.plots.lettering import lettering
from sandbox.reporting.plots.style import COLOURS

COMPLETE, BROKEN, PRUNED, FAILED = "complete", "breaks a constraint", "pruned", "failed"
STYLES: dict[str, dict[str, Any]] = {
    COMPLETE: {"marker": "o", "s": 26, "c": COLOURS[0], "edgecolors": "white", "linewidths": 0.5, "zorder": 4},
    BROKEN: {"marker": "s", "s": 22, "c": "none", "edgecolors": "#6b6b6b", "linewidths": 1.1, "zorder": 3},
    PRUNED: {"marker": "v", "s": 26, "c": "none", "edgecolors": "#b87400", "linewidths": 1.1, "zorder": 3},
    FAILED: {"marker": "x", "s": 30, "c": COLOURS[6], "linewidths": 1.4, "zorder": 3},
}
"""Shape and filling tell the states apart, without the colours as well."""
BEST: dict[str, Any] = {
    "marker": "*", "s": 210, "c": COLOURS[7], "edgecolors": "black", "linewidths": 0.9, "zorder": 6,
}  # fmt: skip
DEFAULT: dict[str, Any] = {
    "marker": "D", "s": 46, "c": "white", "edgecolors": "black", "linewidths": 1.2, "zorder": 5,
}  # fmt: skip
DEFAULT_LINE: dict[str, Any] = {"color": "black", "linewidth": 1.1, "linestyle": (0, (5, 3)), "zorder": 2}
INK = "#1d2330"


@dataclass(frozen=True)
class TrialPoints:
    """Trials as points: N of them, the default not among them."""

    numbers: np.ndarray = field(repr=False)
    """(N,) int64."""
    values: np.ndarray = field(repr=False)
    """(N,) float64 figure of validation, of a pruned one the last that it had; NaN where there is none."""
    states: Sequence[str] = field(repr=False)
    """(N,) COMPLETE, BROKEN, PRUNED or FAILED."""
    best: int | None = None
    """Place of the best one."""
    default: float | None = None
    """Figure of the default trial."""
    monitor: str = ""
    lower: bool = False
    """Whether less is better."""
    judge: str = "validation"
    """What the figures of complete trials are of."""

    def of(self, state: str) -> np.ndarray:
        """Places of the trials of a state that have a figure, (M,) int64."""
        return np.array([p for p, s in enumerate(self.states) if s == state and np.isfinite(self.values[p])], np.int64)

    @property
    def label(self) -> str:
        """The figure's name as an axis has it."""
        return self._named(self.judge)

    @property
    def curve_label(self) -> str:
        """The same of figures while a trial is trained, which are of validation."""
        return self._named("validation")

    def _named(self, judge: str) -> str:
        return f"{judge} {self.monitor}" + ("\n(less is better)" if self.lower else "")


@dataclass(frozen=True)
class ParameterAxis:
    """A parameter and where each trial lies on it."""

    name: str
    places: np.ndarray = field(repr=False)
    """(N,) float64, NaN where a trial has none; of choices the number of the choice."""
    default: float | None = None
    """Place of the default trial."""
    log: bool = False
    choices: tuple[str, ...] = ()

    @property
    def scaled(self) -> np.ndarray:
        """(N,) float64 places, of a logarithmic axis their decimal logarithms."""
        return np.log10(self.places) if self.log else self.places


def span(
    values: np.ndarray, *, lower: bool, keep: Sequence[float] = (), room: float = 0.07
) -> tuple[float, float, np.ndarray]:
    """Ends of an axis for figures (N,), and which of them (N,) bool lie beyond.

    A few collapsed trials would press all others into one line, so the worse end is at most three times as far from
    the median as the better half reaches.

    Args:
        values: finite ones count.
        lower: less is better.
        keep: figures that must lie inside, such as the default's.
        room: left free at either end, as a share.
    """
    known = values[np.isfinite(values)]
    inside = np.array([*keep])
    if not len(known):
        low, high = (inside.min(), inside.max()) if len(inside) else (0.0, 1.0)
    else:
        signed = -known if lower else known
        middle, best = float(np.median(signed)), float(signed.max())
        spread = max(best - float(np.quantile(signed, 0.25)), 1e-9)
        worst = max(float(signed.min()), middle - 3 * spread)
        low, high = (-best, -worst) if lower else (worst, best)
        if len(inside):
            low, high = min(low, inside.min()), max(high, inside.max())
    free = room * (high - low) if high > low else max(0.05 * abs(high), 1e-3)
    ends = float(low - free), float(high + free)
    return *ends, np.isfinite(values) & ((values < ends[0]) | (values > ends[1]))


def scatter_states(axes: Any, across: np.ndarray, points: TrialPoints, up: np.ndarray) -> list[str]:
    """Draw the trials that have a figure, each state in its style; returns the states that are there."""
    there = []
    smaller = float(np.clip(150 / max(len(points.values), 1), 0.4, 1))  # many hide each other
    for state in (PRUNED, BROKEN, COMPLETE):
        kept = points.of(state)
        kept = kept[np.isfinite(across[kept])]
        if len(kept):
            axes.scatter(across[kept], up[kept], **{**STYLES[state], "s": smaller * STYLES[state]["s"]})
            there.append(state)
    if points.best is not None and np.isfinite(across[points.best]):
        axes.scatter(across[points.best], up[points.best], **BEST)
    return there


def legend_entry(style: dict[str, Any]) -> Any:
    """An artist for a legend that looks as a scattered point of that style does."""
    import matplotlib.pyplot as plt

    face, edge = style["c"], style.get("edgecolors", style["c"])
    size = min(style["s"], 130) ** 0.5
    line = plt.Line2D([], [], linestyle="", marker=style["marker"], markersize=size)
    line.set(markerfacecolor=face, markeredgecolor=edge, markeredgewidth=style["linewidths"])
    return line


def wrapped(name: str, width: int = 12) -> str:
    """A dotted name on several lines, broken after its dots and underscores."""
    lines, line = [], ""
    for part in name.replace(".", ".\0").replace("_", "_\0").split("\0"):
        if line and len(line) + len(part) > width:
            lines.append(line)
            line = ""
        line += part
    return "\n".join([*lines, line])


def digits(value: float) -> str:
    """Three digits that count, without an exponent's zeros."""
    text, power, exponent = f"{value:.3g}".partition("e")
    return f"{text}e{int(exponent)}" if power else text


def plotted(text: str) -> str:
    """A name as matplotlib draws it, within `lettering(...).for_plots()`."""
    return lettering([text]).plotted(text)
