"""ROC and DET: what a threshold accepts of genuine pairs against what it accepts of impostors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import ndtri

from sandbox.evaluation.figures import spell_rate
from sandbox.evaluation.intervals.bootstrap import logit_interval
from sandbox.evaluation.intervals.influence import Influence
from sandbox.evaluation.intervals.paired import t_interval
from sandbox.evaluation.verification.metrics import Verification
from sandbox.evaluation.verification.roc import Curve
from sandbox.reporting.plots.fitting import legend_below, title_above
from sandbox.reporting.plots.lettering import Lettering
from sandbox.reporting.plots.several.ticks import plain_numbers
from sandbox.reporting.plots.style import INK, draw_band, line_style

RATES = (1e-1, 1e-2, 1e-3, 1e-4)
"""False accept rates that are marked."""
GRID = np.unique(np.concatenate([np.geomspace(1e-6, 1, 121), RATES]))
"""(P,) false accept rates that curves are read at, rising; exact where `verify` was asked for them."""
_SUPPORT = 30
_TICKS = np.array([1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999])


@dataclass(frozen=True)
class TradeOff:
    """A line of ROC and DET: one verification, or the mean of those of several seeds."""

    label: str
    far: np.ndarray = field(repr=False)
    """(P,) of `GRID`, those that one impostor pair reaches at least."""
    tar: np.ndarray = field(repr=False)
    """(P,) the largest true accept rate whose false accept rate does not exceed `far`."""
    low: np.ndarray = field(repr=False)
    """(P,) lower end of its 95 % interval; NaN where there is none."""
    high: np.ndarray = field(repr=False)
    auc: tuple[float, float, float]
    """Value, low and high; the ends NaN where there is no interval."""
    eer: float
    genuine: int
    """Pairs; of the first seed where there are several."""
    impostors: int
    seeds: int = 1

    @property
    def least(self) -> float:
        """False accept rate below which fewer than 30 impostor pairs stand behind a figure."""
        return _SUPPORT / self.impostors

    def said(self) -> str:
        """The line of a legend: 'triplet: AUC 0.971 (0.962 to 0.978), EER 0.084'."""
        value, low, high = self.auc
        if math.isnan(low):
            more = ""
        else:
            more = f" ± {(high - low) / 2:.3f}" if self.seeds > 1 else f" ({low:.3f} to {high:.3f})"
        return f"{self.label + ': ' if self.label else ''}AUC {value:.3f}{more}, EER {self.eer:.3f}"


def tar_at(curve: Curve, far: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(TAR, threshold) at false accept rates (P,), as `Curve.accept_at` gives them one by one."""
    share = curve.impostors_from[::-1] / curve.impostors  # rises as thresholds fall
    allowed = np.searchsorted(share, far, side="right")
    at = len(share) - np.maximum(allowed, 1)
    some = allowed > 0
    return (
        np.where(some, curve.genuine_from[at] / curve.genuine, 0.0),
        np.where(some, curve.threshold[at].astype(np.float64), np.inf),
    )


def trade_off(label: str, verification: Verification) -> TradeOff:
    """The line of one verification, with the intervals by identity that its report has."""
    curve, influence = verification.curve, Influence(verification.spread)
    far = _reached(curve.impostors)
    tar, threshold = tar_at(curve, far)
    ends = np.full((2, len(far)), np.nan)
    for place in np.flatnonzero(np.isfinite(threshold) & (far < 1)):  # all are accepted at 1, by anybody
        found = influence.tar(float(threshold[place]), float(far[place]))
        ends[:, place] = logit_interval(float(tar[place]), found.error, found.degrees, found.identities)
    of_auc = influence.auc()
    auc = logit_interval(curve.auc, of_auc.error, of_auc.degrees, of_auc.identities)
    return TradeOff(
        label, far, tar, ends[0], ends[1], (curve.auc, *auc), curve.equal_error()[0], curve.genuine, curve.impostors
    )


