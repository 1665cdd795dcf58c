"""Many workers of one study: nothing is lost or done twice, whoever is killed, and whenever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from optuna.trial import TrialState

from sandbox.errors import SandboxError
from sandbox.tuning.search.events import Ended, TrialBegun
from sandbox.tuning.search.workers import deal_gpus, search_with, share_threads
from sandbox.tuning.study.making import make_study
from sandbox.tuning.study.owner import lives
from sandbox.tuning.study.read import read_study
from sandbox.tuning.study.study import Study, open_study

from apart import ended, needs_fork, parent, ready, started
from studies import same, searched
from working import alone, check_whole, job, kept, killing, lead, owner, running, tiny, until, work

pytestmark = needs_fork
LONG = os.environ.get("METRIC_LEARNING_SANDBOX_LONG")
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True, scope="module")
def _forks() -> None:
    ready()  # workers are forked off the server that is there


def test_four_workers_end_exactly_the_trials_asked_for_each_on_its_gpu(tmp_path: Path) -> None:
    events = list(search_with(job(tiny(), 24, tmp_path / "mine"), gpus=deal_gpus(4, ["5", "7"], 2)))
    assert events[-1] == Ended("")
    study = check_whole(tmp_path / "mine", 24)
    dealt = {(owner(trial).process, trial.user_attrs["gpu"]) for trial in study.trials()}
    assert len(dealt) == len({process for process, _ in dealt}) == 4
    assert sorted(gpu for _, gpu in dealt) == ["5", "5", "7", "7"]
    assert list(search_with(job(tiny(), 24, tmp_path / "mine"), gpus=[""])) == [Ended("")]


def test_four_machines_begin_one_study_at_the_same_moment(database: str, tmp_path: Path) -> None:
    trials = 24 if LONG else 8
    working = [started(work, tiny(), trials, tmp_path / f"{n}" / "mine", database) for n in range(4)]
    assert [ended(process) for process in working] == [0] * 4
    study = check_whole(tmp_path / "0" / "mine", trials, database)
    assert len({owner(trial).process for trial in study.trials()}) > 1
    runs = [path.name for n in range(4) for path in (tmp_path / f"{n}" / "mine" / "runs").iterdir()]
    assert sorted(runs) == [f"trial-{number:04d}" for number in range(trials + 1)]


@pytest.mark.parametrize(
    ("kills", "trials", "where"),
    [
        pytest.param(5, 8, "journal", marks=pytest.mark.thorough),
        pytest.param(20, 24, "journal", marks=pytest.mark.skipif(not LONG, reason="takes minutes")),
        pytest.param(20, 24, "postgresql", marks=pytest.mark.skipif(not LONG, reason="takes minutes")),
    ],
)
def test_workers_that_are_killed_lose_nothing(
    kills: int, trials: int, where: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = "" if where == "journal" else str(request.getfixturevalue("database"))
    of = tiny(steps=20, every=5, pruner="none")
    study = make_study(of, tmp_path / "mine", url=url)
    with killing(study, kills) as killed:
        events = list(search_with(job(of, trials, tmp_path / "mine", url), gpus=[""] * 4))
    assert len(killed) == kills
    study = check_whole(tmp_path / "mine", trials, url)
    assert {event.number for event in events if isinstance(event, TrialBegun) and event.adopted} <= set(killed)
    record = read_study(tmp_path / "mine", url)
    for number in set(killed):
        trial = record.trials[number]
        assert trial.state == "complete" and trial.runs == (f"trial-{number:04d}",)
        assert sorted(trial.curve) == [5, 10, 15, 20]
        assert kept(study.folder / "runs" / trial.runs[0]) == alone(study, number, tmp_path / "alone")


@pytest.mark.thorough
def test_a_worker_that_is_killed_again_and_again_draws_and_prunes_as_one_that_is_not(tmp_path: Path) -> None:
    of, trials = tiny(steps=12, every=2), 7
    searched(of, tmp_path / "whole" / "mine", trials, pictures=False)
    draw, codes = np.random.default_rng(0), [-signal.SIGKILL]
    while codes[-1]:
        process = started(work, of, trials, tmp_path / "killed" / "mine")
        if len(codes) <= 4:  # a fifth death without a step between fails a trial, as it should
            process.join(float(draw.uniform(0.3, 1.0)))
            process.kill()
        codes.append(ended(process))
        assert codes[-1] in (0, -signal.SIGKILL)
    assert len(codes) == 6
    one, other = (read_study(tmp_path / name / "mine").trials for name in ("whole", "killed"))
    assert all(map(same, one, other)) and len(one) == len(other) == trials + 1
    assert {trial.state for trial in one} == {"complete", "pruned"}


@pytest.fixture
def led(tmp_path: Path) -> Iterator[tuple[int, Study]]:
    """A parent, and the study that its two workers are at."""
    study = make_study(LENGTHY, tmp_path / "mine")
    leader = parent(lead, LENGTHY, 4, tmp_path / "mine", 2)
    try:
        until(lambda: len(running(study, looks=1)) == 2)
        assert leader.pid is not None
        yield leader.pid, study
        leader.join()
    finally:
        leader.kill()


LENGTHY = tiny(steps=20_000, every=20, pruner="none")


@pytest.mark.parametrize(
    ("number", "whom"), [(signal.SIGKILL, "parent"), (signal.SIGTERM, "parent"), (signal.SIGINT, "all")]
)
def test_workers_end_with_their_parent_and_what_they_were_at_is_saved(
    number: signal.Signals, whom: str, led: tuple[int, Study], tmp_path: Path
) -> None:
    pid, study = led
    workers = [owner(trial) for trial in running(study)]
    for process in [pid, *(worker.process for worker in workers if whom == "all")]:
        os.kill(process, number)
    until(lambda: not any(lives(worker) for worker in workers))
    trials = study.trials()
    assert [trial.state for trial in trials] == [TrialState.WAITING] * 2
    for trial in trials:
        assert (study.folder / "runs" / f"trial-{trial.number:04d}" / "checkpoint.safetensors").is_file()
    again = search_with(job(LENGTHY, 4, study.folder), gpus=[""])
    begun = next(event for event in again if isinstance(event, TrialBegun))
    assert begun.adopted and begun.number == 0
    again.close()


@pytest.mark.thorough
def test_the_command_ends_as_its_signal_says_and_goes_on(tmp_path: Path) -> None:
    words = "--loss triplet(margin=tune(0.05,0.5)) --data.name digits --data.image_size 8 --backbone.name conv4 "
    words += "--batch.size 16 --max_steps 20000 --evaluate.every 20 --trials 4 --workers 2 --study mine --out"
    command = [sys.executable, "experiments/tune.py", *words.split(), str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        until(lambda: (tmp_path / "mine" / "study.json").is_file())
        study = open_study(tmp_path / "mine")
        until(lambda: len(running(study, looks=1)) == 2)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 128 + signal.SIGINT
    assert out.endswith("interrupted; the same command goes on\n") and err == ""
    assert [trial.state for trial in study.trials()] == [TrialState.WAITING] * 2


def test_threads_and_gpus_are_dealt_out() -> None:
    assert [share_threads(workers, 8) for workers in (1, 2, 3, 8, 20)] == [8, 4, 2, 1, 1]
    assert deal_gpus(3, [], 1) == ["", "", ""]
    assert deal_gpus(3, ["0", "1"], 2) == ["0", "1", "0"]
    with pytest.raises(SandboxError, match="--workers is 3, but 2 GPUs with --per_gpu 1 take 2 workers"):
        deal_gpus(3, ["0", "1"], 1)
