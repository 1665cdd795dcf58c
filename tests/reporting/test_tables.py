"""Tables out of run folders."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sandbox.errors import SandboxError
from sandbox.recipe.specs import OptimizerSpec, Recipe
from sandbox.reporting.tables import build_table, read_runs, render
from sandbox.runs.folder import RunFolder, create

from fuzz import FUZZ, changed, read_or_refused

METRIC = "test/retrieval/map@r"


def finish(parent: Path, recipe: Recipe, value: float, status: str = "done", split: str = "abc") -> None:
    folder = create(parent, recipe, "a test")
    folder.write_json("report.json", {"test": {"retrieval/map@r": {"value": value, "n": 10}}})
    folder.update(status=status, split=split)


def test_seeds_group_and_the_interval_is_students(tmp_path: Path) -> None:
    values = [0.5, 0.52, 0.56]
    for seed, value in enumerate(values):
        finish(tmp_path, Recipe(seed=seed), value)
    table = build_table(read_runs([tmp_path])[0], [METRIC])
    (row,) = table.frame.to_dict("records")
    low, high = stats.t.interval(0.95, 2, loc=sum(values) / 3, scale=stats.sem(values))
    assert row["n"] == 3
    assert (row[METRIC], row[f"{METRIC} low"], row[f"{METRIC} high"]) == pytest.approx((sum(values) / 3, low, high))


def test_only_settings_that_differ_are_columns_and_the_best_is_first(tmp_path: Path) -> None:
    finish(tmp_path, Recipe(loss="contrastive"), 0.4)
    finish(tmp_path, Recipe(loss="contrastive", optimizer=OptimizerSpec(lr=0.5)), 0.6)
    table = build_table(read_runs([tmp_path])[0], [METRIC])
    assert table.settings == ("optimizer.lr",)
    assert list(table.frame["optimizer.lr"]) == [0.5, 0.003]


def test_runs_that_are_not_done_are_in_no_table(tmp_path: Path) -> None:
    finish(tmp_path, Recipe(), 0.9, status="running")
    finish(tmp_path, Recipe(seed=1), 0.9, status="failed: no")
    with pytest.raises(SandboxError, match="no finished run"):
        read_runs([tmp_path])
    finish(tmp_path, Recipe(seed=2), 0.5)
    assert len(read_runs([tmp_path])[0]) == 1


def test_a_seed_that_ran_twice_counts_once_and_is_said(tmp_path: Path) -> None:
    finish(tmp_path, Recipe(), 0.4)
    finish(tmp_path, Recipe(), 0.5)
    table = build_table(read_runs([tmp_path])[0], [METRIC])
    assert list(table.frame["n"]) == [1] and list(table.frame[METRIC]) == [0.5]
    assert any("left out" in note for note in table.notes)


def test_one_recipe_on_two_folders_is_two_rows(tmp_path: Path) -> None:
    for root, split in (("orl", "abc"), ("coil", "def")):
        recipe = Recipe()
        finish(tmp_path, replace(recipe, data=replace(recipe.data, root=root)), 0.5, split=split)
    table = build_table(read_runs([tmp_path])[0], [METRIC])
    assert sorted(table.frame["data.root"]) == ["coil", "orl"]


def test_every_style_shows_the_figures(tmp_path: Path) -> None:
    for seed in range(2):
        finish(tmp_path, Recipe(seed=seed, loss="triplet_margin(margin=0.1)"), 0.5 + 0.01 * seed)
    table = build_table(read_runs([tmp_path])[0], [METRIC])
    half = float(stats.t.ppf(0.975, 1)) * stats.sem([0.5, 0.51])
    cell = f"0.5050 ± {half:.4f}"
    assert cell in render(table, "markdown") and cell in render(table, "terminal")
    latex = render(table, "latex", header="made so")
    assert latex.startswith("% made so\n") and rf"triplet\_margin(margin=0.1) & 2 & 0.5050 $\pm$ {half:.4f}" in latex
    csv = render(table, "csv").splitlines()
    assert csv[0].startswith("objective,n,") and csv[1].split(",")[2] == "0.505"


def test_the_interval_of_one_seed_has_no_ends(tmp_path: Path) -> None:
    finish(tmp_path, Recipe(), 0.5)
    (row,) = build_table(read_runs([tmp_path])[0], [METRIC]).frame.to_dict("records")
    assert row[METRIC] == 0.5 and math.isnan(row[f"{METRIC} low"]) and math.isnan(row[f"{METRIC} high"])


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


def test_an_unknown_figure_is_refused(tmp_path: Path) -> None:
    finish(tmp_path, Recipe(), 0.5)
    with pytest.raises(SandboxError, match="did you mean 'test/retrieval/map@r'"):
        build_table(read_runs([tmp_path])[0], ["test/retrieval/map"])


def test_the_command_writes_a_file_that_names_it(command: Callable[..., Any], tmp_path: Path) -> None:
    finish(tmp_path / "runs", Recipe(), 0.5)
    words = (str(tmp_path / "runs"), "--metrics", METRIC, "--format", "markdown", "--out", str(tmp_path / "t" / "a.md"))
    assert command("table.py", *words).code == 0
    text = (tmp_path / "t" / "a.md").read_text()
    assert text.startswith("<!-- python experiments/table.py") and "| 0.5000" in text
    assert command("table.py", str(tmp_path / "nothing")).code == 2
    damaged = next((tmp_path / "runs").iterdir()) / "run.json"
    damaged.write_text(json.dumps([1])[:-1])
    said = command("table.py", str(tmp_path / "runs"))
    assert said.code == 2 and "no finished run" in said.err


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
    assert said.code == 0 and damaged.name in said.err and "0.5000" in said.out


def test_what_is_said_of_a_run_is_printed_as_its_escape(command: Callable[..., Any], tmp_path: Path) -> None:
    finish(tmp_path / "a\x1b[31m", Recipe(), 0.5)
    (next((tmp_path / "a\x1b[31m").iterdir()) / "report.json").write_text("5")
    said = command("table.py", str(tmp_path / "a\x1b[31m"))
    assert said.code == 2 and r"a\x1b[31m" in said.err and "\x1b" not in said.err


@FUZZ
@given(data=st.data(), name=st.sampled_from(["run.json", "report.json", "recipe.toml", "log.jsonl"]))
def test_a_run_folder_with_bytes_turned_is_read_or_left_out(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, name: str
) -> None:
    place = tmp_path_factory.getbasetemp() / "turned"
    if not place.exists():
        finish(place, Recipe(), 0.5)
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
