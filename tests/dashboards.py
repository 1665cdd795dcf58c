"""Small studies: a real run on digits, records of trials by hand, and Optuna's trials beside them."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage

from sandbox.pipeline.run import run
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, Recipe
from sandbox.runs.folder import RunFolder, finished_runs
from sandbox.tuning.study.record import StudyRecord, TrialRecord

optuna.logging.set_verbosity(optuna.logging.WARNING)


@cache
def digits_run() -> RunFolder:
    """A run of three steps on digits that scored validation alone; it is not to be changed."""
    folder = Path(tempfile.mkdtemp(prefix="digits-run-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    recipe = Recipe(
        loss="triplet(margin=0.2)",
        data=DataSpec(name="digits"),
        backbone=BackboneSpec(name="conv4", embedding_dim=16),
        batch=BatchSpec(size=16),
        max_steps=3,
        threads=1,
    )
    for _ in run(recipe, out=folder, command="a test", test=False, pictures=False):
        pass
    return finished_runs(folder)[0]


def copied_run(study: Path, name: str) -> RunFolder:
    """`digits_run` as a run of a study, to be changed."""
    shutil.copytree(digits_run().path, study / "runs" / name)
    return RunFolder(study / "runs" / name)


def trial_record(number: int, state: str = "complete", value: float = 0.5, **more: Any) -> TrialRecord:
    """A trial of a study that searches a margin."""
    values = (value,) if state == "complete" else ()
    return TrialRecord(
        number, state, **{"values": values, "params": {"triplet_margin.margin": 0.1 + number / 100}, **more}
    )


def study_record(folder: Path, trials: list[TrialRecord], **more: Any) -> StudyRecord:
    """A study that searches a margin, by the name of its folder."""
    return StudyRecord(
        **{
            "name": folder.name,
            "folder": folder,
            "command": "python experiments/tune.py --loss 'triplet(margin=tune(0.1, 0.5))' --trials 4",
            "objective": "triplet_margin(margin=tune(0.1, 0.5))",
            "search": {"triplet_margin.margin": "tune(0.1, 0.5)"},
            "monitors": ("retrieval/map@r",),
            "lower": (False,),
            "protocol": {"data": "digits", "seed": 0},
            "trials": trials,
            **more,
        }
    )


def begun(storage: BaseStorage, name: str, direction: str = "maximize") -> optuna.Study:
    """A study of Optuna's that draws at random."""
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(storage=storage, study_name=name, direction=direction, sampler=sampler)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names(["validation retrieval/map@r"])
    return study


def tried(study: optuna.Study, value: float | None, *, constraint: float | None = None) -> int:
    """A trial of a study, complete with a value, or left running; its id."""
    trial = study.ask()
    trial.suggest_float("triplet_margin.margin", 0.1, 0.5)
    for step in (1, 2, 3):
        trial.report((value or 0.4) * step / 3, step)
    if constraint is not None:
        study._storage.set_trial_system_attr(trial._trial_id, "constraints", [constraint])
    if value is not None:
        study.tell(trial, value)
    return trial._trial_id
