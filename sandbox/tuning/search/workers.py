"""Several workers of one study on this machine: a process each, with its share of the threads and a GPU in turn.

They learn nothing from each other but through the study's storage, so a worker that is killed takes nothing with it:
another one goes on with its trial, and a new one takes its place. One whose parent is gone ends itself.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from sandbox.errors import Interrupted, SandboxError
from sandbox.runs.plugins import load_asked
from sandbox.training.allocator import keep_freed_memory
from sandbox.training.stopping import listen
from sandbox.tuning.plan.plan import Plan
from sandbox.tuning.search.claims import Goal
from sandbox.tuning.search.events import Ended, Event, Retrained, Retraining, TrialOver, TrialStep, Waiting
from sandbox.tuning.search.final import retrain
from sandbox.tuning.search.worker import search_all
from sandbox.tuning.study.making import make_study
from sandbox.tuning.study.study import Study
from sandbox.wording import counted

MOST_WORKERS = 256
_MOST_DEATHS = 5
"""Of one worker in a row, without any trial that ended between them."""
_GRACE = 25.0
"""Seconds that workers get to save what they are at."""
_EVERY = 0.5
"""Seconds between two words of a worker on how far its trial is."""


@dataclass(frozen=True)
class Job:
    """What a worker is told."""

    plans: tuple[Plan, ...]
    folders: tuple[Path, ...]
    """Of the study of each plan."""
    goal: Goal
    url: str = ""
    command: str = ""
    pictures: bool = True
    """Whether each trial is drawn for the dashboard."""
    final: int = 0
    """Fresh seeds that winners and defaults are trained on after the search."""


def studies_of(job: Job) -> list[tuple[Plan, Study]]:
    """Each plan of a job with its study, opened.

    Raises:
        SandboxError: as `make_study`.
    """
    made = [make_study(p, f, url=job.url, command=job.command) for p, f in zip(job.plans, job.folders, strict=True)]
    return list(zip(job.plans, made, strict=True))


def work(job: Job, studies: Sequence[tuple[Plan, Study]]) -> Generator[Event, None, None]:
    """What one worker does: trials of all studies, then the runs on fresh seeds.

    Raises:
        SandboxError: nothing can be trained, or there is no winner to train again.
    """
    why = ""
    for event in search_all(studies, job.goal, pictures=job.pictures):
        if isinstance(event, Ended):
            why = event.why
        else:
            yield event
    if job.final:
        yield from retrain(studies, job.final)
    yield Ended(why)


@dataclass
class _Worker:
    place: int
    process: BaseProcess
    said: Connection
    """What it says."""
    life: Connection
    """Held open for as long as this process lives."""
    deaths: int = 0
    ended: bool = False
    stopped: bool = False
    """Whether a signal ended it."""


def share_threads(workers: int, processors: int | None = None) -> int:
    """Threads of each worker, so that together they have one a processor."""
    return max(1, (processors or os.cpu_count() or 1) // workers)


def visible_gpus() -> list[str]:
    """The GPUs that workers may take, as ``CUDA_VISIBLE_DEVICES`` names them."""
    import torch

    if not torch.cuda.is_available():
        return []
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name.strip() for name in named.split(",") if name.strip()]
    return [str(number) for number in range(torch.cuda.device_count())]


def deal_gpus(workers: int, gpus: Sequence[str], per_gpu: int) -> list[str]:
    """The GPU of each worker, in turn; empty names where there are none.

    Raises:
        SandboxError: there are fewer places on the GPUs than workers.
    """
    if not gpus:
        return [""] * workers
    if workers > len(gpus) * per_gpu:
        there, places = counted(len(gpus), "GPU", "GPUs"), counted(len(gpus) * per_gpu, "worker", "workers")
        raise SandboxError(f"--workers is {workers}, but {there} with --per_gpu {per_gpu} take {places}")
    return [gpus[place % len(gpus)] for place in range(workers)]


def search_with(job: Job, *, gpus: Sequence[str]) -> Generator[Event, None, None]:
    """Search with a worker for each entry of `gpus` until none has anything left to do.

    Args:
        job: what they do.
        gpus: of each worker (`deal_gpus`).

    Raises:
        SandboxError: what ended a worker, or workers die again and again.
        Interrupted: a signal came; the workers have saved what they were at.
    """
    studies_of(job)  # refused once, not by each
    job = dataclasses.replace(job, plans=tuple(plan.plain() for plan in job.plans))
    team = _Team(job, gpus)
    try:
        yield from team.watch()
    finally:
        team.end()


@dataclass
class _Team:
    job: Job
    gpus: Sequence[str]
    workers: list[_Worker] = field(default_factory=list)

    def watch(self) -> Iterator[Event]:
        for place in range(len(self.gpus)):
            self.workers.append(self._start(place))  # one by one: a signal may come between two
        why, failed = "", ""
        while any(not worker.ended for worker in self.workers):
            live = [worker for worker in self.workers if not worker.ended]
            ready = multiprocessing.connection.wait([w.said for w in live], timeout=1.0)
            for worker in live:
                if worker.said not in ready:
                    continue
                event = _heard(worker.said)
                if event is None:
                    self._dead(worker)
                elif isinstance(event, Ended):
                    worker.ended, why = True, why or event.why
                elif isinstance(event, SandboxError):
                    worker.ended, failed = True, failed or str(event)
                elif not isinstance(event, Waiting):
                    if isinstance(event, TrialOver | Retrained):
                        for each in self.workers:
                            each.deaths = 0
                    yield event
        if failed:
            raise SandboxError(failed)
        if all(worker.stopped for worker in self.workers):
            why = "its workers were told to end"
        yield Ended(why)

    def _start(self, place: int) -> _Worker:
        context = _context()
        said, says = context.Pipe(duplex=False)
        lives, life = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(self.job, self.gpus[place], says, lives), daemon=True)
        process.start()
        says.close()
        lives.close()
        return _Worker(place, process, said, life)

    def _dead(self, worker: _Worker) -> None:
        """A worker is gone without a word: another takes its place."""
        worker.process.join(timeout=10)
        code = worker.process.exitcode
        worker.said.close()
        worker.life.close()
        if code in (128 + signal.SIGINT, 128 + signal.SIGTERM):  # it was asked to end, and not by this process
            worker.ended = worker.stopped = True
            return
        worker.deaths += 1
        if worker.deaths >= _MOST_DEATHS:
            how = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"
            raise SandboxError(
                f"a worker died {worker.deaths} times without ending a trial, the last time by {how}; "
                "is memory short? --workers 1 needs the least"
            )
        new = self._start(worker.place)
        worker.process, worker.said, worker.life = new.process, new.said, new.life

    def end(self) -> None:
        """Let every worker save what it is at, and see it gone."""
        for worker in self.workers:
            if worker.process.is_alive() and not worker.ended:
                with suppress(OSError, ValueError):
                    worker.process.terminate()
        until = time.monotonic() + _GRACE
        for worker in self.workers:
            worker.process.join(timeout=max(0.0, until - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.life.close()


def _heard(said: Connection) -> Any:
    """What a worker said; None where it is gone, perhaps in the middle of a word."""
    try:
        return said.recv()
    except (EOFError, OSError):
        return None


def _context() -> Any:
    """How processes are started: forked off a server that has imported all they need, where systems fork."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    # The others are what a first trial imports otherwise, for seconds, in each worker.
    context.set_forkserver_preload(["sandbox.tuning.search.worker", "torch._dynamo", "optuna_dashboard"])
    return context


