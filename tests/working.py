"""Small studies that several processes work at, and what is done to those; each job is for `apart`."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from sandbox.errors import Interrupted
from sandbox.pipeline.run import run
from sandbox.recipe.specs import DataSpec, EvaluateSpec
from sandbox.training.stopping import listen
from sandbox.tuning.plan.plan import Plan
from sandbox.tuning.search.claims import Goal
from sandbox.tuning.search.worker import search
from sandbox.tuning.search.workers import Job, search_with
from sandbox.tuning.study.heartbeat import OWNER
from sandbox.tuning.study.making import make_study
from sandbox.tuning.study.owner import Owner, read_owner, this_process
from sandbox.tuning.study.read import recipe_of
from sandbox.tuning.study.study import Study, open_study

from studies import plan

BYTES = ("model.safetensors", "report.json", "embeddings.safetensors")


def tiny(*, steps: int = 1, every: int = 1, **options: Any) -> Plan:
    """A plan whose trials take some tenths of a second."""
    changes = {"data": DataSpec(name="digits", image_size=8), "evaluate": EvaluateSpec(every=every)}
    return plan(steps=steps, changes=changes | options.pop("changes", {}), **options)


def job(of: Plan, trials: int, folder: Path, url: str = "") -> Job:
    """What workers are told; nothing is drawn."""
    return Job((of,), (folder,), Goal(trials), url, "a test", pictures=False)


def work(of: Plan, trials: int, folder: Path, url: str = "") -> None:
    """Be a worker by oneself, as on a machine of one's own."""
    for _ in search(of, Goal(trials), folder=folder, url=url, command="a test", pictures=False):
        pass


def lead(of: Plan, trials: int, folder: Path, workers: int) -> None:
    """Be the parent of workers; ends as a command does that a signal ended."""
    forkserver._forkserver.ensure_running = lambda: None  # it is there: this process was forked off it
    try:
        with listen():
            for _ in search_with(job(of, trials, folder), gpus=[""] * workers):
                pass
    except Interrupted as stop:
        sys.exit(128 + stop.number)


def widen(of: Plan, folder: Path, url: str = "", dies_in: int = 0) -> None:
    """Make or widen a study; killed in the write of that number to its journal where `dies_in` is not 0."""
    writes, sync = 0, os.fsync

    def dying(descriptor: int) -> None:
        nonlocal writes
        writes += os.readlink(f"/proc/self/fd/{descriptor}").endswith("journal.log")
        if writes == dies_in:
            os.kill(os.getpid(), signal.SIGKILL)
        sync(descriptor)

    if dies_in:
        os.fsync = dying
    make_study(of, folder, url=url)


def until(true: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait for something to become true; its value."""
    end, wait = time.monotonic() + seconds, threading.Event()
    while not (found := true()):
        assert time.monotonic() < end, "waited in vain"
        wait.wait(0.01)
    return found


def running(study: Study, looks: int = 0) -> list[FrozenTrial]:
    """The trials that somebody is at, with so many looks at least."""
    found = (trial for trial in study.trials() if trial.state == TrialState.RUNNING)
    return [trial for trial in found if len(trial.intermediate_values) >= looks]


def owner(trial: FrozenTrial) -> Owner:
    """Who is at a trial, or was the last to be."""
    found = read_owner(trial.system_attrs[OWNER])
    assert found is not None
    return found


def belongs_to(study: Study, number: int, **changes: Any) -> None:
    """Give a trial to another process: this one's, but for the changes."""
    trial_id = study.trials()[number]._trial_id
    study.store.storage.set_trial_system_attr(trial_id, OWNER, this_process().as_attribute() | changes)


@contextmanager
def killing(study: Study, kills: int, seed: int = 0) -> Iterator[list[int]]:
    """Kill workers of a study at random moments while the block runs; the numbers of the trials that they were at.

    No trial is killed more than twice, and no more workers than two for each trial that is over: whoever dies again and
    again without getting further is given up, which is another matter.
    """
    killed: list[int] = []
    over, draw = threading.Event(), np.random.default_rng(seed)

    def kill() -> None:
        while len(killed) < kills and not over.wait(draw.uniform(0.0, 0.3)):
            ended = sum(trial.state.is_finished() for trial in study.trials())
            there = [trial for trial in running(study) if killed.count(trial.number) < 2]
            if there and len(killed) < 2 * ended:
                trial = there[draw.integers(len(there))]
                try:
                    os.kill(owner(trial).process, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                killed.append(trial.number)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def kept(folder: Path) -> dict[str, bytes]:
    """What a run leaves, byte by byte."""
    return {name: (folder / name).read_bytes() for name in BYTES}


def alone(study: Study, number: int, out: Path) -> dict[str, bytes]:
    """What a trial leaves that nothing interrupts, trained outside its study."""
    for _ in run(recipe_of(study, number), out=out, command="a test", test=False, pictures=False, name=f"{number}"):
        pass
    return kept(out / f"{number}")


def check_whole(folder: Path, trials: int, url: str = "") -> Study:
    """So many trials of a study are over, each with a point of its own, and nothing else is there but the default."""
    study = open_study(folder, url)
    found = study.trials()
    assert [trial.number for trial in found] == list(range(trials + 1))
    assert {trial.state for trial in found} <= {TrialState.COMPLETE, TrialState.PRUNED}
    assert [trial.user_attrs.get("kind") for trial in found].count("default") == 1
    assert len({tuple(trial.params.items()) for trial in found}) == trials + 1
    return study
