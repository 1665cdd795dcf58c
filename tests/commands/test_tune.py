"""The tune command and its studies."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
QUICK = (
    *"--data.name digits --backbone.name conv4 --backbone.embedding_dim 16".split(),
    *"--max_steps 3 --batch.size 16 --threads 1".split(),
)
SEARCH = ("--loss", "triplet(margin=tune(0.05, 0.5))", *QUICK)


def test_a_study_runs_goes_on_and_names_its_winner(command: Callable[..., Any], tmp_path: Path) -> None:
    from sandbox.tuning.study import open_study

    words = (*SEARCH, "--out", str(tmp_path), "--study", "mine", "--search", "optimizer.lr=tune()")
    first = command("tune.py", *words, "--trials", "1")
    assert first.code == 0, first.err
    again = command("tune.py", *words, "--trials", "2")
    assert again.code == 0, again.err
    assert "next: python experiments/run.py --loss 'triplet_margin(margin=" in again.out
    study = open_study(tmp_path / "mine")
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "COMPLETE"]
    margins = [trial.params["triplet_margin.margin"] for trial in study.trials]
    assert len(set(margins)) == 2 and all(0.05 <= margin <= 0.5 for margin in margins)
    runs = [json.loads(path.read_text()) for path in tmp_path.glob("mine/runs/*/run.json")]
    assert len(runs) == 2 and all(run["test_evaluations"] == 0 for run in runs)
    best = max(study.trials, key=lambda trial: trial.value or 0)
    report = json.loads((tmp_path / "mine" / "runs" / best.user_attrs["run"] / "report.json").read_text())
    assert report.keys() == {"val"} and best.value == report["val"]["retrieval/map@r"]["value"]
    assert command("tune.py", "show", str(tmp_path / "mine")).out.count("complete") == 2


def test_the_winners_line_is_a_command_that_runs(command: Callable[..., Any], tmp_path: Path) -> None:
    import shlex

    said = command("tune.py", *SEARCH, "--out", str(tmp_path), "--study", "mine", "--trials", "1")
    line = next(row for row in said.out.splitlines() if row.startswith("next: "))
    words = shlex.split(line.removeprefix("next: "))[2:]
    words[words.index("--seeds") + 1] = "1"
    assert command("run.py", *words, "--no_pictures", "--out", str(tmp_path / "runs")).code == 0


def test_an_interrupted_trial_is_tried_again(tmp_path: Path) -> None:
    from sandbox.pipeline.events import Progress
    from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, Recipe
    from sandbox.tuning.space import read_space
    from sandbox.tuning.study import open_study, search

    recipe = Recipe(
        loss="triplet(margin=tune(0.05, 0.5))",
        data=DataSpec(name="digits"),
        backbone=BackboneSpec(name="conv4"),
        batch=BatchSpec(size=16),
        max_steps=3,
    )
    space = read_space(recipe, [])
    events = search(space, folder=tmp_path / "mine", trials=1, command="a test")
    next(event for event in events if isinstance(event, Progress))
    events.close()  # what Ctrl-C does to it
    (stopped,) = open_study(tmp_path / "mine").get_trials(deepcopy=False)[:1]
    assert stopped.state.name == "FAIL"
    list(search(space, folder=tmp_path / "mine", trials=1, command="a test"))
    last = open_study(tmp_path / "mine").trials[-1]
    assert last.state.name == "COMPLETE" and last.params == stopped.params


def test_a_trial_whose_worker_is_gone_is_interrupted(command: Callable[..., Any], tmp_path: Path) -> None:
    from sandbox.tuning.study import open_study, trial_rows

    words = (*SEARCH, "--out", str(tmp_path), "--study", "mine")
    assert command("tune.py", *words, "--trials", "1").code == 0
    for worker in (f"{socket.gethostname()}:{2**31 - 1}", "elsewhere:1"):
        open_study(tmp_path / "mine").ask().set_user_attr("worker", worker)
    assert [row["state"] for row in trial_rows(tmp_path / "mine")] == ["complete", "interrupted", "running"]


def test_a_torn_last_line_of_the_journal_is_cut(command: Callable[..., Any], tmp_path: Path) -> None:
    words = (*SEARCH, "--out", str(tmp_path), "--study", "mine")
    assert command("tune.py", *words, "--trials", "1").code == 0
    with (tmp_path / "mine" / "journal.log").open("ab") as file:
        file.write(b'{"op_code": 8, "worker_')
    assert command("tune.py", *words, "--trials", "2").code == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--loss", "triplet"), "nothing in 'triplet' is marked"),
        ((*SEARCH, "--search", "optimizer.lrr=tune()"), "did you mean 'optimizer.lr'"),
        ((*SEARCH, "--search", "optimizer.lr=3"), "tune(low, high)"),
        ((*SEARCH, "--search", "batch.size=tune(0.5, 2)"), "no value of batch.size"),
        ((*SEARCH, "--search", "backbone.name=tune(1, 2)"), "tune([...])"),
        ((*SEARCH, "--trials", "0"), "--trials"),
        (("--loss", "triplet(margin=tune(0.5, 0.05))"), "not below"),
        (("--loss", "cosface(margin=tune([0.3, 28.6]))"), "28.6"),
        (("--loss", "arcface(margin=tune())", "--miner", "hard"), "nothing to do"),
        (("dashboard", "nothing"), "no study"),
        (("show", "nothing"), "no study"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    command: Callable[..., Any], words: tuple[str, ...], sentence: str
) -> None:
    said = command("tune.py", *words)
    assert said.code == 2 and sentence in said.err and "Traceback" not in said.err


def test_the_dashboard_serves_the_study(command: Callable[..., Any], tmp_path: Path) -> None:
    assert command("tune.py", *SEARCH, "--out", str(tmp_path), "--study", "mine", "--trials", "1").code == 0
    port = "18080"
    words = [sys.executable, "experiments/tune.py", "dashboard", str(tmp_path / "mine"), "--port", port]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            assert server.stdout and "http://127.0.0.1" in server.stdout.readline()
            body = _fetch(f"http://127.0.0.1:{port}/api/studies")
            assert "mine" in body
        finally:
            server.terminate()


def _fetch(address: str) -> str:
    """The page, once the server listens."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)  # the address is printed just before the server binds


def test_one_name_never_mixes_two_searches(command: Callable[..., Any], tmp_path: Path) -> None:
    words = (*QUICK, "--out", str(tmp_path), "--study", "mine", "--trials", "1")
    assert command("tune.py", "--loss", "triplet(margin=tune(0.1, 0.5))", *words).code == 0
    said = command("tune.py", "--loss", "triplet(margin=tune(0.1, 0.9))", *words)
    assert said.code == 2 and "searches something else" in said.err


@pytest.mark.parametrize(
    ("search", "sentence"),
    [
        ("augment.flip=tune(['yes', 'maybe'])", "'maybe'"),
        ("optimizer.lr=tune(1, 1000)", "optimizer.lr is 1000"),
        ("seed=tune(0, 5)", "no setting 'seed'"),
        ("evaluate.monitor=tune(['retrieval/mrr', 'verification/eer'])", "no setting 'evaluate.monitor'"),
    ],
)
def test_a_study_searches_only_what_a_recipe_may_hold(command: Callable[..., Any], search: str, sentence: str) -> None:
    said = command("tune.py", *SEARCH, "--search", search)
    assert said.code == 2 and sentence in said.err


def test_a_damaged_journal_is_said(command: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "journal.log").write_bytes(b"\xff\xfe no journal\n")
    said = command("tune.py", "show", str(tmp_path / "mine"))
    assert said.code == 2 and "damaged" in said.err
