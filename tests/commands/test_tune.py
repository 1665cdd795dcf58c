"""The tune command and its studies."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import trees

ROOT = Path(__file__).resolve().parents[2]
QUICK = (
    *"--data.name digits --data.image_size 8 --backbone.name conv4 --backbone.embedding_dim 16".split(),
    *"--max_steps 3 --batch.size 16 --threads 1 --no-pictures".split(),
)
SEARCH = ("--loss", "triplet(margin=tune(0.05, 0.5))", *QUICK)


def test_a_study_runs_goes_on_and_names_its_winner(command: Callable[..., Any], tmp_path: Path) -> None:
    from sandbox.tuning.study.read import read_study

    words = (*SEARCH, "--out", str(tmp_path), "--study", "mine", "--search", "optimizer.lr=tune()")
    first = command("tune.py", *words, "--trials", "1")
    assert first.code == 0, first.err
    assert "triplet_margin.margin  0.05 to 0.5   (default 0.05)" in first.out and "a trial: 3 steps of" in first.out
    again = command("tune.py", *words, "--trials", "2")
    assert again.code == 0, again.err
    assert "going on: 1 of 2 trials are over (1 complete); best " in again.out
    assert 'next: python experiments/run.py --loss "triplet_margin(margin=' in again.out.replace("'", '"')
    study = read_study(tmp_path / "mine")
    assert [trial.state for trial in study.trials] == ["complete"] * 3 and study.default() is study.trials[0]
    margins = [trial.params["triplet_margin.margin"] for trial in study.trials]
    assert len(set(margins)) == 3 and all(0.05 <= margin <= 0.5 for margin in margins)
    runs = [json.loads(path.read_text()) for path in tmp_path.glob("mine/runs/*/run.json")]
    assert len(runs) == 3 and all(run["test_evaluations"] == 0 for run in runs)
    best = study.best()
    assert best is not None and best.kind == "trial" and best.runs == (f"trial-{best.number:04d}",)
    report = json.loads((tmp_path / "mine" / "runs" / best.runs[0] / "report.json").read_text())
    assert report.keys() == {"val"} and best.values[0] == report["val"]["retrieval/map@r"]["value"]
    assert best.line in command("tune.py", "show", str(tmp_path / "mine")).out.replace(" --seed 1 --seeds 5", "")


def test_the_winners_line_is_a_command_that_runs(command: Callable[..., Any], tmp_path: Path) -> None:
    import shlex

    said = command("tune.py", *SEARCH, "--pictures", "--out", str(tmp_path), "--study", "mine", "--trials", "1")
    line = next(row for row in said.out.splitlines() if row.startswith("next: "))
    words = shlex.split(line.removeprefix("next: "))[2:]
    words[words.index("--seeds") + 1] = "1"
    assert command("run.py", *words, "--no_pictures", "--out", str(tmp_path / "runs")).code == 0


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
        ((*SEARCH, "--tag", "two words"), "'two words' is no tag"),
        (("--loss", "triplet(margin=tune(0.5, 0.05))"), "not below"),
        (("--loss", "cosface(margin=tune([0.3, 28.6]))"), "28.6"),
        (("--loss", "arcface(margin=tune())", "--miner", "hard"), "nothing to do"),
        (("dashboard", "nothing"), "no study"),
        (("show", "nothing"), "no study"),
        ((*SEARCH, "--workers", "0"), "--workers is 0"),
        ((*SEARCH, "--workers", "9", "--trials", "8"), "--workers is 9, but --trials is 8"),
        ((*SEARCH, "--timeout", "soon"), "2h"),
        ((*SEARCH, "--patience", "-1"), "--patience is -1"),
        ((*SEARCH, "--sampler", "tbe"), "did you mean 'tpe'"),
        ((*SEARCH, "--pruner", "medians"), "did you mean 'median'"),
        ((*SEARCH, "--pruner", "wilcoxon"), "needs 5 runs"),
        ((*SEARCH, "--sampler", "cmaes"), "two numbers"),
        ((*SEARCH, "--monitors", "map@r"), "no report key"),
        ((*SEARCH, "--constraint", "speed >= 500"), "there is no speed"),
        ((*SEARCH, "--constraint", "memory"), "KEY <= NUMBER"),
        ((*SEARCH, "--trial_seeds", "0"), "--trial_seeds is 0"),
        ((*SEARCH, "--folds", "1"), "--folds is 1"),
        ((*SEARCH, "--protocol", "x"), "no protocol named 'x'; there are reality_check"),
        ((*SEARCH, "--protocol", "reality-check"), "did you mean 'reality_check'"),
        ((*SEARCH, "--protocol", "reality_check", "--folds", "2"), "--folds is 2, but --protocol reality_check"),
        ((*SEARCH, "--protocol", "reality_check", "--final", "0"), "--final is 0, but --protocol reality_check"),
        ((*SEARCH, "--protocol", "reality_check", "--data.split", "sample"), "take a split by class"),
        ((*SEARCH, "--protocol", "reality_check", "--data.val_fold", "1/4"), "say how many by --folds"),
        ((*SEARCH, "--study", "a" * 151), "no plain name"),
        ((*SEARCH, "--study", "../mine"), "no plain name"),
        ((*QUICK, "--loss", "triplet(margin=tune(0, 1, log=True))"), "above 0"),
        ((*QUICK, "--loss", "triplet(margine=tune(0, 1))"), "did you mean 'margin'"),
        ((*SEARCH, "--search", "optimizer.name=tune([adam, sgd])"), "tune(['adam', 'sgd'])"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    command: Callable[..., Any], words: tuple[str, ...], sentence: str
) -> None:
    said = command("tune.py", *words)
    assert said.code == 2 and sentence in said.err and "Traceback" not in said.err


def test_a_protocol_sets_what_was_not_said_and_ends_in_its_table(command: Callable[..., Any], tmp_path: Path) -> None:
    root = trees.folders(tmp_path / "people", range(12), 4)
    words = (
        *"--backbone.name conv4 --max_steps 2 --threads 1 --study mine --no-pictures".split(),
        "--out",
        str(tmp_path),
    )
    words += ("--loss", "triplet(margin=tune(0.05, 0.5))", "--data.name", "folder", "--data.root", str(root))
    few = ("--data.image_size", "12", "--folds", "3", "--trials", "1", "--final", "1")
    said = command("tune.py", *words, *few, "--protocol", "reality_check")
    assert said.code == 0, said.err
    sets = "sets backbone.embedding_dim 128, batch.size 32, batch.samples 4, data.test 0.5, that of test where"
    assert sets in said.out and "of judging folds; sampler" in said.out
    assert "best on judging folds: " in said.out and "tuned    seed 1" in said.out
    table = (tmp_path / "mine" / "tuning.md").read_text()
    assert "MAP@R, concatenated" in table and "batches of 8 classes x 4 images (" in table
    assert "3 folds of 24 images of 6 classes, test 24 images of 6 classes" in table
    again = command("tune.py", *words, *few, "--protocol", "reality_check")
    assert again.code == 0 and (tmp_path / "mine" / "tuning.md").read_text() == table
    other = command("tune.py", *words, *few[:-2])
    assert other.code == 2 and "searches something else" in other.err


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
    for loss, why in (
        ("triplet(margin=tune(0.2, 0.5))", "margin in tune(0.2, 0.5) does not hold all of tune(0.1, 0.5)"),
        ("triplet(margin=tune(0.1, 0.5), swap=True)", "the rest of the objective is another"),
        ("triplet(margin=tune(0.1, 0.5), smooth_loss=tune([True, False]))", "other values are searched"),
    ):
        said = command("tune.py", "--loss", loss, *words)
        assert said.code == 2 and "searches something else" in said.err and why in said.err


def test_a_wider_search_goes_on_with_the_trials(command: Callable[..., Any], tmp_path: Path) -> None:
    from sandbox.tuning.study.read import read_study

    words = (*QUICK, "--out", str(tmp_path), "--study", "mine", "--search")
    loss = ("--loss", "triplet(margin=tune(0.1, 0.5))")
    assert command("tune.py", *loss, *words, "augment.flip=tune(['yes', 'no'])", "--trials", "1").code == 0
    before = read_study(tmp_path / "mine").trials
    wide = ("--loss", "triplet(margin=tune(0.01, 0.5))", *words, "augment.flip=tune(['yes', 'no', 'auto'])")
    said = command("tune.py", *wide, "--trials", "2")
    assert said.code == 0 and "1 of 2 trials are over" in said.out
    assert "the search is a wider one now; 2 of 2 trials lie in it" in said.out  # the default does as well, now
    after = read_study(tmp_path / "mine")
    assert [trial.number for trial in after.trials] == [0, 1, 2] and after.trials[1] == before[1]
    assert after.search == {"triplet_margin.margin": "tune(0.01, 0.5)", "augment.flip": "tune(['yes', 'no', 'auto'])"}
    assert len(list((tmp_path / "mine" / "runs").iterdir())) == 3


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
