"""Run folders to runs: what is damaged, changed or no result is left out and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.recipe.specs import Recipe
from sandbox.reporting.records.chosen import Choice
from sandbox.reporting.records.read import read_runs
from sandbox.runs.folder import RunFolder, create

from fuzz import FUZZ, changed, read_or_refused
from table_runs import METRIC, finish


def test_runs_that_are_not_done_are_no_runs(tmp_path: Path) -> None:
    finish(tmp_path, Recipe(), 0.9, status="running")
    finish(tmp_path, Recipe(seed=1), 0.9, status="failed: no")
    with pytest.raises(SandboxError, match="no finished run"):
        read_runs([tmp_path])
    finish(tmp_path, Recipe(seed=2), 0.5)
    assert len(read_runs([tmp_path])[0]) == 1


def test_what_is_trained_for_a_picture_is_left_out_and_counted(tmp_path: Path) -> None:
    finish(tmp_path, Recipe(), 0.9, purpose="picture")
    finish(tmp_path, Recipe(seed=1), 0.5)
    runs, notes = read_runs([tmp_path])
    assert [run.seed for run in runs] == [1] and notes == ["left out: 1 run that was trained for a picture"]


def test_a_recipe_changed_after_the_run_and_a_figure_that_is_no_number_are_refused(tmp_path: Path) -> None:
    finish(tmp_path / "a", Recipe(), 0.5)
    path = next((tmp_path / "a").iterdir()) / "recipe.toml"
    path.write_text(path.read_text().replace("lr = 0.003", "lr = 0.03"))
    with pytest.raises(SandboxError, match="changed after the run"):
        read_runs([tmp_path / "a"])
    finish(tmp_path / "b", Recipe(), 0.5)
    report = next((tmp_path / "b").iterdir()) / "report.json"
    report.write_text(report.read_text().replace("0.5", "NaN"))
    with pytest.raises(SandboxError, match="not finite"):
        read_runs([tmp_path / "b"])


def test_damaged_runs_alone_are_no_table(command: Callable[..., Any], tmp_path: Path) -> None:
    damaged = finish(tmp_path, Recipe(), 0.5) / "run.json"
    damaged.write_text(json.dumps([1])[:-1])
    said = command("table.py", str(tmp_path))
    assert said.code == 2 and "no finished run" in said.err
    assert command("table.py", str(tmp_path / "nothing")).code == 2


DEEP = "[" * 100_000


@pytest.mark.parametrize("name", ["run.json", "report.json"])
@pytest.mark.parametrize(
    "content",
    [
        DEEP,
        '{"a":' * 5000,
        "[" * 60 + "]" * 60,
        '{"status": "done", "seed": ' + "9" * 400 + "}",
        '{"status": "done", "seed": 1e999}',
        '{"status": "done", "seed": NaN}',
        '{"status": "done", "status": "done"}',
        "[]",
        "5",
        "null",
        "",
        "\0",
        '{"val": {"auc": {"value": "0.5"}}, "status": "done"}',
        '{"val": [], "status": "done"}',
        '{"val": {"auc": {"value": [0.5]}}, "status": "done"}',
        '{"val": {"auc": {"value": true}}, "status": "done"}',
    ],
    ids=range(16),
)
def test_a_damaged_run_is_named_and_left_out(
    command: Callable[..., Any], tmp_path: Path, name: str, content: str
) -> None:
    finish(tmp_path, Recipe(), 0.5)
    finish(tmp_path, Recipe(seed=1), 0.25)
    damaged = next(tmp_path.glob("*-s1"))
    (damaged / name).write_text(content)
    runs, (note,) = read_runs([tmp_path])
    assert [run.figures for run in runs] == [{METRIC: 0.5}]
    assert note.startswith("1 run cannot be read and is left out: ") and damaged.name in note
    said = command("table.py", str(tmp_path), "--metrics", METRIC)
    assert said.code == 0 and damaged.name in said.err and "0.500" in said.out


def test_what_is_said_of_a_run_is_printed_as_its_escape(command: Callable[..., Any], tmp_path: Path) -> None:
    finish(tmp_path / "a\x1b[31m", Recipe(), 0.5)
    (next((tmp_path / "a\x1b[31m").iterdir()) / "report.json").write_text("5")
    said = command("table.py", str(tmp_path / "a\x1b[31m"))
    assert said.code == 2 and r"a\x1b[31m" in said.err and "\x1b" not in said.err


@FUZZ
@given(data=st.data(), name=st.sampled_from(["run.json", "report.json", "recipe.toml", "log.jsonl", "baselines.json"]))
def test_a_run_folder_with_bytes_turned_is_read_or_left_out(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, name: str
) -> None:
    place = tmp_path_factory.getbasetemp() / "turned"
    if not place.exists():
        finish(place, Recipe(), 0.5, baselines={"raw pixels": {"retrieval/map@r": 0.25}})
        RunFolder(next(place.iterdir())).log({"step": 1, "loss": 0.5, "val": {"retrieval/map@r": 0.5}})
    folder = RunFolder(next(place.iterdir()))
    whole = (folder.path / name).read_bytes()
    try:
        (folder.path / name).write_bytes(data.draw(changed(whole)))
        read_or_refused(lambda: read_runs([place]))
        read_or_refused(lambda: folder.validation_threshold("retrieval/map@r"))
        read_or_refused(folder.read_log)
    finally:
        (folder.path / name).write_bytes(whole)


def made(parent: Path, command: str, seed: int, **facts: object) -> Path:
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
    made(tmp_path, "python experiments/run.py", 0)
    made(tmp_path, command, 1)
    runs, notes = read_runs([tmp_path])
    assert [run.seed for run in runs] == ([0] if left else [0, 1])
    assert notes == (["left out: 1 run that was trained for a picture"] if left else [])


def test_a_run_with_a_purpose_is_left_out_and_tags_are_read(tmp_path: Path) -> None:
    made(tmp_path, "python experiments/run.py", 0, tags=["a", "b"])
    made(tmp_path, "python experiments/run.py", 1)
    for seed in (2, 3):
        made(tmp_path, "made by a test", seed, purpose="picture", tags=["a"])
    runs, (note,) = read_runs([tmp_path], Choice(tags=("b",)))
    assert [(run.seed, run.tags) for run in runs] == [(0, ("a", "b"))]
    assert note == "left out: 2 runs that were trained for a picture"
