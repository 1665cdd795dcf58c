"""Pictures of a run: learning curves, score distributions, trade-offs."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import Any

import matplotlib

from sandbox.evaluation.figures import lower_is_better
from sandbox.reporting.plots.lettering import lettering
from sandbox.reporting.plots.style import COLOURS, save

matplotlib.use("Agg")  # a picture is a file here, never a window

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

_RIGHT, _WRONG = COLOURS[0], COLOURS[3]
_MANY = 200_000
_BINS = 80
_PIECE = 2048


def draw_curves(rows: list[dict[str, Any]], monitor: str, path: Path, *, title: str = "") -> None:
    """Loss and the monitored validation figure over the steps of a log, the best of it marked, to a PNG."""
    train = [row for row in rows if "loss" in row]
    val = [(row["step"], row["val"][monitor]) for row in rows if monitor in row.get("val", {})]
    known = lettering([title])
    with sns.axes_style("whitegrid"), known.for_plots():
        figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
        left.plot([row["step"] for row in train], [row["loss"] for row in train], color=COLOURS[0])
        left.set(xlabel="step", ylabel="training loss")
        right.plot([step for step, _ in val], [value for _, value in val], color=COLOURS[0], marker="o")
        right.set(xlabel="step", ylabel=f"validation {monitor}")
        finite = [point for point in val if np.isfinite(point[1])]
        if finite:
            step, best = (min if lower_is_better(monitor) else max)(finite, key=lambda point: point[1])
            right.plot(step, best, marker="*", markersize=13, color=COLOURS[3], linestyle="")
            right.set_title(f"best {best:.4f} at step {step:,}", fontsize=10, color=COLOURS[3])
        if title:
            figure.suptitle("\n".join(wrap(known.plotted(title), 110)[:3]), fontsize=11)
        save(figure, path)


def draw_scores(genuine: np.ndarray, impostor: np.ndarray, path: Path, *, threshold: float | None = None) -> None:
    """Distributions of genuine and impostor cosines (M,), each scaled to area one, to a PNG."""
    with sns.axes_style("whitegrid"):
        figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
        low, high = min(genuine.min(), impostor.min()), max(genuine.max(), impostor.max())
        edges = np.linspace(low, max(high, low + 1e-4), _BINS + 1, dtype=np.float64)  # not all in one place
        for scores, name, colour in ((impostor, "impostor", _WRONG), (genuine, "genuine", _RIGHT)):
            density, _ = np.histogram(scores, edges, density=True)
            axes.stairs(density, edges, fill=True, color=colour, alpha=0.35, label=name)
            axes.stairs(density, edges, color=colour, linewidth=1.2)
        if threshold is not None:
            axes.axvline(threshold, color="black", linewidth=1, linestyle="--", label=f"threshold {threshold:.3f}")
        axes.set(xlabel="cosine", ylabel="density")
        axes.legend()
        save(figure, path)


def draw_trade_offs(far: np.ndarray, tar: np.ndarray, path: Path) -> None:
    """ROC (TAR over FAR) and DET (FRR over FAR, both on the scale of normal deviates) of points (M,), to a PNG."""
    from scipy.special import ndtri

    seen = (far > 0) & (far < 1)
    with sns.axes_style("whitegrid"):
        figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
        for axes in (left, right) if not seen.any() else ():
            message = "every threshold accepts no impostor or all"
            axes.text(0.5, 0.5, message, ha="center", transform=axes.transAxes)
        left.step(far[seen], tar[seen], where="post", color=_RIGHT)
        left.set(xscale="log", xlabel="false accept rate", ylabel="true accept rate", title="ROC", ylim=(None, 1.01))
        both = seen & (tar > 0) & (tar < 1)
        right.plot(ndtri(far[both]), ndtri(1 - tar[both]), color=_WRONG)
        shown = [0.000001, 0.0001, 0.001, 0.01, 0.05, 0.2, 0.4]
        spelt = [f"{100 * share:g}" for share in shown]
        right.set(xlabel="false accept rate, %", ylabel="false reject rate, %", title="DET")
        if both.any():
            right.set_xticks(ndtri(shown), spelt)
            right.set_yticks(ndtri(shown), spelt)
            across, up = ndtri(far[both]), ndtri(1 - tar[both])
            right.set_xlim(across.min() - 0.1, min(across.max(), 0) + 0.1)
            right.set_ylim(up.min() - 0.1, min(up.max(), 0) + 0.1)
        save(figure, path)


def draw_cmc(ranks: np.ndarray, path: Path, *, most: int = 50) -> None:
    """Cumulative match characteristic of the ranks (P,) of enrolled probes, 0 where never found, to a PNG."""
    at = np.arange(1, most + 1)
    share = [((ranks > 0) & (ranks <= k)).mean() for k in at]
    with sns.axes_style("whitegrid"):
        figure, axes = plt.subplots(figsize=(5, 3.4), layout="constrained")
        axes.step(at, share, where="post", color=_RIGHT)
        axes.set(xlabel="rank", ylabel="identified", title="CMC", ylim=(None, 1.01))
        save(figure, path)


def sampled_scores(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of random genuine and random impostor pairs of unit rows x (N, D), up to 200,000 each, seed fixed."""
    rng = np.random.default_rng(0)
    order = np.argsort(y, kind="stable")
    counts = np.bincount(y)
    start = counts.cumsum() - counts
    left = rng.integers(0, len(y), _MANY)
    right = rng.integers(0, len(y), _MANY)
    mate = order[start[y[left]] + rng.integers(0, counts[y[left]])]
    genuine, impostor = _cosines(x, left, mate), _cosines(x, left, right)
    return genuine[mate != left], impostor[y[left] != y[right]]


def _cosines(x: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(M,) inner products of pairs of rows, some at a time: all rows at once would go through memory."""
    pieces = [slice(start, start + _PIECE) for start in range(0, len(left), _PIECE)]
    return np.concatenate([np.einsum("ij,ij->i", x[left[piece]], x[right[piece]]) for piece in pieces])
