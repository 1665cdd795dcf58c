"""An Optuna study over a recipe's marks: validation only, resumable, one folder.

results/studies/<name>/   journal.log (Optuna's journal)   study.json   runs/ (a run folder for each trial)
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import socket
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.storages import JournalStorage
from optuna.trial import FrozenTrial, TrialState

from sandbox.errors import SandboxError, near
from sandbox.evaluation.figures import lower_is_better
from sandbox.pipeline.events import Done, Started, Validation
from sandbox.pipeline.events import Event as RunEvent
from sandbox.pipeline.run import run
from sandbox.recipe.specs import Recipe, digest
from sandbox.recipe.text import to_flags, to_toml
from sandbox.runs.checkpoints import remove_checkpoints
from sandbox.runs.folder import RunFolder
from sandbox.tuning.journal import open_journal
from sandbox.tuning.space import Space
from sandbox.wording import reason

_OVER = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class TrialDone:
    """A trial is complete, pruned or failed."""

    number: int
    trials: int
    values: dict[str, Any]
    value: float | None
    state: str
    best: float | None


Event = RunEvent | TrialDone


def study_name(space: Space) -> str:
    """The name that the same search always has: what is searched, and the digest of everything else."""
    marks = json.dumps({name: str(mark) for name, mark in space.marks.items()}, sort_keys=True)
    recipe = dataclasses.replace(space.recipe, loss=str(space.expression) + marks, miner="none")
    label = "-".join(term.loss.entry.name for term in space.expression.terms)
    return f"{label}-{digest(recipe)[:8]}"


def search(space: Space, *, folder: Path, trials: int, command: str) -> Iterator[Event]:
    """Run trials until the study has `trials` that are complete or pruned; a repeated call goes on.

    Args:
        space: what is searched.
        folder: the study's folder.
        trials: how many in all.
        command: what a person typed, for the record.

    Raises:
        SandboxError: the recipe is refused, or three trials in a row fail.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SandboxError(f"cannot write a study into {folder}: {reason(error)}") from None
    monitor = space.recipe.evaluate.monitor
    _write_facts(folder, space, command)
    study = _create(folder, monitor, space.recipe.seed)
    _free_stranded(study)
    failures = 0
    while (over := len(study.get_trials(states=_OVER))) < trials:
        trial = study.ask()
        trial.set_user_attr("worker", _worker())
        values = space.suggest(trial)
        recipe = space.fill(values)
        trial.set_user_attr("command", run_line(recipe))
        state, value, why = TrialState.FAIL, None, ""
        try:
            state, value = yield from _run(trial, recipe, folder)
        except SandboxError as error:
            why = str(error)
        finally:
            if state == TrialState.FAIL:
                trial.set_user_attr("failed", why or "interrupted")
            study.tell(trial, value if state == TrialState.COMPLETE else None, state=state)
            if state == TrialState.FAIL and not why:  # interrupted: the same point is tried again next time
                study.enqueue_trial(trial.params)
        failures = failures + 1 if state == TrialState.FAIL else 0
        if failures == 3:
            raise SandboxError(f"three trials in a row failed, the last one so: {why}")
        yield TrialDone(over + 1, trials, values, value, state.name.lower(), _best_value(study))


def _run(
    trial: optuna.trial.Trial, recipe: Recipe, folder: Path
) -> Generator[Event, None, tuple[TrialState, float | None]]:
    """Train one trial; returns its state and its best validation figure."""
    line = run_line(recipe)
    events = run(recipe, out=folder / "runs", command=line, test=False, pictures=False)
    folder_of_run: RunFolder | None = None
    for event in events:
        yield event
        if isinstance(event, Started):
            folder_of_run = event.folder
        if isinstance(event, Validation):
            trial.report(event.value, event.step)
            if trial.should_prune():
                events.close()
                if folder_of_run:
                    folder_of_run.update(status=f"pruned at step {event.step}")
                    remove_checkpoints(folder_of_run)
                return TrialState.PRUNED, None
        elif isinstance(event, Done):
            trial.set_user_attr("run", event.folder.path.name)
            trial.set_user_attr("test_evaluations", 0)
            for key, entry in event.report["val"].items():
                trial.set_user_attr(f"val/{key}", entry["value"])
            return TrialState.COMPLETE, float(event.report["val"][recipe.evaluate.monitor]["value"])
    raise SandboxError("the run ended without a report")


def run_line(recipe: Recipe) -> str:
    """The run.py command that trains a recipe."""
    return " ".join(["python experiments/run.py", *to_flags(recipe)])


