"""Pictures of a run: learning curves, score distributions, trade-offs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from sandbox.evaluation.identification.closed_set import cmc
from sandbox.evaluation.intervals.bootstrap import bootstrap_means
from sandbox.evaluation.verification.metrics import Verification
from sandbox.reporting.plots.fitting import title_above
from sandbox.reporting.plots.several.learning import learning_figure, learning_of
from sandbox.reporting.plots.several.trade_offs import trade_off, trade_off_figure
from sandbox.reporting.plots.style import COLOURS, quiet, save

_RIGHT, _WRONG = COLOURS[0], COLOURS[3]
_MANY = 200_000
_BINS = 80
_PIECE = 2048


def draw_curves(rows: list[dict[str, Any]], monitor: str, path: Path, *, title: str = "") -> None:
    """The monitored validation figure over the steps of a log, the best of it marked, and its health, to a PNG."""
    with quiet([title]) as known:
        figure = learning_figure([learning_of("", [rows], monitor)], monitor, known, title)
        save(figure, path, dpi=150)


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


def draw_trade_offs(verification: Verification, path: Path, *, title: str = "") -> None:
    """ROC and DET of one verification side by side, with bands by identity, AUC, EER and operating points, to a PNG."""
    with quiet([title]) as known:
        figure = trade_off_figure([trade_off("", verification)], known, kinds=("roc", "det"), title=title)
        save(figure, path, dpi=150)


def draw_cmc(
    ranks: np.ndarray, path: Path, *, identities: np.ndarray | None = None, how: str = "", most: int = 50
) -> None:
    """Cumulative match characteristic, to a PNG.

    Args:
        ranks: (P,) of probes whose person is enrolled, 0 where never found.
        path: ends in .png.
        identities: (P,) whose probes they are, for the band of the 95 % interval by identity; none without it.
        how: who was searched among whom, for the title.
        most: the last rank.
    """
    with quiet([]):
        figure = cmc_figure(ranks, identities, how, most)
        save(figure, path, dpi=150)


def cmc_figure(ranks: np.ndarray, identities: np.ndarray | None, how: str, most: int) -> Any:
    """The figure of `draw_cmc`, with one axes; ranks that change nothing any more are left out."""
    at = np.arange(1, max(2, min(most, int(ranks.max(initial=1)))) + 1)
    found = np.stack(list(cmc(ranks, at.tolist()).values()), 1)
    figure, axes = plt.subplots(figsize=(4.5, 3.0), layout="constrained")
    if identities is not None:
        _, low, high = bootstrap_means(found, identities)
        axes.fill_between(at, low, high, color=_RIGHT, alpha=0.16, linewidth=0, step="mid")
    axes.plot(at, found.mean(0), color=_RIGHT, marker="o", markersize=3, drawstyle="steps-mid")
    axes.set(xlabel="rank", ylabel=f"share of {len(ranks):,} probes identified", ylim=(None, 1.01))
    axes.xaxis.get_major_locator().set_params(integer=True)
    title_above(figure, f"CMC{how and f', {how}'}: rank-1 {found[:, 0].mean():.4f}")
    return figure


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
