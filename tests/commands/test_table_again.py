"""`table.py again` as a person types it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.pipeline.events import Validation
from sandbox.pipeline.run import run
from sandbox.recipe.specs import DataSpec, Recipe

from studies import recipe

DIGITS = DataSpec(name="digits")
QUICK = (
    "--data.name digits --backbone.name conv4 --backbone.embedding_dim 16 --batch.size 16 --evaluate.every 2 "
    "--max_steps 2 --threads 1 --precision float32 --no_pictures"
)
LINES = {loss: f"python experiments/run.py --loss {loss} {QUICK} --seeds 2" for loss in ("arcface", "contrastive")}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs of two recipes on two seeds; tests that change it take a copy."""
    folder = tmp_path_factory.mktemp("made")
    for loss, line in LINES.items():
        for seed in range(2):
            plain: Recipe = replace(recipe(loss, steps=2, data=DIGITS), seed=seed)
            list(run(plain, out=folder / "runs", command=line, pictures=False))
    return folder


@pytest.fixture
def table(made: Path, tmp_path: Path, command: Callable[..., Any]) -> Path:
    """A table of these runs with its ledger, in a copy."""
    shutil.copytree(made / "runs", tmp_path / "runs")
    words = ("--metrics", "test/retrieval/map@r", "test/verification/auc", "--format", "markdown")
    assert command("table.py", str(tmp_path / "runs"), *words, "--out", str(tmp_path / "t.md")).code == 0
    return tmp_path / "t.md"


