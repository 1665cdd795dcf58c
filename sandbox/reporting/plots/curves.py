"""Pictures of a run: learning curves, score distributions, nearest neighbours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

from sandbox.reporting.plots.style import save

matplotlib.use("Agg")  # a picture is a file here, never a window

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.patches import Rectangle

_RIGHT, _WRONG = "#2a9d55", "#d1495b"
_MANY = 200_000
_PIECE = 2048
_GAP = 0.12  # between two images, of the way from one to the next


def draw_curves(rows: list[dict[str, Any]], monitor: str, path: Path) -> None:
    """Loss and the monitored validation figure over the steps of a log, to a PNG."""
    train = [row for row in rows if "loss" in row]
    val = [row for row in rows if "val" in row]
    with sns.axes_style("whitegrid"):
        figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
        sns.lineplot(x=[row["step"] for row in train], y=[row["loss"] for row in train], ax=left)
        left.set(xlabel="step", ylabel="training loss")
        sns.lineplot(x=[row["step"] for row in val], y=[row["val"][monitor] for row in val], marker="o", ax=right)
        right.set(xlabel="step", ylabel=f"validation {monitor}")
        save(figure, path)


def draw_scores(genuine: np.ndarray, impostor: np.ndarray, path: Path, *, threshold: float | None = None) -> None:
    """Distributions of genuine and impostor cosines (M,), each scaled to area one, to a PNG."""
    with sns.axes_style("whitegrid"):
        figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
        span = (float(min(genuine.min(), impostor.min())), float(max(genuine.max(), impostor.max())))
        for scores, name, colour in ((impostor, "impostor", _WRONG), (genuine, "genuine", _RIGHT)):
            sns.histplot(
                x=scores,
                stat="density",
                bins=80,
                binrange=span,
                element="step",
                color=colour,
                alpha=0.35,
                label=name,
                ax=axes,
            )
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


def draw_neighbours(
    x: np.ndarray, y: np.ndarray, pixels: Any, path: Path, *, queries: int = 8, shown: int = 10
) -> None:
    """Queries with their nearest images, framed green where the class is right, to a PNG.

    Args:
        x: (N, D) float32 unit rows.
        y: (N,) int64.
        pixels: (N, H, W, C) uint8.
        path: where the PNG goes.
        queries: how many queries, drawn with a fixed seed among those with a match.
        shown: neighbours a query.
    """
    counts = np.bincount(y)
    able = np.flatnonzero(counts[y] > 1)
    chosen = np.random.default_rng(0).permutation(able)[:queries]
    shown = min(shown, len(x) - 1)
    # One pair of axes for all images: a pair for each takes seconds to lay out.
    figure, axes = plt.subplots(figsize=(0.75 * (shown + 1), 0.8 * len(chosen)), layout="constrained")
    axes.set(xlim=(-_GAP, shown + 1), ylim=(len(chosen), -_GAP), aspect="equal")
    axes.set_axis_off()
    for row, query in enumerate(chosen):
        scores = x @ x[query]
        scores[query] = -np.inf
        order = np.argsort(-scores, kind="stable")[:shown]
        for column, place in enumerate([query, *order]):
            colour = "black" if column == 0 else _RIGHT if y[place] == y[query] else _WRONG
            _show(axes, pixels[np.array([place])][0], column, row, colour)
    axes.text((1 - _GAP) / 2, -1.5 * _GAP, "query", fontsize=9, ha="center", va="bottom")
    if shown:
        axes.text(1 + (1 - _GAP) / 2, -1.5 * _GAP, "nearest ...", fontsize=9, ha="center", va="bottom")
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


def _show(axes: Any, image: np.ndarray, column: int, row: int, colour: str) -> None:
    """An image in a cell of a grid, with a frame."""
    side = 1 - _GAP
    grey = image[..., 0] if image.shape[-1] == 1 else image
    edges = (column, column + side, row + side, row)
    axes.imshow(grey, cmap="gray", vmin=0, vmax=255, extent=edges, aspect="auto", zorder=1)
    axes.add_patch(Rectangle((column, row), side, side, fill=False, edgecolor=colour, linewidth=2.5, zorder=2))
