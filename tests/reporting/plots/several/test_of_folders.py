"""Recall and cost, and what is read of run folders."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from sandbox.errors import SandboxError
from sandbox.evaluation.intervals.paired import t_interval
from sandbox.reporting.plots.several.cost import cost_figure, points_of
from sandbox.reporting.plots.several.recall import mean_recalls, recall_figure, recalls_of
from sandbox.reporting.plots.several.verified import of_each, verification_of
from sandbox.reporting.plots.style import quiet
from sandbox.reporting.records.groups import group
from sandbox.reporting.records.read import read_runs

from recipes import KEY, made_folder, made_groups, made_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    for seed in range(3):
        made_folder(root, "triplet", seed)
    made_folder(root, "contrastive", 0, embeddings=False)
    return root


def test_recall_is_the_evaluator_s_and_the_band_the_t_interval(runs: Path) -> None:
    groups, _ = group(read_runs([runs])[0])
    rows = [recalls_of(run) for run in next(g for g in groups if len(g.runs) == 3).runs]
    first = next(run for run in read_runs([runs])[0] if run.recipe.loss == "triplet_margin")
    for place, k in ((0, 1), (3, 5)):
        assert rows[0][place].tolist() == [
            first.report["test"][f"retrieval/recall@{k}"][n] for n in ("value", "low", "high")
        ]
    line = mean_recalls("triplet", rows)
    mean, half = t_interval([row[0, 0] for row in rows])
    assert line.k.tolist() == [1, 2, 3, 5, 10, 20, 50]
    assert np.allclose((line.value[0], line.low[0]), (mean, max(0, mean - half)))
    with quiet([]) as known:
        (axes,) = recall_figure([line], known, "title", 3.4).axes
    assert np.array_equal(axes.lines[0].get_ydata(), line.value)
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1", "2", "3", "5", "10", "20", "50"]


def test_curves_are_those_that_the_report_was_made_of(runs: Path) -> None:
    run = next(run for run in read_runs([runs])[0] if run.recipe.loss == "triplet_margin")
    found, entry = verification_of(run), run.report["test"]["verification/tar@far=1e-2"]
    assert found.curve.accept_at(1e-2)[0] == entry["value"]
    assert found.curve.auc == run.report["test"]["verification/auc"]["value"]


def test_runs_without_embeddings_are_left_out_and_named(runs: Path) -> None:
    groups, _ = group(read_runs([runs])[0])
    found, notes = of_each(groups, "ROC", verification_of)
    assert [label for label, made in found] == ["triplet_margin"] and "contrastive" in notes[0]
    with pytest.raises(SandboxError, match=r"ROC is drawn of the test embeddings of runs: .*keeps no embeddings"):
        of_each([g for g in groups if len(g.runs) == 1], "ROC", verification_of)


def test_the_pareto_front() -> None:
    costs = {"triplet": (1, 0.5), "arcface": (2, 0.9), "contrastive": (3, 0.7), "cosface": (2, 0.4)}
    groups, _ = group([made_run(loss, 0, value, parameters={"backbone": 100 * cost, "head": 0},
                                seconds={"training": 3600 * cost}, device="cpu")
                       for loss, (cost, value) in costs.items()])  # fmt: skip
    points, notes = points_of(groups, KEY, "parameters")
    assert [(p.label, p.cost, p.front) for p in points] == [
        ("triplet_margin", 100, True), ("arcface", 200, True), ("contrastive", 300, False), ("cosface", 200, False)
    ]  # fmt: skip
    assert [p.front for p in points_of(groups, "test/verification/eer", "hours")[0]] == [True, True, False, False]
    with quiet([]) as known:
        figure = cost_figure([points], [KEY], known, "parameters", "title", 3.4)
        figure.canvas.draw()
    assert figure.axes[0].lines[0].get_xydata().tolist() == [[100, 0.5], [200, 0.9]] and not notes
    large = [dataclasses.replace(point, cost=10_000 * point.cost) for point in points]
    with quiet([]) as known:
        figure = cost_figure([large], [KEY], known, "parameters", "title", 7)
        figure.canvas.draw()
    written = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert "1,500,000" in written and not any("e+" in label for label in written)
    with pytest.raises(SandboxError, match="no cost for --x named 'hour'; did you mean 'hours'"):
        points_of(groups, KEY, "hour")
    with pytest.raises(SandboxError, match="no recipe has both MAP@R and hours"):
        points_of(made_groups({"triplet": [0.5]}), KEY, "hours")