def mean_trade_off(label: str, verifications: Sequence[Verification]) -> TradeOff:
    """The vertical mean of several seeds: of their TAR at each FAR, with its 95 % t-interval (Fawcett 2006)."""
    if len(verifications) == 1:
        return trade_off(label, verifications[0])
    curves = [verification.curve for verification in verifications]
    least = min(curve.impostors for curve in curves)
    far = _reached(least)
    rows = np.stack([tar_at(curve, far)[0] for curve in curves])
    mean, half = np.array([t_interval(column.tolist()) for column in rows.T]).T
    auc, reach = t_interval([curve.auc for curve in curves])
    eer, _ = t_interval([curve.equal_error()[0] for curve in curves])
    low, high = (mean - half).clip(0, 1), (mean + half).clip(0, 1)
    ends = (auc - reach, auc + reach)
    return TradeOff(label, far, mean, low, high, (auc, *ends), eer, curves[0].genuine, least, len(curves))


def _reached(impostors: int) -> np.ndarray:
    return GRID[GRID >= 1 / impostors * (1 - 1e-12)]


def draw_roc(axes: Any, lines: Sequence[TradeOff]) -> None:
    """True over false accept rate, the latter by its logarithm; marks at `RATES`, hollow where pairs are few."""
    axes.set_xscale("log")
    for place, line in enumerate(lines):
        style = line_style(place)
        _draw_line(axes, line, style, line.far, line.tar, line.low, line.high, len(lines))
        axes.plot(line.eer, 1 - line.eer, **_ring(style))
    left = min(float(line.far[0]) for line in lines)
    axes.set(xlabel="false accept rate (FAR)", ylabel="true accept rate (TAR)", xlim=(left, 1))
    lowest = min(float(np.fmin(line.tar, line.low).min()) for line in lines)
    axes.set_ylim(max(0.0, lowest - 0.05) if lowest > 0.5 else -0.02, 1.02)
    plain_numbers(axes.xaxis)
    _shade(axes, left, max(line.least for line in lines), top=max(float(line.tar[0]) for line in lines) < 0.5)


def draw_det(axes: Any, lines: Sequence[TradeOff]) -> None:
    """False reject over false accept rate, both on the scale of normal deviates, where a Gaussian pair is a line.

    The axes reach as far as there are errors. A rate of 0 has no place on this scale: it is drawn at half a pair.
    """
    floor = min(0.5 / line.genuine for line in lines)
    far_end = float(GRID[GRID <= min(0.999, max(0.5, *(1.2 * line.eer for line in lines)))][-1])
    seen: list[float] = []
    for place, line in enumerate(lines):
        style = line_style(place)
        kept = line.far <= far_end
        frr, high, low = ((1 - part[kept]).clip(floor, 1 - floor) for part in (line.tar, line.low, line.high))
        _draw_line(axes, line, style, ndtri(line.far[kept]), ndtri(frr), ndtri(low), ndtri(high), len(lines), kept)
        axes.plot(*[ndtri(max(line.eer, floor))] * 2, **_ring(style))
        seen += [*frr.tolist(), max(line.eer, floor)]
    left = min(float(line.far[0]) for line in lines)
    ends_far, ends_frr = (left, far_end), (min(seen), max(seen))
    for axis, (low_end, high_end) in ((axes.xaxis, ends_far), (axes.yaxis, ends_frr)):
        ticks = _TICKS[(low_end <= _TICKS * 1.0001) & (high_end >= _TICKS * 0.9999)]
        ticks = ticks if len(ticks) > 1 else np.array([low_end, high_end])
        axis.set_ticks(ndtri(ticks), [f"{100 * tick:.3g}" for tick in ticks])
    pad = 0.06 * max(1.0, float(ndtri(ends_frr[1]) - ndtri(ends_frr[0])))
    axes.set_xlim(ndtri(left), ndtri(far_end))
    axes.set_ylim(ndtri(ends_frr[0]) - pad, ndtri(ends_frr[1]) + pad)
    axes.axline((0, 0), slope=1, color="#999999", linewidth=0.6, linestyle=(0, (1, 2)), zorder=0)
    axes.set(xlabel="false accept rate, %", ylabel="false reject rate, %")
    if min(seen) <= floor:
        some = max(line.genuine for line in lines)
        axes.annotate(f"lowest: 0 of {some:,} genuine pairs rejected", (0.98, 0.02), xycoords="axes fraction",
                      ha="right", va="bottom", fontsize=6.5, color="#555555")  # fmt: skip
    _shade(axes, ndtri(left), ndtri(min(max(line.least for line in lines), 0.9)), top=False)


