"""ROC and DET: every point is the evaluator's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri

from sandbox.evaluation.figures import spell_rate
from sandbox.evaluation.intervals.paired import t_interval
from sandbox.evaluation.verification.metrics import Verification, verify_all_pairs
from sandbox.reporting.plots.several.trade_offs import (
    RATES,
    mean_trade_off,
    tar_at,
    trade_off,
    trade_off_figure,
)
from sandbox.reporting.plots.style import quiet


def verified(seed: int, noise: float = 1.0, people: int = 20) -> Verification:
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(people), 8)
    x = np.random.default_rng(7).normal(size=(people, 16))[y] + noise * rng.normal(size=(len(y), 16))
    return verify_all_pairs(x, y, far=RATES)


SEEDS = [verified(seed) for seed in range(3)]


def figure_of(lines: Any, kinds: Any, width: float = 7.0) -> Any:
    with quiet([]) as known:
        figure = trade_off_figure(lines, known, kinds=kinds, title="faces " * 40, width=width)
        figure.canvas.draw()
    return figure


def test_points_are_those_of_the_evaluator() -> None:
    curve = SEEDS[0].curve
    far = np.concatenate([np.geomspace(1e-6, 1, 50), RATES])
    tar, threshold = tar_at(curve, far)
    one_by_one = [curve.accept_at(float(rate)) for rate in far]
    assert np.array_equal(tar, [t for t, _, _ in one_by_one])
    assert np.array_equal(threshold, [at for _, _, at in one_by_one])


def test_a_run_has_the_intervals_of_its_report() -> None:
    line, figures = trade_off("", SEEDS[0]), SEEDS[0].figures(RATES)
    for rate in (1e-1, 1e-2, 1e-3):
        at = int(np.flatnonzero(line.far == rate)[0])
        entry = figures[f"verification/tar@far={spell_rate(rate)}"]
        assert np.allclose((line.tar[at], line.low[at], line.high[at]), [entry[n] for n in ("value", "low", "high")])
    auc = figures["verification/auc"]
    assert (
        np.allclose(line.auc, (auc["value"], auc["low"], auc["high"]))
        and line.eer == figures["verification/eer"]["value"]
    )
    assert line.said() == f"AUC {auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f}), EER {line.eer:.3f}"


def test_seeds_are_averaged_at_each_far() -> None:
    line = mean_trade_off("triplet", SEEDS)
    at = int(np.flatnonzero(line.far == 1e-2)[0])
    mean, half = t_interval([v.curve.accept_at(1e-2)[0] for v in SEEDS])
    assert np.allclose((line.tar[at], line.low[at], line.high[at]), (mean, mean - half, min(1, mean + half)))
    assert line.said().startswith(f"triplet: AUC {np.mean([v.curve.auc for v in SEEDS]):.3f} ± ")


def test_roc_marks_operating_points_and_equal_error() -> None:
    line = trade_off("", SEEDS[0])
    (axes,) = figure_of([line], ("roc",)).axes
    assert np.array_equal(axes.lines[0].get_xydata(), np.stack([line.far, line.tar], 1))
    marks = [other for other in axes.lines if other.get_marker() == "o" and len(other.get_xdata()) == 1]
    points = {float(mark.get_xdata()[0]): mark for mark in marks}
    assert [rate for rate in points if rate in RATES] == [1e-1, 1e-2, 1e-3, 1e-4]
    assert [points[rate].get_markerfacecolor() == "white" for rate in RATES] == [
        rate * line.impostors < 30 for rate in RATES
    ]
    assert np.isclose(points[line.eer].get_ydata()[0], 1 - line.eer)
    assert any(text.get_text() == "< 30 impostor pairs" for text in axes.texts)


@pytest.mark.parametrize("noise", [0.05, 0.5, 1.0, 4.0])
def test_det_is_never_empty_and_shows_all_it_has(noise: float) -> None:
    line = trade_off("", verified(0, noise))
    figure = figure_of([line], ("det",), 3.4)
    (axes,) = figure.axes
    across, up = axes.lines[0].get_data()
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    inside = (across >= left - 1e-9) & (across <= right + 1e-9) & (up >= low) & (up <= high)
    assert inside.all() and len(across) > 30
    assert (high - low) < 1.5 * max(1.0, np.ptp(up)) + 0.6  # the line fills its axes
    assert len(axes.get_xticks()) > 1 and len(axes.get_yticks()) > 1
    said = [text.get_text() for text in axes.texts]
    assert any("genuine pairs rejected" in text for text in said) == bool((line.tar[line.far <= 0.5] == 1).any())
    some = (line.tar > 0) & (line.tar < 1) & (line.far <= 0.4)
    assert np.allclose(up[: len(line.far)][some[: len(up)]], ndtri(1 - line.tar[some]))
    assert figure._suptitle.get_window_extent().x1 <= figure.bbox.x1


def test_fourteen_lines_are_told_apart_without_colour() -> None:
    lines = [mean_trade_off(f"a recipe with a long name, number {n}, of fourteen", SEEDS[:1]) for n in range(14)]
    figure = figure_of(lines, ("roc",), 3.4)
    (legend,) = figure.legends
    shown = [(h.get_color(), h.get_marker(), str(h._dash_pattern)) for h in legend.get_lines()[:14]]
    assert len(set(shown)) == 14 and len({(marker, dash) for _, marker, dash in shown}) == 14
    boxes = [text.get_window_extent() for text in legend.get_texts()]
    assert not any(boxes[a].overlaps(boxes[b]) for a in range(len(boxes)) for b in range(a))
    assert max(box.x1 for box in boxes) <= figure.bbox.x1 and min(box.y0 for box in boxes) >= 0
    assert not any(box.overlaps(figure.axes[0].get_tightbbox()) for box in boxes)
