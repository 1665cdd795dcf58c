"""A sweep from what there is of it to what it comes to."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.cli.outputs import from_here
from sandbox.cli.say import say
from sandbox.cli.standing import standing_in
from sandbox.cli.sweep.asked import Asked
from sandbox.cli.sweep.plan import Planned, plan, refuse_strangers
from sandbox.cli.sweep.tabled import table_line
from sandbox.errors import Interrupted, SandboxError
from sandbox.wording import counted, reason

if TYPE_CHECKING:
    from sandbox.recipe.specs import Recipe
    from sandbox.reporting.again.standing import Standing
    from sandbox.runs.folder import RunFolder

UNFINISHED = 1
"""Exit code where a run failed, or another process is at work on one."""
_MOST_ROWS = 40


@dataclass(frozen=True)
class Hands:
    """What run.py does for a sweep."""

    read: Callable[[Sequence[str]], Recipe]
    """The recipe of the words behind run.py."""
    train: Callable[[Sequence[str], int], object]
    """Trains what such words ask for with one seed."""
    resume: Callable[[Path], object]
    """Goes on with the run in a folder."""
    typed: str
    """The line itself, which goes on with the sweep."""


@dataclass(frozen=True)
class Job:
    """One run of a sweep."""

    planned: Planned
    seed: int

    @property
    def key(self) -> tuple[str, int]:
        """By which its run is known."""
        return self.planned.digest, self.seed

    def __str__(self) -> str:
        return f"{self.planned}, seed {self.seed}"


def run_sweep(
    asked: Sequence[Asked], hands: Hands, *, seeds: range, out: Path, usual: Path, tags: Sequence[str]
) -> None:
    """Check every combination, train what is missing, and say how to table it.

    Ends with exit code 1 where a run is not finished: it failed, or another process is at work on it.

    Args:
        asked: the combinations, in their order.
        hands: of run.py.
        seeds: that each is run with.
        out: folder of the runs.
        usual: the one that table.py looks into by itself.
        tags: what the runs are called by.

    Raises:
        SandboxError: before anything trains, for a mistake in any combination.
        KeyboardInterrupt: a signal asked for an end; the run at work is saved, and the line that goes on is said.
    """
    try:
        say(f"checking {counted(len(asked), 'combination', 'combinations')}", file=sys.stderr)
        planned = plan(asked, hands.read, seeds)
        there = standing_in([out])
        refuse_strangers(planned, seeds, there)
        _say_plan(planned, seeds, out, there)
        jobs = [Job(one, seed) for one in planned for seed in seeds]
        unfinished = _train(jobs, hands, out, there)
    except KeyboardInterrupt as stop:
        if isinstance(stop, Interrupted) and not stop.said:
            say(f"interrupted; to go on: {hands.typed}", file=sys.stderr)
            stop.said = True
        raise
    done = {job.key for job in jobs} - {job.key for job, _ in unfinished}
    say(f"{len(done):,} of {counted(len(jobs), 'run is', 'runs are')} finished")
    for job, why in unfinished:
        say(f"not finished: {job}: {why}", file=sys.stderr)
    if done:
        say(f"next: {table_line(asked[0].combination, done, seeds, out=out, usual=usual, tags=tags)}")
    if unfinished:
        sys.exit(UNFINISHED)


def _say_plan(planned: Sequence[Planned], seeds: range, out: Path, there: Standing) -> None:
    """How many runs there are, and how many of each combination are done and left."""
    each = f" with seeds {seeds[0]} to {seeds[-1]} each" if len(seeds) > 1 else f" with seed {seeds[0]}"
    runs = counted(len(planned) * len(seeds), "run", "runs")
    say(f"{counted(len(planned), 'combination', 'combinations')}{each}: {runs} into {from_here(out)}")
    states = [[_state(Job(one, seed), there) for seed in seeds] for one in planned]
    for one, found in list(zip(planned, states, strict=True))[:_MOST_ROWS]:
        say(f"  {one}: {_counts(found)}")
    if len(planned) > _MOST_ROWS:
        say(f"  and {len(planned) - _MOST_ROWS:,} more")
    say(_counts([state for found in states for state in found]))


def _state(job: Job, there: Standing) -> str:
    if job.key in there.folders:
        return "finished"
    return "begun" if job.key in there.begun else "left"


def _counts(states: Sequence[str]) -> str:
    """Such as '2 finished, 1 left'."""
    return ", ".join(f"{states.count(state):,} {state}" for state in ("finished", "begun", "left") if state in states)


def _train(jobs: Sequence[Job], hands: Hands, out: Path, there: Standing) -> list[tuple[Job, str]]:
    """Train what is missing, in its order; what was not finished, and why."""
    from sandbox.runs.folder import run_folders

    left = [job for job in jobs if job.key not in there.folders]
    before = {folder.path for folder in run_folders(out)}
    unfinished: list[tuple[Job, str]] = []
    for number, job in enumerate(left, 1):
        begun = Path(there.begun[job.key]) if job.key in there.begun else None
        named = f"run {number:,} of {len(left):,}: {job}"
        if elsewhere := _elsewhere(job, begun, out, before):
            say(f"{named}: another process has it", file=sys.stderr)
            if elsewhere.status() != "done":
                unfinished.append((job, f"another process is at work on {from_here(elsewhere.path)}"))
            continue
        say(f"{named}{': going on' if begun else ''}", file=sys.stderr)
        try:
            if begun:
                hands.resume(begun)
            else:
                hands.train(job.planned.asked.words, job.seed)
        except Exception as error:  # whatever a library raises of one run is no reason to leave the others
            why = str(error) if isinstance(error, SandboxError) else f"{type(error).__name__}: {reason(error)}"
            unfinished.append((job, why))
            say(f"failed: {why}", file=sys.stderr)
    return unfinished


def _elsewhere(job: Job, begun: Path | None, out: Path, before: set[Path]) -> RunFolder | None:
    """The folder of a run that another process has begun or finished since this one looked."""
    from sandbox.runs.folder import run_folders

    for folder in run_folders(out):
        mine = begun is not None and folder.path.resolve() == begun.resolve()
        if folder.path in before and not mine:
            continue
        state = folder.status()
        if state == "done" or state.startswith("running"):
            facts = folder.read_json("run.json")
            if (facts.get("digest"), facts.get("seed")) == job.key:
                return folder
    return None
