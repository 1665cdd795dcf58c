"""Two ways compared by few-shot accuracy: over seeds, and one run of each over episodes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sandbox.cli.table.compare import compare
from sandbox.errors import SandboxError
from sandbox.evaluation.fewshot.episodes import accuracies
from sandbox.recipe.episodes import Episodes, Task
from sandbox.recipe.specs import EvaluateSpec, Recipe
from sandbox.reporting.compare.sides import Sides
from sandbox.reporting.records.groups import Group

from compared import drawn, embedded

KEY = "fewshot/accuracy@5-way-2-shot"
SPEC = EvaluateSpec(episodes="5-way 2-shot", episode_count=200, episode_queries=3)


def made(place: Path, loss: str, seeds: int, spread: float, spec: EvaluateSpec = SPEC) -> Group:
    for seed in range(seeds):
        embedded(place, Recipe(loss=loss, evaluate=spec, seed=seed), *drawn(seed, spread))
    return Sides([place]).find(str(place))


def test_seeds_are_paired(tmp_path: Path) -> None:
    a, b = made(tmp_path / "a", "triplet_margin", 3, 0.5), made(tmp_path / "b", "contrastive", 3, 1.0)
    (figure,) = compare(a, b, ["5-way 2-shot accuracy"]).data["figures"]
    assert figure["key"] == f"test/{KEY}" and figure["seeds"] == [0, 1, 2] and figure["low"] > 0
    assert "triplet_margin is better than contrastive by" in figure["sentence"]


def test_two_runs_are_paired_over_episodes(tmp_path: Path) -> None:
    a, b = made(tmp_path / "a", "triplet_margin", 1, 0.5), made(tmp_path / "b", "contrastive", 1, 1.0)
    written = compare(a, b, [KEY, "map@r"])
    figure = written.data["figures"][0]
    asked = Episodes((Task(5, 2),), 200, 3)
    one, other = (accuracies(*drawn(0, spread), asked.tasks[0], asked) for spread in (0.5, 1.0))
    reach = 1.96 * np.std(one - other, ddof=1) / np.sqrt(200)
    assert (figure["difference"], figure["episodes"]) == (pytest.approx(np.mean(one - other)), 200)
    assert figure["high"] - figure["low"] == pytest.approx(2 * reach, rel=1e-6)
    assert "better than that of contrastive by" in figure["sentence"]
    assert "paired over 200 episodes, seed 0 of each" in figure["sentence"]
    assert any(note.startswith("the interval of few-shot accuracy is over the episodes") for note in written.notes)
    assert "episodes" not in written.data["figures"][1]


def test_other_episodes_are_refused(tmp_path: Path) -> None:
    a = made(tmp_path / "a", "triplet_margin", 2, 0.5)
    b = made(tmp_path / "b", "contrastive", 2, 1.0, EvaluateSpec(episodes="5w2s", episode_count=100, episode_queries=3))
    with pytest.raises(SandboxError, match="200 episodes of 3 queries a class and 100 episodes of 3 queries a class"):
        compare(a, b, [KEY])
    assert compare(a, b, ["map@r"]).data["figures"]
