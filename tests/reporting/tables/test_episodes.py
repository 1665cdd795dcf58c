"""Few-shot figures in a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.recipe.specs import EvaluateSpec, Recipe
from sandbox.runs.folder import RunFolder

from table_runs import column, finish, table_of

KEY = "fewshot/accuracy@5-way-1-shot"


def finished(parent: Path, loss: str, value: float, *, count: int = 1000, seed: int = 0) -> None:
    """A run whose test split has MAP@R and a few-shot accuracy."""
    spec = EvaluateSpec(episodes="5-way 1-shot", episode_count=count)
    path = finish(parent, Recipe(loss=loss, evaluate=spec, seed=seed), value)
    entry = {"value": value, "low": 0.1, "high": 0.9, "n": count, "queries": 15, "classes": 107}
    RunFolder(path).write_json("report.json", {"test": {"retrieval/map@r": {"value": value, "n": 9}, KEY: entry}})


def test_the_caption_says_what_was_drawn(tmp_path: Path) -> None:
    for seed in range(3):
        finished(tmp_path, "arcface", 0.7 + 0.01 * seed, seed=seed)
    for name in ("5-way 1-shot accuracy", "accuracy@5-way-1-shot", KEY):
        table = table_of(tmp_path, metrics=(name,), percent=True)
        assert [cell.text for cell in column(table, f"test/{KEY}")] == ["71.0"]
        assert table.caption.title.startswith("5-way 1-shot accuracy on the test images")
        sentence = (
            "5-way 1-shot accuracy: 1,000 episodes of 15 queries a class, drawn from 107 classes, the same for each "
            "network."
        )
        assert sentence in table.caption.notes
    assert "episodes of" not in table_of(tmp_path).caption.text


def test_means_over_other_episodes_do_not_share_a_column(tmp_path: Path) -> None:
    finished(tmp_path, "arcface", 0.7)
    finished(tmp_path, "contrastive", 0.6, count=600)
    with pytest.raises(SandboxError, match="1,000 episodes of 15 queries a class and 600 episodes of 15 queries a cla"):
        table_of(tmp_path, metrics=(KEY,))
    assert len(table_of(tmp_path, metrics=(KEY,), mixed=True).rows) == 2
    assert len(table_of(tmp_path).rows) == 2
