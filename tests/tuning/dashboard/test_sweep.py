"""What a sweep takes away, and what it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
from optuna.storages import InMemoryStorage

from sandbox.errors import SandboxError
from sandbox.runs.folder import RunFolder
from sandbox.tuning.dashboard.artifacts import attach, list_artifacts
from sandbox.tuning.dashboard.notes import keep_note, picture_note, read_note
from sandbox.tuning.dashboard.sweep import far_from_best, sweep
from sandbox.tuning.study.record import DEFAULT, StudyRecord

from dashboards import begun, study_record, trial_record, tried

STATES = ("complete", "complete", "pruned", "complete", "failed", "complete", "running", "interrupted", "waiting")
"""The default, then eight; with `VALUES`, trial 3 is the best and 5 the next."""
VALUES = (0.9, 0.1, 0.0, 0.6, 0.0, 0.4, 0.0, 0.0, 0.0)


def made(folder: Path) -> tuple[StudyRecord, InMemoryStorage]:
    """A study whose trials all have two pictures, a note and a run folder."""
    storage = InMemoryStorage()
    study = begun(storage, folder.name)
    trials = []
    (folder.parent / "a.png").write_bytes(b"12345")
    (folder.parent / "b.png").write_bytes(b"1234567")
    for number, (state, value) in enumerate(zip(STATES, VALUES, strict=True)):
        trial = tried(study, value if state == "complete" else None)
        given = attach(storage, 0, trial, [folder.parent / "a.png", folder.parent / "b.png"], folder)
        keep_note(storage, 0, f"trial {number}\n" + picture_note(0, trial, given), trial)
        run = RunFolder(folder / "runs" / f"trial-{number:04d}")
        run.path.mkdir(parents=True)
        run.write_json("run.json", {"status": "done"})
        for name in ("model.safetensors", "embeddings.safetensors", "newest.ckpt"):
            (run.path / name).write_bytes(b"x" * 100)
        kind = DEFAULT if number == 0 else "trial"
        trials.append(trial_record(number, state, value, kind=kind, runs=(run.path.name,)))
    return study_record(folder, trials), storage


def test_the_best_the_default_and_what_runs_keep_their_pictures(tmp_path: Path) -> None:
    record, storage = made(tmp_path / "mine")
    done = sweep(record, storage, 1)
    assert (done.trials, done.pictures, done.weights, done.bytes) == (4, 8, 0, 4 * 12)
    ids = [trial._trial_id for trial in storage.get_all_trials(0)]
    left = list_artifacts(storage, 0)
    for number, trial in enumerate(ids):
        keeps = number in (0, 3, 6, 7, 8)
        assert (trial in left) == keeps and ("![a.png]" in read_note(storage, 0, trial)) == keeps
        assert read_note(storage, 0, trial).startswith(f"trial {number}\n")
    there = {path.name for path in (tmp_path / "mine" / "artifacts").iterdir()}
    assert there == {artifact for listed in left.values() for artifact in listed}
    assert all((tmp_path / "mine" / "runs" / name / "model.safetensors").exists() for name in _names(record))
    again = sweep(record, storage, 1)
    assert (again.trials, again.bytes) == (0, 0)


def test_weights_go_where_they_are_asked_to(tmp_path: Path) -> None:
    record, storage = made(tmp_path / "mine")
    done = sweep(record, storage, 2, weights=True)
    assert (done.trials, done.pictures, done.weights) == (3, 6, 3)
    assert done.bytes == 3 * (12 + 200)
    for number, name in enumerate(_names(record)):
        run = RunFolder(tmp_path / "mine" / "runs" / name)
        swept = number in (1, 2, 4)
        assert (run.path / "model.safetensors").exists() != swept
        assert ("swept" in run.read_json("run.json")) == swept
    assert sweep(record, storage, 2, weights=True).trials == 0


def test_nothing_outside_the_study_is_touched(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    storage = InMemoryStorage()
    study = begun(storage, "mine")
    trial = tried(study, 0.5)
    outside = RunFolder(tmp_path / "outside")
    outside.path.mkdir()
    outside.write_json("run.json", {})
    (outside.path / "model.safetensors").write_bytes(b"x")
    folder.mkdir()
    said = '{"artifact_id": "../../outside/run.json", "filename": "a"}'
    storage.set_study_system_attr(0, f"dashboard:artifacts:{trial}:../../outside/run.json", said)
    storage.set_study_system_attr(0, f"dashboard:artifacts:{trial}:0a", said)
    record = study_record(folder, [trial_record(0, runs=("../../outside", "..", str(outside.path), "gone"))])
    assert sweep(record, storage, 0, weights=True).bytes == 0
    assert sorted(path.name for path in outside.path.iterdir()) == ["model.safetensors", "run.json"]


def test_with_several_monitors_the_front_is_kept(tmp_path: Path) -> None:
    trials = [
        trial_record(number, values=values)
        for number, values in enumerate([(0.5, 0.1), (0.6, 0.2), (0.4, 0.3), (0.3, 0.05), (0.2, 0.2)])
    ]
    record = study_record(tmp_path, trials, monitors=("retrieval/map@r", "verification/eer"), lower=(False, True))
    assert [trial.number for trial in far_from_best(record, 1)] == [2, 4]
    assert [trial.number for trial in far_from_best(record, 0)] == [0, 1, 2, 3, 4]


def test_what_cannot_be_swept_is_said(tmp_path: Path) -> None:
    record, storage = made(tmp_path / "mine")
    with pytest.raises(SandboxError, match="--keep is -1, but is at least 0"):
        sweep(record, storage, -1)
    with pytest.raises(SandboxError, match="has no study"):
        sweep(record, InMemoryStorage(), 1)


def _names(record: StudyRecord) -> list[str]:
    return [trial.runs[0] for trial in record.trials]
