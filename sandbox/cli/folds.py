"""`run.py --data.fold all`: a network for each test fold, one after the other, and the row that they come to."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.called import called
from sandbox.cli.outputs import from_here
from sandbox.cli.progress import watch_run
from sandbox.cli.report_table import Shown, print_report
from sandbox.cli.say import say
from sandbox.errors import Interrupted, SandboxError
from sandbox.runs.folds import count_of

if TYPE_CHECKING:
    from sandbox.pipeline.events import Event
    from sandbox.pipeline.folds.work import Fold
    from sandbox.recipe.specs import Recipe
    from sandbox.runs.folder import RunFolder


@dataclass(frozen=True)
class Manner:
    """How the runs are made, beside their recipe."""

    pictures: bool
    save_every: int
    every: bool
    """Print every figure of the report, not only those that matter first."""
    launcher: str
    """What stands before the name of a command, such as python."""


def train_folds(
    recipe: Recipe, seeds: range, manner: Manner, *, out: Path, command: str, tags: tuple[str, ...], trials: int
) -> None:
    """A folder of folds for each seed; those that were begun are gone on with."""
    from dataclasses import replace

    from sandbox.pipeline.folds.plan import begun

    for seed in seeds:
        folder = begun(replace(recipe, seed=seed), out=out, command=command, tags=tags, trials=trials)
        _train(folder, manner, hint=seed == seeds[-1])


def resume_folds(folder: RunFolder, manner: Manner) -> None:
    """Go on with a folder of folds.

    Raises:
        SandboxError: it is finished, or cannot be gone on with.
    """
    if folder.status() == "done":
        raise SandboxError(f"the run {folder.path} is finished; there is nothing to resume")
    _train(folder, manner, hint=True)


def check_alone(against: str, *, stages: int, log: Sequence[str] = (), keep: bool = False) -> None:
    """Refuse what a run for each fold has no place beside.

    Raises:
        SandboxError: another objective, stages, programs that follow, or a training state that is to be kept.
    """
    if log:
        raise SandboxError(f"--log {log[0]} follows one run, but data.fold=all makes several; give one fold")
    if keep:
        raise SandboxError("--keep_checkpoint is of one run, but data.fold=all makes several, which go on as planned")
    if against:
        raise SandboxError(f"--against '{against}' has no place beside data.fold=all; run both, and compare the rows")
    if stages:
        raise SandboxError("data.fold=all has no place beside a recipe of stages, each of which would need ten runs")


def _train(folder: RunFolder, manner: Manner, *, hint: bool) -> None:
    """Every fold that nobody has done or is at, then what all of them come to, where this is the last process."""
    from sandbox.pipeline.folds.plan import recipe_of
    from sandbox.pipeline.folds.work import at_work, folds_of, free_folds, put_together

    recipe = recipe_of(folder)
    if folder.status() == "done" and all(fold.state == "done" for fold in folds_of(folder, recipe)):
        say(f"{from_here(folder.path)} is finished: this is what it came to", file=sys.stderr)
        return _tell(folder, manner, hint)
    again = f"{called('run', manner.launcher)} --resume {from_here(folder.path)}"
    seen: set[str] = set()
    count, over, others = count_of(folder.read_json("run.json")), False, list[str]()
    try:
        with at_work(folder):
            while not (over or others):
                with closing(free_folds(folder, recipe)) as folds:
                    for fold in folds:
                        _one(fold, count, manner, again, seen)
                over = put_together(folder, pictures=manner.pictures)
                others = folder.holders()  # who is nobody where another has let go of a fold since it was looked at
    except KeyboardInterrupt as stop:
        if isinstance(stop, Interrupted) and not stop.said:
            say(f"interrupted; to go on: {again}", file=sys.stderr)
            stop.said = True
        raise
    if over:
        _tell(folder, manner, hint)
    else:
        at = " and ".join(dict.fromkeys(others))
        say(f"no fold is left for this process; {at}, still at work, puts them together in {from_here(folder.path)}")


def _one(fold: Fold, count: int, manner: Manner, again: str, seen: set[str]) -> None:
    """Train a fold, unless it is done, and say what it came to."""
    named = f"fold {fold.number} of {count}"
    if fold.state != "done":
        say(f"{named}{': going on' if fold.state == 'begun' else ''}", file=sys.stderr)
        events = _new_notes(fold.train(pictures=manner.pictures, save_every=manner.save_every), seen)
        watch_run(events, named, again=lambda _: again)
    figures = fold.run.read_json("report.json")["test"]
    right, auc = (figures.get(f"verification/{key}", {}) for key in ("accuracy@validation", "auc"))
    parts = [f"{word} {entry['value']:.4f}" for word, entry in (("accuracy", right), ("AUC", auc)) if entry]
    done = " (was done)" if fold.state == "done" else ""
    say(f"{named}{done}: {', '.join(parts)}, {auc.get('n', 0):,} pairs", file=sys.stderr)


def _new_notes(events: Iterable[Event], seen: set[str]) -> Iterator[Event]:
    """The events without notes that an earlier fold had, word by word."""
    from sandbox.pipeline.events import Note

    for event in events:
        if isinstance(event, Note) and event.text in seen:
            continue
        if isinstance(event, Note):
            seen.add(event.text)
        yield event


def _tell(folder: RunFolder, manner: Manner, hint: bool) -> None:
    """The figures of all folds, beside which published ones they belong, where everything lies, what to type next."""
    recipe, facts, report = folder.recipe(), folder.read_json("run.json"), folder.read_json("report.json")
    baselines, health = folder.read_json("baselines.json"), facts.get("health", ())
    begins_trained = bool(recipe.backbone.weights or recipe.resume_from)
    print_report(Shown(recipe.loss, report, baselines, facts["judged_on"], health, begins_trained), every=manner.every)
    for entry in report["test"].values():
        if "standard_error" in entry:
            say(
                f"mean accuracy over {facts['folds']} folds: {entry['value']:.4f} ± {entry['standard_error']:.4f} "
                f"(standard error; {entry['n']:,} pairs); {facts['published']}"
            )
    say("AUC, EER and TAR@FAR pool the scores of networks that differ")
    say(f"run folder: {from_here(folder.path)}")
    if (folder.path / "page.html").is_file():
        say(f"page: {from_here(folder.path / 'page.html')}")
    if hint:
        say(f"next: {called('table')}        compares all finished runs")