def _draw_line(
    axes: Any, line: TradeOff, style: dict[str, Any], across: np.ndarray, up: np.ndarray,
    low: np.ndarray, high: np.ndarray, of: int, kept: np.ndarray | slice = slice(None),
) -> None:  # fmt: skip
    """The line with its band, and a mark at each of `RATES`: hollow where fewer than 30 impostor pairs stand behind."""
    axes.plot(across, up, **{**style, "marker": ""}, zorder=3)
    draw_band(axes, across, low, high, style["color"], of=of)
    for rate in RATES:
        at = np.flatnonzero(line.far[kept] == rate)
        if len(at):
            full = style["color"] if rate >= line.least else "white"
            axes.plot(across[at], up[at], linestyle="", marker=style["marker"], color=style["color"],
                      markerfacecolor=full, markersize=4.5, zorder=4)  # fmt: skip


def _ring(style: dict[str, Any]) -> dict[str, Any]:
    return {"marker": "o", "markersize": 8, "markerfacecolor": "none", "color": style["color"], "linestyle": "",
            "markeredgewidth": 1.1, "zorder": 4}  # fmt: skip


def _shade(axes: Any, left: float, right: float, *, top: bool) -> None:
    """Grey where fewer than 30 impostor pairs are accepted, and say so."""
    if right <= left:
        return
    axes.axvspan(left, right, color="#f0f0f0", zorder=0)
    axes.annotate("< 30 impostor pairs", (left, axes.get_ylim()[top]), xytext=(3, -3 if top else 3), rotation=90,
                  textcoords="offset points", fontsize=6.5, color="#777777", ha="left",
                  va="top" if top else "bottom")  # fmt: skip


def trade_off_figure(
    lines: Sequence[TradeOff], known: Lettering, *, kinds: Sequence[str], title: str = "", width: float = 7.0
) -> Any:
    """A figure of ``roc``, ``det`` or both side by side, with AUC and EER in the legend.

    Args:
        lines: at least one.
        known: fonts of the labels and the title.
        kinds: an axes for each.
        title: the line above; none where empty.
        width: inches.
    """
    figure = plt.figure(figsize=(width, 3), layout="constrained")
    above = title_above(figure, known.written(title)) if title else 0
    for axes, kind in zip(figure.subplots(1, len(kinds), squeeze=False)[0], kinds, strict=True):
        (draw_roc if kind == "roc" else draw_det)(axes, lines)
        if len(kinds) > 1:
            axes.set_title(kind.upper(), loc="left")
    entries = [
        (plt.Line2D([], [], **line_style(place)), known.written(line.said())) for place, line in enumerate(lines)
    ]
    ring = plt.Line2D([], [], marker="o", markersize=7, markerfacecolor="none", color=INK, linestyle="")
    marks = ", ".join(map(spell_rate, RATES))
    point = plt.Line2D([], [], marker="s", markersize=4, color=INK, markerfacecolor="white", linestyle="")
    entries += [(ring, "equal error rate"), (point, f"FAR {marks}; hollow: < 30 impostor pairs")]
    legend = legend_below(figure, entries)
    figure.set_figheight(min(3.3, 0.85 * width / len(kinds)) + 0.16 * above + legend + 0.2)
    return figure
