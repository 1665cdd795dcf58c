"""A trial on a machine that fails it: it is left to whoever asks next, and ends as it would have."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from optuna.trial import TrialState

from sandbox.errors import SandboxError
from sandbox.pipeline.events import Done, Progress
from sandbox.recipe.specs import DataSpec
from sandbox.runs.folder import create
from sandbox.runs.lock import locked
from sandbox.tuning.search import trial_run
from sandbox.tuning.search.claims import Goal
from sandbox.tuning.search.events import TrialBegun, TrialStep
from sandbox.tuning.search.trial_run import check_images, run_events
from sandbox.tuning.search.worker import search
from sandbox.tuning.study.making import make_study

from studies import ended, recipe, searched
from working import alone, kept, tiny

PLAN = tiny(steps=2, pruner="none")  # whose first trial is at the catalogue's value, which a recipe leaves out


@pytest.mark.parametrize(("number", "where"), [(1, "/runs/"), (9, "/runs/"), (5, "/")])
def test_a_full_disk_fails_no_trial(number: int, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes, sync = 0, os.fsync

    def full(descriptor: int) -> None:
        nonlocal writes
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        writes += "/runs/" in path
        if writes >= number and where in path:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    folder = tmp_path / "mine"
    with monkeypatch.context() as patch, pytest.raises(SandboxError, match="No space left on device"):
        patch.setattr(os, "fsync", full)
        searched(PLAN, folder, 1, pictures=False)
    study = make_study(PLAN, folder)
    state = TrialState.RUNNING if where == "/" else TrialState.WAITING  # where the journal could not be written either
    assert [trial.state for trial in study.trials()] == [state]
    events = searched(PLAN, folder, 1, pictures=False)
    assert [event.adopted for event in events if isinstance(event, TrialBegun)] == [True, False]
    default, trial = ended(events)
    assert default.runs == ("trial-0000",) and {default.state, trial.state} == {"complete"}
    assert kept(folder / "runs" / "trial-0000") == alone(study, 0, tmp_path / "alone")


def test_a_storage_that_is_away_fails_no_trial(tmp_path: Path) -> None:
    journal, away = tmp_path / "mine" / "journal.log", tmp_path / "away.log"
    with pytest.raises(SandboxError, match=r"cannot read .*journal\.log"):
        for event in search(PLAN, Goal(1), folder=tmp_path / "mine", pictures=False):
            if isinstance(event, TrialStep) and event.done == 1:
                journal.rename(away)
    away.rename(journal)
    events = searched(PLAN, tmp_path / "mine", 1, pictures=False)
    assert [event.adopted for event in events if isinstance(event, TrialBegun)] == [True, False]
    assert [trial.runs for trial in ended(events)] == [("trial-0000",), ("trial-0001",)]


def test_a_run_whose_folder_another_still_holds_begins_anew_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_run, "_SLOW", 0.1)
    events = search(PLAN, Goal(1), folder=tmp_path / "mine", pictures=False)
    next(event for event in events if isinstance(event, TrialStep))
    events.close()
    with locked(tmp_path / "mine" / "runs" / "trial-0000"):
        default, _ = ended(searched(PLAN, tmp_path / "mine", 1, pictures=False))
    assert default.state == "complete" and default.runs == ("trial-0000-2",)
    study = make_study(PLAN, tmp_path / "mine")
    assert kept(study.folder / "runs" / "trial-0000-2") == alone(study, 0, tmp_path / "alone")


def test_a_run_is_known_again_however_its_objective_is_spelt(tmp_path: Path) -> None:
    spelt = recipe("triplet(margin=0.05)", steps=2)  # the catalogue's own value, which a run's recipe leaves out
    events = run_events(tmp_path, "mine", spelt)
    next(event for event in events if isinstance(event, Progress))
    events.close()  # type: ignore[attr-defined]
    first = list(run_events(tmp_path, "mine", spelt))
    again = list(run_events(tmp_path, "mine", spelt))
    assert isinstance(first[-1], Done) and [type(event) for event in again] == [Done]
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    other = list(run_events(tmp_path, "mine", recipe("triplet(margin=0.06)", steps=2)))
    assert isinstance(other[-1], Done) and other[-1].folder.path.name == "mine-2"


def test_trials_that_saw_other_images_are_not_compared(tmp_path: Path) -> None:
    folders = [create(tmp_path, recipe(), "a test", f"trial-000{number}") for number in range(3)]
    folders[0].update(split="aaa")
    check_images(folders[0])  # alone
    folders[1].update(split="aaa")
    check_images(folders[1])
    other = create(
        tmp_path, recipe(data=DataSpec(name="digits", image_size=8, val_fold="1/2")), "a test", "another fold"
    )
    other.update(split="ccc")
    check_images(other)
    folders[2].update(split="bbb")
    with pytest.raises(SandboxError, match=r"their split was aaa and is bbb now, so they cannot be compared; give the"):
        check_images(folders[2])
