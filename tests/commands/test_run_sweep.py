"""run.py --sweep as a person types it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.cli.table.again_asked import asked as asked_again
from sandbox.reporting.again.lines import read_line

ROOT = Path(__file__).resolve().parents[2]
QUICK = (
    *"--data.name digits --data.image_size 8 --backbone.name conv4 --backbone.embedding_dim 8".split(),
    *"--batch.size 16 --threads 1 --no_pictures --evaluate.every 9 --precision float32".split(),
)
PAIRED = "(loss, miner) = (triplet(margin=0.1, swap=True), hard) | (arcface, none)"


def folders(out: Path) -> dict[tuple[str, int], Path]:
    """Objective and seed -> the run folder."""
    found = {}
    for path in sorted(out.glob("*/run.json")):
        facts = json.loads(path.read_text())
        found[facts["objective"], facts["seed"]] = path.parent
    return found


def next_line(out: str) -> list[str]:
    """The words of the table.py command that a sweep ends with."""
    line = next(line for line in out.splitlines() if line.startswith("next: ")).removeprefix("next: ")
    return shlex.split(line.partition("        ")[0])


def test_the_product_is_trained_tabled_and_gone_on_with(command: Callable[..., Any], tmp_path: Path) -> None:
    words = ("--sweep", PAIRED, *QUICK, "--max_steps", "2", "--seeds", "2", "--out", str(tmp_path))
    said = command("run.py", *words)
    assert said.code == 0, said.err
    assert "2 combinations with seeds 0 to 1 each: 4 runs into" in said.out and "\n4 left\n" in said.out
    order = [said.err.index(f"run {number} of 4: (".replace("(", "loss = ")) for number in range(1, 5)]
    assert order == sorted(order) and "4 of 4 runs are finished" in said.out
    made = folders(tmp_path)
    assert sorted(made) == [
        ("arcface", 0),
        ("arcface", 1),
        ("triplet_margin(margin=0.1, miner=batch_hard, swap=True)", 0),
        ("triplet_margin(margin=0.1, miner=batch_hard, swap=True)", 1),
    ]
    program, *table = next_line(said.out)[1:]
    assert (program, table) == ("experiments/table.py", [str(tmp_path), "--rows", "loss", "miner"])
    shown = command("table.py", *table)
    assert shown.code == 0 and "batch_hard" in shown.out and "n = 2 seeds" in shown.out

    # One is gone and one was cut off: the same line makes these two again, to the bit.
    kept = (made["arcface", 1] / "report.json").read_text()
    shutil.rmtree(made["arcface", 0])
    facts = json.loads((made["arcface", 1] / "run.json").read_text())
    (made["arcface", 1] / "run.json").write_text(json.dumps({**facts, "status": "interrupted by SIGTERM at step 0"}))
    (made["arcface", 1] / "report.json").unlink()
    said = command("run.py", *words)
    assert said.code == 0 and "\n2 finished, 1 begun, 1 left\n" in said.out, said.err
    assert "run 2 of 2: loss = arcface, miner = none, seed 1: going on" in said.err
    assert folders(tmp_path)["arcface", 1] == made["arcface", 1]
    assert (made["arcface", 1] / "report.json").read_text() == kept
    assert next_line(said.out)[2:] == table
    nothing = command("run.py", *words)
    assert nothing.code == 0 and "\n4 finished\n" in nothing.out and "run 1 of" not in nothing.err


def test_each_run_is_the_one_that_its_own_line_makes_and_a_table_is_made_again_by_those(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    sweep = "optimizer.lr = 0.01 | 0.001; data.split_seed = 0 | 3"
    line = ("--sweep", sweep, "--loss", "arcface", *QUICK, "--max_steps", "2", "--out", str(tmp_path / "swept"))
    assert (
        command("run.py", "--loss", "triplet", *QUICK, "--max_steps", "1", "--out", str(tmp_path / "swept")).code == 0
    )
    said = command("run.py", *line)
    assert said.code == 0, said.err
    facts = [json.loads(path.read_text()) for path in sorted((tmp_path / "swept").glob("*arcface*/run.json"))]
    last = next(one for one in facts if "0.001" in one["command"] and "split_seed 3" in one["command"])
    alone = shlex.split(last["command"])[2:]
    assert "--sweep" not in alone
    alone[alone.index("--out") + 1] = str(tmp_path / "alone")
    assert command("run.py", *alone).code == 0
    (single,) = (tmp_path / "alone").glob("*/run.json")
    assert json.loads(single.read_text())["digest"] == last["digest"]
    twin = tmp_path / "swept" / last["id"]
    assert (single.parent / "report.json").read_text() == (twin / "report.json").read_text()

    # Other runs lie beside, and splits differ: the table has the sweep's alone, a block for each split.
    table = next_line(said.out)[2:]
    assert table[:2] == [str(tmp_path / "swept"), "--where"] and table[2].startswith("digest in (")
    assert table[3:] == ["--rows", "optimizer.lr", "--columns", "data.split_seed"]
    shown = command("table.py", *table)
    assert shown.code == 0 and "triplet" not in shown.out, shown.err

    wanted = asked_again(read_line(shlex.join(["python", "experiments/run.py", *line])))  # type: ignore[arg-type]
    assert not wanted.why and {one.digests for one in wanted.wanted} == {(one["digest"],) for one in facts}


def test_a_run_that_fails_does_not_end_the_sweep(command: Callable[..., Any], tmp_path: Path) -> None:
    # Decay takes each weight times -979 and less in a step, past what float32 holds in 13.
    decays = "--loss cross_entropy --max_steps 16 --optimizer.weight_decay 10 --optimizer.loss_lr 0.001".split()
    said = command("run.py", "--sweep", "optimizer.lr = 100 | 0.001", *QUICK, *decays, "--out", str(tmp_path))
    assert said.code == 1
    assert "not finished: optimizer.lr = 100, seed 0: the loss is not finite at step" in said.err
    assert "1 of 2 runs are finished" in said.out
    assert command("table.py", *next_line(said.out)[2:]).code == 0


def test_an_interrupt_saves_the_run_and_the_same_line_goes_on(command: Callable[..., Any], tmp_path: Path) -> None:
    words = ("--sweep", "loss = arcface | cosface", *QUICK, "--max_steps", "40", "--out", str(tmp_path))

    def stop() -> None:
        while not [*tmp_path.glob("*/log.jsonl")]:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=stop)
    thread.start()
    said = command("run.py", *words)
    thread.join()
    assert said.code == 143
    line = next(line for line in said.err.splitlines() if line.startswith("interrupted; to go on: "))
    assert shlex.split(line.partition("go on: ")[2])[2:] == list(words)
    (cut,) = tmp_path.glob("*arcface*")
    said = command("run.py", *words)
    assert said.code == 0 and "\n1 begun, 1 left\n" in said.out and "going on from step" in said.err, said.err
    assert json.loads((cut / "run.json").read_text())["status"] == "done" and len([*tmp_path.glob("*")]) == 2


def test_what_was_made_of_other_images_does_not_count(command: Callable[..., Any], tmp_path: Path) -> None:
    words = ("--sweep", "loss = arcface", *QUICK, "--max_steps", "1", "--out", str(tmp_path))
    assert command("run.py", *words).code == 0
    (path,) = tmp_path.glob("*/run.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "split": "another"}))
    said = command("run.py", *words)
    assert said.code == 2 and "but was made of other images (split another, and" in said.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sweep", "loss = triplet | arcface", "--loss", "triplet"), "loss is swept and given as the flag --loss"),
        (("--sweep", "los = triplet"), "no setting named 'los'; did you mean 'loss'"),
        (("--sweep", "loss = a; loss = b"), "has the setting 'loss' twice"),
        (("--sweep", ""), "--sweep is empty"),
        (("--sweep=",), "--sweep is empty"),
        (("--sweep", "loss = triplet |"), "a value of loss is empty"),
        (("--sweep", "loss = triplet", "--resume", "x"), "--sweep has no place beside --resume"),
        (("--sweep", "loss = triplet", "--against", "arcface"), "--sweep has no place beside --against 'arcface'"),
        (("--sweep", "loss = triplet", "--recipe", "staged"), "--sweep has no place beside a recipe of stages"),
        (("--sweep", "loss = triplet", "--seeds", "0"), "--seeds is 0"),
        (("--sweep", "loss = arcface | trplet"), "loss = trplet: no loss named 'trplet'; did you mean 'triplet'"),
        (
            ("--sweep", "loss = triplet | arcface; miner = none | hard"),
            "loss = arcface, miner = hard: --miner hard has nothing to do",
        ),
        (("--sweep", "loss = triplet | triplet_margin"), "are one recipe"),
        (("--sweep", "loss = triplet, arcface"), "values of --sweep are parted by |"),
        (("--sweep", "optimizer.lr = 0.1 | -1"), "optimizer.lr = -1: optimizer.lr is -1.0, but lies between"),
        (("--sweep", "max_steps = 1 | two"), "max_steps = two: --max_steps: "),
        (("--sweep", "optimizer.name = sgd | adm"), "optimizer.name = adm: "),
        (("--sweep", "evaluate.episodes = 5-way 1-shot | 500-way 1-shot"), "evaluate.episodes = 500-way 1-shot: "),
        (("--sweep", "loss = cosface | arcface(margin=-4, scale=32)"), "loss = arcface(margin=-4, scale=32): "),
        (("--sweep", "batch.size = 16 | 4096", "--loss", "triplet"), "batch.size = 4096: "),
    ],
)
def test_a_mistake_in_any_combination_is_said_before_anything_trains(
    command: Callable[..., Any], tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    plain = [word for word in QUICK if word not in ("--batch.size", "16")]
    plain += ["--epochs", "1"]  # nothing long where a mistake is not seen
    outcome = command("run.py", *words, *plain, "--out", str(tmp_path / "runs"))
    assert outcome.code == 2 and said in outcome.err and outcome.out == ""
    (sentence,) = (line for line in outcome.err.splitlines() if not line.startswith("checking "))
    assert sentence.startswith("error: ") and not (tmp_path / "runs").exists()


def test_images_too_small_for_one_network_of_several_are_said_before_anything_trains(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    words = "--data.name digits --data.image_size 8 --max_steps 1 --no_pictures".split()
    said = command(
        "run.py", "--sweep", "backbone.name = conv4 | nn4_small2", "--loss", "arcface", *words, "--out", str(tmp_path)
    )
    assert said.code == 2 and "backbone.name = nn4_small2: " in said.err and not [*tmp_path.iterdir()]


def test_several_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox.cli.sweep.asked import check_alone
    from sandbox.errors import SandboxError

    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.raises(SandboxError, match="beside torchrun"):
        check_alone(against="", resume="", stages=0)