def _work(job: Job, gpu: str, says: Connection, lives: Connection) -> None:
    """What a worker's process does."""
    if gpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu  # before CUDA is asked for anything
    threading.Thread(target=_end_with, args=(lives,), daemon=True).start()
    if not os.environ.get("PYTHONWARNINGS"):
        warnings.filterwarnings("ignore")
    keep_freed_memory()  # it is of a process, and this one is not the command's
    tell = _Teller(says)
    try:
        load_asked()
        with listen(together=5.0):  # a terminal tells it, and so does the parent
            for event in work(job, studies_of(job)):
                tell(event)
    except SandboxError as error:
        tell(error)
    except KeyboardInterrupt as stop:
        sys.exit(128 + (stop.number if isinstance(stop, Interrupted) else signal.SIGINT))


@dataclass
class _Teller:
    """Says what happens, how far a trial is only now and then, and nothing more once nobody listens."""

    says: Connection
    last: float = 0.0

    def __call__(self, event: Event | SandboxError) -> None:
        if isinstance(event, TrialStep | Retraining):
            if time.monotonic() - self.last < _EVERY:
                return
            self.last = time.monotonic()
        with suppress(OSError):
            self.says.send(event)


def _end_with(lives: Connection) -> None:
    """Ask this process to end, as a scheduler would, once its parent is gone."""
    with suppress(EOFError, OSError):
        lives.recv()
    os.kill(os.getpid(), signal.SIGTERM)
