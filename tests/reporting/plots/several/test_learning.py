"""Learning curves of several seeds."""

from __future__ import annotations

from typing import Any

import numpy as np

from sandbox.evaluation.intervals.paired import t_interval
from sandbox.reporting.plots.several.learning import HEALTH, learning_figure, learning_of
from sandbox.reporting.plots.style import quiet


def log(seed: int, steps: int = 12) -> list[dict[str, Any]]:
    """A line a step, with a validation at each third."""
    rows: list[dict[str, Any]] = []
    for step in range(1, steps + 1):
        rows.append({"step": step, **{key: seed + 1 / step for key in HEALTH}, "active": 0.5 if seed else None})
        if step % 3 == 0:
            rows[-1]["val"] = {"retrieval/map@r": [0.2, 0.6, 0.5, 0.3][step // 3 - 1] + 0.02 * seed}
    return rows


def test_means_bands_and_the_best_step() -> None:
    lines = [
        learning_of("one", [log(0), log(1), log(2)], "retrieval/map@r"),
        learning_of("two", [log(3)], "retrieval/map@r"),
    ]
    with quiet(["one"]) as known:
        figure = learning_figure(lines, "retrieval/map@r", known, "a title " * 30, 3.4)
        figure.canvas.draw()
    axes, panels = figure.axes[0], figure.axes[1:]
    assert axes.get_ylabel() == "validation MAP@R"
    assert [panel.get_title(loc="left") for panel in panels] == list(HEALTH.values())
    mean, half = t_interval([0.6, 0.62, 0.64])
    assert np.isclose(axes.lines[0].get_ydata()[1], mean)
    band = axes.collections[0].get_paths()[0].vertices
    assert np.allclose(sorted({*np.round(band[band[:, 0] == 6, 1], 9)}), (mean - half, mean + half))
    stars = [line for line in axes.lines if line.get_marker() == "*" and len(line.get_xdata()) == 1]
    assert [star.get_xdata()[0] for star in stars] == [6, 6]
    loss = panels[0].lines[0]
    assert np.allclose(loss.get_ydata(), 1 + 1 / np.arange(1, 13))
    boxes = [panel.get_tightbbox() for panel in figure.axes]
    assert not any(boxes[a].overlaps(boxes[b]) for a in range(len(boxes)) for b in range(a))
    assert figure._suptitle.get_window_extent().x1 <= figure.bbox.x1


def test_a_seed_that_stopped_sooner_ends_the_line() -> None:
    line = learning_of("one", [log(0, 12), log(1, 6)], "retrieval/map@r")
    assert line.cut and line.monitored is not None and line.monitored.steps.tolist() == [3, 6]
    assert "active" not in line.health  # one of them has none


def test_a_loss_that_is_not_finite_leaves_a_gap() -> None:
    rows = log(0)
    rows[4]["loss"] = float("inf")
    line = learning_of("one", [rows], "verification/eer")
    assert np.flatnonzero(np.isnan(line.health["loss"].mean)).tolist() == [4] and line.monitored is None
    with quiet([]) as known:
        figure = learning_figure([line], "verification/eer", known)
    assert [text.get_text() for text in figure.axes[0].texts] == ["nothing was validated"]


def test_the_best_of_an_error_rate_is_the_least() -> None:
    found = learning_of("one", [log(0)], "retrieval/map@r").monitored
    assert found is not None and found.best(lower=False) == 1 and found.best(lower=True) == 0