def winner(folder: Path) -> tuple[float, str, dict[str, Any]] | None:
    """Validation figure, run.py line (without its seed) and values of the best complete trial, or None."""
    study = open_study(folder)
    if not study.get_trials(states=(TrialState.COMPLETE,)):
        return None
    best = study.best_trial
    if "command" not in best.user_attrs:
        raise SandboxError(
            f"{folder / 'journal.log'} does not say how trial {best.number} was made: its command is gone"
        )
    line = re.sub(r" --seed \d+", "", str(best.user_attrs["command"]))
    return float(best.value or 0.0), line, dict(best.params)


def trial_rows(folder: Path) -> list[dict[str, Any]]:
    """One row a trial: number, state, value and parameters; one whose worker is gone is interrupted."""
    return [
        {"trial": trial.number, "state": _state(trial), "value": _value(trial), **trial.params}
        for trial in open_study(folder).trials
        if trial.state != TrialState.WAITING
    ]


def open_study(folder: Path) -> optuna.Study:
    """An existing study.

    Raises:
        SandboxError: there is none in the folder; the nearest beside it is named.
    """
    if not (folder / "journal.log").is_file():
        others = [path.parent.name for path in folder.parent.glob("*/journal.log")]
        listed = f"; there are {', '.join(sorted(others))}" if 0 < len(others) <= 8 else ""
        raise SandboxError(f"no study at {folder}{near(folder.name, others) or listed}")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with _readable(folder):
        study = optuna.load_study(study_name=None, storage=open_storage(folder))
        _look_through(study)
    return study


def open_storage(folder: Path) -> JournalStorage:
    """The journal of a study, as `open_journal` has it."""
    return open_journal(folder / "journal.log")


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    """Say in a sentence that what the journal says makes no study."""
    try:
        yield
    except SandboxError:
        raise
    except Exception as error:  # Optuna's own, and KeyError, TypeError ... by what is missing
        raise SandboxError(f"{folder / 'journal.log'} is damaged: {reason(error)}") from None


def _look_through(study: optuna.Study) -> None:
    """Ask for what is asked for later, so that a study that cannot tell it fails here.

    Raises:
        Exception: of any kind.
    """
    for trial in study.trials:
        if trial.state == TrialState.COMPLETE:
            float(trial.value)  # type: ignore[arg-type]
    if study.get_trials(states=(TrialState.COMPLETE,)):
        float(study.best_value)


def _create(folder: Path, monitor: str, seed: int) -> optuna.Study:
    direction: Literal["minimize", "maximize"] = "minimize" if lower_is_better(monitor) else "maximize"
    pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=1)
    with _readable(folder):
        study = optuna.create_study(
            study_name=folder.name,
            storage=open_storage(folder),
            direction=direction,
            pruner=pruner,
            load_if_exists=True,
        )
        _look_through(study)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # so named since 2023
        study.set_metric_names([f"validation {monitor}"])
    # a sampler that starts afresh must not draw the points of the last time again
    study.sampler = optuna.samplers.TPESampler(seed=seed * 100_003 + len(study.trials))
    return study


def _write_facts(folder: Path, space: Space, command: str) -> None:
    """Write what the study searches, or refuse to mix it with another search of that name."""
    marks = {name: str(mark) for name, mark in space.marks.items()}
    facts = {"command": command, "monitor": space.recipe.evaluate.monitor, "search": marks, "name": study_name(space)}
    kept = RunFolder(folder)
    if (folder / "study.json").is_file():
        before = kept.read_json("study.json")
        if not isinstance(before, dict) or before.get("name") != facts["name"]:
            earlier = before.get("command", "?") if isinstance(before, dict) else "?"
            raise SandboxError(
                f"the study {folder.name} searches something else ({earlier}); give this one another --study"
            )
    kept.write_json("study.json", facts)
    kept.write_text("recipe.toml", to_toml(space.recipe, f"searched by: {command}"))


def _free_stranded(study: optuna.Study) -> None:
    """Trials that a worker of this machine left running when it died become failed; their points are tried again."""
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        if _stranded(trial):
            study.tell(trial.number, state=TrialState.FAIL)
            study.enqueue_trial(trial.params)


def _stranded(trial: FrozenTrial) -> bool:
    """Whether the worker of a running trial was a process of this machine that is gone."""
    host, _, process = str(trial.user_attrs.get("worker", "")).rpartition(":")
    return host == socket.gethostname() and process.isdecimal() and not _alive(int(process))


def _state(trial: FrozenTrial) -> str:
    if trial.state == TrialState.RUNNING and _stranded(trial):
        return "interrupted"
    return trial.state.name.lower()


def _worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _alive(process: int) -> bool:
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    except OverflowError:  # a number that no process has
        return False
    return True


def _value(trial: FrozenTrial) -> float | None:
    return float(trial.value) if trial.value is not None else None


def _best_value(study: optuna.Study) -> float | None:
    return float(study.best_value) if study.get_trials(states=(TrialState.COMPLETE,)) else None
