"""Which runs are results."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.recipe.specs import Recipe
from sandbox.reporting.records.chosen import Choice
from sandbox.reporting.records.read import read_runs
from sandbox.runs.folder import create


def finish(parent: Path, command: str, seed: int, **facts: object) -> Path:
    folder = create(parent, Recipe(seed=seed), command, **facts)
    folder.write_json("report.json", {"test": {"retrieval/map@r": {"value": 0.5, "n": 10}}})
    folder.update(status="done", split="abc")
    return folder.path


@pytest.mark.parametrize(
    ("command", "left"),
    [
        ("python experiments/draw.py plane --epochs 3", True),
        ("python /opt/sand box/experiments/run.py --out draw.py x", False),
        ("python '/opt/sand box/experiments/draw.py' plane", True),
        ("python draw.py plane", True),
        ("python experiments/run.py --out runs/draw.py --seed 1", False),
        ("python experiments/redraw.py plane", False),
    ],
)
def test_older_runs_that_draw_py_trained_are_known_by_their_command(tmp_path: Path, command: str, left: bool) -> None:
    finish(tmp_path, "python experiments/run.py", 0)
    finish(tmp_path, command, 1)
    runs, notes = read_runs([tmp_path])
    assert [run.seed for run in runs] == ([0] if left else [0, 1])
    assert notes == (["left out: 1 run that was trained for a picture"] if left else [])


def test_a_run_with_a_purpose_is_left_out_and_tags_are_read(tmp_path: Path) -> None:
    finish(tmp_path, "python experiments/run.py", 0, tags=["a", "b"])
    finish(tmp_path, "python experiments/run.py", 1)
    for seed in (2, 3):
        finish(tmp_path, "made by a test", seed, purpose="picture", tags=["a"])
    runs, (note,) = read_runs([tmp_path], Choice(tags=("b",)))
    assert [(run.seed, run.tags) for run in runs] == [(0, ("a", "b"))]
    assert note == "left out: 2 runs that were trained for a picture"
