"""Taking away what a study need not keep: pictures, and with them the weights, of trials far from the best."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from optuna.storages import BaseStorage

from sandbox.errors import SandboxError
from sandbox.runs.checkpoints import remove_checkpoints
from sandbox.runs.folder import RunFolder
from sandbox.tuning.dashboard.artifacts import detach, list_artifacts
from sandbox.tuning.dashboard.joined import find_study
from sandbox.tuning.dashboard.notes import keep_note, read_note, without_pictures
from sandbox.tuning.study.record import DEFAULT, StudyRecord, TrialRecord

_OVER = ("complete", "pruned", "failed")
WEIGHTS = ("model.safetensors", "objective.safetensors", "embeddings.safetensors")
"""What takes the room of a run folder; its recipe, log, report and facts stay."""


@dataclass(frozen=True)
class Swept:
    """What was taken away."""

    trials: int
    """How many trials lost something."""
    pictures: int
    weights: int
    """Run folders whose weights and embeddings went."""
    bytes: int


def sweep(record: StudyRecord, storage: BaseStorage, keep: int, *, name: str = "", weights: bool = False) -> Swept:
    """Remove the pictures of trials far from the best; figures, notes, logs and curves of validation stay.

    The best `keep` by the first monitor keep theirs, and so do the front of several monitors, the default, and what
    is not over.

    Args:
        record: the study.
        storage: where its trials are.
        keep: how many of the best, 0 or more.
        name: of the study in its storage, where it is not that of its folder.
        weights: also remove weights and embeddings from the run folders of the same trials. A trial can be trained
            again by its line.

    Raises:
        SandboxError: `keep` is below 0, the study is not in the storage, or a file cannot be removed.
    """
    if keep < 0:
        raise SandboxError(f"--keep is {keep}, but is at least 0")
    study_id = find_study(storage, name or record.name)
    ids = {trial.number: trial._trial_id for trial in storage.get_all_trials(study_id, deepcopy=False)}
    listed = list_artifacts(storage, study_id)
    touched, pictures, runs, freed = set(), 0, 0, 0
    for trial in far_from_best(record, keep):
        trial_id = ids.get(trial.number, -1)
        for artifact in listed.get(trial_id, {}):
            freed += detach(storage, study_id, trial_id, artifact, record.folder)
            pictures += 1
            touched.add(trial.number)
        if trial.number in touched and (note := read_note(storage, study_id, trial_id)):
            keep_note(storage, study_id, without_pictures(note), trial_id)
        for folder in run_folders_of(trial, record.folder) if weights else ():
            if size := _remove_weights(folder):
                freed, runs = freed + size, runs + 1
                touched.add(trial.number)
    return Swept(len(touched), pictures, runs, freed)


def far_from_best(record: StudyRecord, keep: int) -> list[TrialRecord]:
    """The trials that are over and neither the default, nor among the best `keep`, nor on the front of several."""
    near = {trial.number for trial in record.complete()[:keep]}
    if len(record.monitors) > 1 and keep:
        near |= {trial.number for trial in record.front()}
    return [t for t in record.trials if t.state in _OVER and t.kind != DEFAULT and t.number not in near]


def run_folders_of(trial: TrialRecord, study: Path) -> list[RunFolder]:
    """The run folders of a trial that are there, below the folder of its study."""
    names: Sequence[str] = [name for name in trial.runs if name not in (".", "..") and Path(name).name == name]
    return [RunFolder(study / "runs" / name) for name in names if (study / "runs" / name / "run.json").is_file()]


def _remove_weights(folder: RunFolder) -> int:
    """Remove the weights of a run, and say so in its run.json; how many bytes that frees."""
    before = _size(folder.path)
    for name in WEIGHTS:
        with suppress(FileNotFoundError):
            (folder.path / name).unlink()
    remove_checkpoints(folder)
    freed = before - _size(folder.path)
    if freed:
        folder.update(swept=datetime.now().astimezone().isoformat(timespec="seconds"))
    return freed


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