@pytest.fixture
def again(command: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    return lambda path, *words: command("table.py", "again", str(path), "--in", str(tmp_path / "runs"), *words)


def test_nothing_is_missing_and_nothing_moved(table: Path, again: Callable[..., Any]) -> None:
    said = again(table)
    assert said.code == 0 and f"2 commands make 4 runs: 4 in {table.parent / 'runs'}, 0 in the ledger" in said.out
    assert "nothing is missing" in said.out and "--anew" not in said.out


def test_a_table_goes_on_from_its_ledger_and_a_cell_that_was_changed_is_named(
    table: Path, again: Callable[..., Any]
) -> None:
    shutil.rmtree(table.parent / "runs")
    said = again(table)
    assert said.code == 0 and "0 in " in said.out and "4 in the ledger alone (t.csv)" in said.out
    assert f"in the ledger alone: seeds 0, 1 of {LINES['arcface']}" in said.out
    assert "with --anew beside it trains 4 runs of the ledger as well" in said.out
    text = table.read_text()
    row = next(line for line in text.splitlines() if line.startswith("| arcface"))
    figure = next(cell for cell in row.split("|") if "±" in cell).split("±")[0].strip(" *")
    table.write_text(text.replace(figure, "7.5"))
    said = again(table, "--run")
    assert said.code == 1
    assert "nothing was trained anew; taken as they are: 4 from t.csv, which the table itself may have" in said.out
    (moved,) = [line for line in said.out.splitlines() if "moved:" in line]
    assert "arcface" in moved and "7.5 ± " in moved and f"now {figure} ± " in moved
    assert not (table.parent / "runs").exists() and table.read_text() != text  # nothing trained, nothing written


@pytest.mark.thorough
def test_what_is_missing_is_trained_what_was_begun_goes_on_and_nothing_else(
    table: Path, again: Callable[..., Any]
) -> None:
    runs = table.parent / "runs"
    (table.parent / "t.csv").unlink()
    for loss in LINES:
        shutil.rmtree(next(runs.glob(f"*{loss}*-s1")))
    events = run(
        replace(recipe("contrastive", steps=2, data=DIGITS), seed=1), out=runs, command="a test", pictures=False
    )
    next(event for event in events if isinstance(event, Validation))
    events.close()  # as a signal ends it
    before = {path.name for path in runs.iterdir()}
    said = again(table)
    assert said.code == 0 and "2 in " in said.out and "1 begun, 1 absent" in said.out and "trains 2 runs" in said.out
    assert (
        f"absent: seed 1 of {LINES['arcface']}" in said.out and f"begun: seed 1 of {LINES['contrastive']}" in said.out
    )
    said = again(table, "--run")
    assert said.code == 0, said.err
    assert "0 within the intervals, 0 moved" in said.out  # to the last digit, on one machine
    (new,) = {path for path in runs.iterdir() if path.name not in before}
    assert new.name.endswith("arcface-s1")
    assert " --seed 1 --seeds 1 " in said.out and "run.py --resume " in said.out


def test_without_runs_and_ledger_all_is_absent(table: Path, again: Callable[..., Any]) -> None:
    (table.parent / "t.csv").unlink()
    shutil.rmtree(table.parent / "runs")
    said = again(table)
    assert said.code == 0 and "4 absent" in said.out and "(t.csv, which is not there)" in said.out
    assert f"absent: seeds 0, 1 of {LINES['contrastive']}" in said.out and "trains 4 runs" in said.out


def test_runs_of_another_split_and_interrupted_ones_are_not_the_tables(table: Path, again: Callable[..., Any]) -> None:
    one, other = sorted((table.parent / "runs").glob("*arcface*"))
    for folder, facts in ((one, {"split": "0123456789ab"}), (other, {"status": "interrupted by SIGTERM at step 1"})):
        (folder / "run.json").write_text(json.dumps(json.loads((folder / "run.json").read_text()) | facts))
    said = again(table)
    assert "1 run has a recipe of the ledger's, but another split" in said.out and one.name in said.out
    (table.parent / "t.csv").unlink()
    said = again(table)
    assert "1 begun, 0 absent" in said.out and f"begun: seed 1 of {LINES['arcface']}" in said.out


def test_a_ledger_that_was_changed_is_refused_by_its_line(table: Path, again: Callable[..., Any]) -> None:
    kept = table.with_suffix(".csv")
    line = next(n for n, text in enumerate(kept.read_text().splitlines(), 1) if text.startswith("digest,")) + 1
    kept.write_text(kept.read_text().replace("--loss arcface", "--loss cosface"))
    said = again(table)
    assert said.code == 2 and f"t.csv, line {line} " in said.err and said.err.count("\n") == 1


def test_a_ledger_is_told_by_itself_too(table: Path, again: Callable[..., Any]) -> None:
    said = again(table.with_suffix(".csv"))
    assert said.code == 0 and "2 commands make 4 runs: 4 in" in said.out
    said = again(table.with_suffix(".csv"), "--run")
    line = f"python experiments/table.py again {table} --run --in {table.parent / 'runs'}"
    assert said.code == 2 and said.err.endswith(f"give --run the table beside it: {line}\n")
    assert f"next: {line}  " in again(table.with_suffix(".csv")).out


def test_runs_are_looked_for_where_the_head_of_the_table_says(table: Path, command: Callable[..., Any]) -> None:
    said = command("table.py", "again", str(table), "--run")
    assert said.code == 0 and f"4 in {table.parent / 'runs'}, 0 in the ledger alone" in said.out
    assert "nothing was trained anew; taken as they are: 4 from run folders" in said.out and "--anew" not in said.out
    (table.parent / "runs").rename(table.parent / "moved")
    said = command("table.py", "again", str(table))
    assert f"{table.parent / 'runs'}, which the table was made of, is not here (--in may say" in said.out
    assert "4 in the ledger alone" in said.out and "without it their figures are those that the table was" in said.out


def test_the_ledger_of_a_study_names_the_table_that_is_made_again(
    table: Path, command: Callable[..., Any], tmp_path: Path
) -> None:
    line = f"python experiments/tune.py --loss 'triplet(margin=tune(0.1, 0.5))' --study s --out {tmp_path} --table"
    kept = table.with_suffix(".csv")
    rows = [row for row in kept.read_text().splitlines() if not row.startswith("#")]
    kept.write_text("\n".join([f"# {line} tables/{table.name}", *rows, ""]))
    said = command("table.py", "again", str(kept))
    assert said.code == 0 and f"the study {tmp_path / 's'} is absent" in said.out
    assert f"next: python experiments/table.py again {table} --run " in said.out
    table.unlink()
    assert "next:" not in command("table.py", "again", str(kept)).out
    assert "the table beside it, which is not here" in command("table.py", "again", str(kept), "--run").err


def test_stages_are_found_by_the_chain_of_their_digests(
    tmp_path: Path, command: Callable[..., Any], again: Callable[..., Any]
) -> None:
    small = '[data]\nname = "digits"\n[backbone]\nname = "conv4"\nembedding_dim = 8\n[batch]\nsize = 16\n'
    stages = '[[stages]]\nname = "first"\n[[stages]]\nname = "second"\nloss = "contrastive"\n'
    (tmp_path / "two.toml").write_text(f'loss = "triplet"\nminer = "hard"\nmax_steps = 2\n{small}{stages}')
    words = ("--recipe", str(tmp_path / "two.toml"), "--no_pictures", "--threads", "1", "--out", str(tmp_path / "runs"))
    assert command("run.py", *words).code == 0
    assert (
        command("table.py", str(tmp_path / "runs"), "--format", "markdown", "--out", str(tmp_path / "t.md")).code == 0
    )
    (tmp_path / "t.csv").unlink()
    assert "1 command makes 1 run: 1 in" in again(tmp_path / "t.md").out
    shutil.rmtree(next((tmp_path / "runs").glob("*contrastive*")))
    assert "1 absent" in again(tmp_path / "t.md").out


def test_a_trial_of_a_study_is_asked_for_as_the_study_has_it(
    tmp_path: Path, command: Callable[..., Any], again: Callable[..., Any]
) -> None:
    small = ("--data.name", "digits", "--backbone.name", "conv4", "--max_steps", "1", "--threads", "1")
    tune = ("--loss", "triplet(margin=tune(0.1, 0.5))", "--trials", "1", "--study", "s", "--out", str(tmp_path))
    assert command("tune.py", *tune, *small).code == 0
    line = f"python experiments/run.py --from {tmp_path / 's'} --seed 3"
    (tmp_path / "t.md").write_text(f"{HEAD}{line} -->{BODY}")
    assert f"absent: seed 3 of {line}" in again(tmp_path / "t.md").out


def test_a_recipe_on_other_data_is_asked_for_without_what_its_own_data_has_alone(
    tmp_path: Path, again: Callable[..., Any]
) -> None:
    line = f"python experiments/run.py --recipe staged --data.name lfw --data.root {tmp_path}"
    (tmp_path / "t.md").write_text(f"{HEAD}{line} -->{BODY}")
    assert f"absent: seed 0 of {line}" in again(tmp_path / "t.md").out


def test_an_objective_that_another_is_held_against_is_asked_for_too(tmp_path: Path, again: Callable[..., Any]) -> None:
    line = "python experiments/run.py --loss triplet --miner hard --against contrastive --seeds 2"
    (tmp_path / "t.md").write_text(f"{HEAD}{line} -->{BODY}")
    said = again(tmp_path / "t.md")
    assert "1 command makes 4 runs" in said.out
    assert "absent: seeds 0, 1 of python experiments/run.py --loss triplet --miner hard --seeds 2" in said.out
    assert "absent: seeds 0, 1 of python experiments/run.py --seeds 2 --loss contrastive --miner " in said.out


HEAD = "<!-- python experiments/table.py results/runs --out t.md\n2026-11-26; runs made by\n"
BODY = "\n\n| objective | n |\n|:--|--:|\n| arcface | 2 |\n"


def test_what_a_command_needs_is_said_and_can_be_given(tmp_path: Path, again: Callable[..., Any]) -> None:
    line = "python experiments/run.py --data.name folder --data.root PATH --seed S --loss arcface"
    (tmp_path / "t.md").write_text(f"{HEAD}{line}\nsome words -->{BODY}")
    said = again(tmp_path / "t.md")
    assert said.code == 0 and f"{line} needs PATH, S (--set PATH=...)" in said.out
    assert "what 1 more would make cannot be told" in said.out and "no command of ours: some words" in said.out
    said = again(tmp_path / "t.md", "--set", f"PATH={tmp_path / 'faces'}", "S=0,1")
    assert said.code == 0 and "2 commands make 2 runs" in said.out
    assert (
        f"--data.root {tmp_path / 'faces'} --seed 1 --loss arcface needs {tmp_path / 'faces'}, which is not" in said.out
    )
    said = again(tmp_path / "t.md", "--set", f"PATH={tmp_path / 'faces'}", "S=0", "--run")
    assert said.code == 2 and "which is not here, so that" in said.err and said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "words", "sentence"),
    [
        (None, (), "there is no table"),
        (BODY, (), "has no header"),
        (f"<!-- my own -->{BODY}", (), "a header with no command"),
        (f"{HEAD}python experiments/runs.py -->{BODY}", (), "did you mean 'run'"),
        (f"{HEAD} -->{BODY}", ("--run",), "so there is nothing to build"),
        (f"{HEAD} -->{BODY}", ("--set", "PATH"), "is no NAME=VALUE"),
        (f"{HEAD}python experiments/run.py --loss arcfase -->{BODY}", ("--run",), "did you mean 'arcface'"),
        (f"```bash\npython experiments/run.py\n```{BODY}", ("--run",), "put down by hand"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    tmp_path: Path, again: Callable[..., Any], text: str | None, words: tuple[str, ...], sentence: str
) -> None:
    if text is not None:
        (tmp_path / "t.md").write_text(text)
    said = again(tmp_path / "t.md", *words)
    assert said.code == 2 and sentence in said.err and said.err.startswith("error: ") and said.err.count("\n") == 1


def test_of_several_tables_those_that_can_be_read_are_told(command: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(BODY)
    (tmp_path / "b.md").write_text(f"{HEAD}python experiments/run.py --loss arcface --seeds 3 -->{BODY}")
    said = command("table.py", "again", str(tmp_path / "a.md"), str(tmp_path / "b.md"), "--in", str(tmp_path))
    assert said.code == 2 and "1 command makes 3 runs" in said.out
    assert "1 of 2 tables cannot be made again" in said.err and "has no header" in said.err
    assert "name the tables" in command("table.py", "again").err


def test_a_table_of_tuning_names_its_studies(command: Callable[..., Any], tmp_path: Path) -> None:
    line = f"python experiments/tune.py --loss 'triplet(margin=tune(0.1, 0.5))' --final 2 --study s --out {tmp_path}"
    (tmp_path / "t.md").write_text(f"<!-- {line} --table t.md -->{BODY}")
    said = command("table.py", "again", str(tmp_path / "t.md"))
    assert said.code == 0 and f"the study {tmp_path / 's'} is absent" in said.out and "--run" in said.out
