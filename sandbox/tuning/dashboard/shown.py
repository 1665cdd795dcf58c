"""What the dashboard shows of a study and of its trials: notes, and pictures of each trial that is over."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.tuning.dashboard.artifacts import attach
from sandbox.tuning.dashboard.notes import keep_facts, keep_note, picture_note, read_note, study_note, trial_note
from sandbox.tuning.dashboard.pictures import picture_trial, validation_images
from sandbox.tuning.dashboard.sweep import run_folders_of
from sandbox.tuning.plan.protocol import JUDGE, VALIDATION
from sandbox.tuning.study.read import record_of, record_study
from sandbox.tuning.study.record import TrialRecord
from sandbox.tuning.study.study import Study


def show_study(study: Study) -> None:
    """Write the note of a study, and what all its trials share."""
    record = record_study(study)
    keep_note(study.store.storage, study.id, study_note(record))
    keep_facts(study.store.storage, study.id, record)


def show_trial(study: Study, trial: TrialRecord, trial_id: int, *, pictures: bool = True) -> None:
    """Write the note of a trial that is over, with pictures of its first run.

    A picture that cannot be drawn is no reason to end a study: the note stands without it.
    """
    storage, folders = study.store.storage, run_folders_of(trial, study.folder)
    goals = record_goals(study)
    note = trial_note(trial, goals, folders, JUDGE if study.facts().get("protocol") else VALIDATION)
    keep_note(storage, study.id, note, trial_id)
    if not pictures or not folders:
        return
    with suppress(SandboxError, OSError), tempfile.TemporaryDirectory() as drawn:
        images = validation_images(folders[0]) if trial.state == "complete" else None
        title = f"trial {trial.number}" + (f", {trial.why}" if trial.why else "")
        paths = picture_trial(folders[0], Path(drawn), images, title=title)
        links = attach(storage, study.id, trial_id, paths, study.folder)
        keep_note(storage, study.id, note + picture_note(study.id, trial_id, links), trial_id)


def record_goals(study: Study) -> tuple[str, ...]:
    """The report keys that a study reaches for."""
    facts = study.facts()
    return tuple(map(str, facts.get("monitors") or [facts.get("monitor", "value")]))


def show_missing(study: Study, *, pictures: bool = True) -> None:
    """Show the trials that are over and have no note: of a study that was widened, or whose worker died as it ended."""
    storage = study.store.storage
    for trial in study.trials():
        if trial.state.is_finished() and not read_note(storage, study.id, trial._trial_id):
            show_trial(study, record_of(study, trial), trial._trial_id, pictures=pictures)
