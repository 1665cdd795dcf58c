"""A study in its storage, read as plain data."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from sandbox.data.catalog import data_kinds
from sandbox.errors import SandboxError
from sandbox.recipe.specs import Recipe
from sandbox.recipe.text import from_toml
from sandbox.runs.folder import RunFolder
from sandbox.tuning.plan.protocol import JUDGE, VALIDATION
from sandbox.tuning.study.attributes import LINE, RECIPE, kind_of, values_of
from sandbox.tuning.study.heartbeat import Watcher
from sandbox.tuning.study.record import StudyRecord, TrialRecord
from sandbox.tuning.study.study import Study, open_study, readable

_STATES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}
_ALSO = {TrialState.RUNNING: "running", TrialState.WAITING: "waiting"}
_PROTOCOL = ("protocol", "seed", "trial_seeds", "folds", "sampler", "pruner")
FIGURES = {VALIDATION: "val/", JUDGE: "judging/"}
"""What stands before the key of a trial's figure in its user attributes, by what the figure is of."""
_NAMED = "constraints:"


def read_study(folder: Path, url: str = "") -> StudyRecord:
    """A study by its folder.

    Raises:
        SandboxError: there is none.
    """
    return record_study(open_study(folder, url))


def record_study(study: Study) -> StudyRecord:
    """A study that is open.

    Raises:
        SandboxError: its trials say what no study says.
    """
    with readable(study.store, study.folder):
        return _record(study)


def _record(study: Study) -> StudyRecord:
    facts = study.facts()
    search = facts.get("search")
    goals = facts.get("monitors") or [facts.get("monitor", "value")]
    return StudyRecord(
        name=study.folder.name,
        folder=study.folder,
        command=str(facts.get("command", "")),
        objective=str(facts.get("objective", "")),
        search={str(k): str(v) for k, v in search.items()} if isinstance(search, dict) else {},
        monitors=tuple(map(str, goals)),
        lower=tuple(direction == StudyDirection.MINIMIZE for direction in study.directions),
        protocol=_protocol(study, facts),
        trials=[record_of(study, trial) for trial in study.trials()],
    )


def _protocol(study: Study, facts: dict[str, Any]) -> dict[str, Any]:
    """What all trials share, as a person reads it; the split as the first run that is there has it."""
    shared: dict[str, Any] = {}
    if isinstance(toml := facts.get("recipe"), str):
        recipe = from_toml(toml, source=f"the study {study.folder.name}", kinds=data_kinds())
        shared = {"data": recipe.data.name, "network": f"{recipe.backbone.name}, {recipe.backbone.embedding_dim}-d"}
    for path in sorted(study.folder.glob("runs/*/run.json")):
        with suppress(SandboxError, KeyError, TypeError, ValueError, AttributeError):  # a damaged one tells nothing
            run = RunFolder(path.parent).read_json("run.json")
            parts = [f"{k} {v['images']:,} images of {v['classes']:,} classes" for k, v in run["data"].items()]
            shared["split"] = f"{run['split']}: {', '.join(parts)}"
            shared |= {"steps": run["planned_steps"], "batch": run["batch"]}
            break
    shared |= {name: facts[name] for name in _PROTOCOL if facts.get(name) or (name == "seed" and name in facts)}
    if facts.get("constraints"):
        shared["constraints"] = ", ".join(map(str, facts["constraints"]))
    return shared


def record_of(study: Study, trial: FrozenTrial) -> TrialRecord:
    """One trial of a study."""
    said, kept = trial.user_attrs, trial.system_attrs
    ended = trial.datetime_complete
    seconds = said.get("seconds")
    if seconds is None and ended and trial.datetime_start:
        seconds = (ended - trial.datetime_start).total_seconds()
    return TrialRecord(
        number=trial.number,
        state=_state(trial),
        values=tuple(trial.values) if trial.state == TrialState.COMPLETE and trial.values else (),
        params=values_of(trial),
        kind=kind_of(trial),
        seconds=None if seconds is None else float(seconds),
        curve=dict(sorted(trial.intermediate_values.items())),
        why=str(said.get("why", said.get("failed", ""))),
        objective=str(said.get("objective", "")),
        line=str(kept.get(LINE, said.get("command", ""))),
        figures={k.partition("/")[2]: float(v) for k, v in said.items() if k.startswith(tuple(FIGURES.values()))},
        constraints={k.removeprefix(_NAMED): float(v) for k, v in kept.items() if k.startswith(_NAMED)},
        runs=_runs(said),
        started=trial.datetime_start,
        ended=ended,
    )


def recipe_of(study: Study, number: int | None = None) -> Recipe:
    """The recipe of a trial; of the best one where no number is given.

    Raises:
        SandboxError: there is no such trial, or none is complete.
    """
    record = record_study(study)
    if number is None:
        best = record.best()
        if best is None:
            raise SandboxError(f"no trial of the study {record.name} is complete and meets every constraint")
        number = best.number
    found = next((trial for trial in study.trials() if trial.number == number), None)
    if found is None:
        last = record.trials[-1].number if record.trials else -1
        raise SandboxError(f"the study {record.name} has no trial {number}; they are numbered from 0 to {last}")
    toml = found.system_attrs.get(RECIPE)
    if isinstance(toml, str):
        return from_toml(toml, source=f"trial {number} of {record.name}", kinds=data_kinds())
    for name in record.trials[number].runs:  # of a trial from before its recipe was kept with it
        return RunFolder(study.folder / "runs" / name).recipe()
    raise SandboxError(f"the study {record.name} does not say how trial {number} was made: its recipe is gone")


def trials_of(study: Study) -> int:
    """Trials that were spent, complete or pruned; those that failed are not counted, nor is that of the defaults."""
    return sum(trial.counts for trial in record_study(study).trials)


def _state(trial: FrozenTrial) -> str:
    if trial.state == TrialState.WAITING:
        return "waiting"
    if trial.state == TrialState.RUNNING and (Watcher().gone(trial) or _stranded(trial)):
        return "interrupted"
    return _STATES.get(trial.state) or _ALSO[trial.state]


def _stranded(trial: FrozenTrial) -> bool:
    """The same of a trial from before its worker was kept as it is now."""
    host, _, process = str(trial.user_attrs.get("worker", "")).rpartition(":")
    if host != socket.gethostname() or not process.isdecimal():
        return False
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return int(process) == os.getpid()


def _runs(said: dict[str, Any]) -> tuple[str, ...]:
    runs = said.get("runs", [said["run"]] if "run" in said else [])
    return tuple(map(str, runs)) if isinstance(runs, list) else ()
