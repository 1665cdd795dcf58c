"""A worker: what it draws, and how it goes on with what was cut off."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.pipeline.events import Note
from sandbox.runs.folder import RunFolder
from sandbox.tuning.search.claims import Goal
from sandbox.tuning.search.events import Ended, Event, TrialBegun, TrialStep
from sandbox.tuning.search.worker import search
from sandbox.tuning.study.read import read_study
from sandbox.tuning.study.record import DEFAULT

from studies import ended, plan, recipe, same, searched

FILES = ("model.safetensors", "embeddings.safetensors", "report.json")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that nothing interrupted: the default and 4 trials."""
    folder = tmp_path_factory.mktemp("studies") / "whole"
    searched(plan(), folder, 4)
    return folder


def test_one_seed_gives_the_same_trials_and_values_twice(whole: Path, tmp_path: Path) -> None:
    searched(plan(), tmp_path / "whole", 4)
    one, other = read_study(whole), read_study(tmp_path / "whole")
    assert len(one.trials) == 5 and all(map(same, one.trials, other.trials))
    points = [tuple(trial.params.items()) for trial in one.trials]
    assert len(set(points)) == 5
    other_seed = ended(searched(plan(changes={"seed": 1}), tmp_path / "seed", 1))
    assert other_seed[1].params != one.trials[1].params and other_seed[0].params == one.trials[0].params


def test_the_default_is_trained_first_and_counts_as_no_trial(whole: Path) -> None:
    record = read_study(whole)
    default, *trials = record.trials
    assert default.kind == DEFAULT and default.params == {"triplet_margin.margin": 0.05}
    assert not default.counts and all(trial.counts for trial in trials) and record.default() is default


# Steps 1 and 3 lie between two looks, 2 is one, and 4 the last.
THOROUGH = [pytest.param(step, marks=pytest.mark.thorough) for step in (1, 4)]


@pytest.mark.parametrize("at", [2, 3, *THOROUGH])
def test_a_study_that_was_cut_off_ends_as_one_that_was_not(whole: Path, tmp_path: Path, at: int) -> None:
    folder = tmp_path / "whole"
    events = search(plan(), Goal(4), folder=folder, pictures=False)
    for event in events:
        if isinstance(event, TrialStep) and (event.number, event.done) == (2, at):
            events.close()  # what ends it between two steps
    cut = read_study(folder).trials[-1]
    assert (cut.number, cut.state) == (2, "waiting")
    again = searched(plan(), folder, 4)
    assert [e.adopted for e in again if isinstance(e, TrialBegun)] == [True, False, False]
    one, other = read_study(whole), read_study(folder)
    assert all(map(same, one.trials, other.trials)) and len(other.trials) == 5
    for trial in one.trials:
        for name in FILES:
            a, b = (f / "runs" / f"trial-{trial.number:04d}" / name for f in (whole, folder))
            assert a.exists() == b.exists() and (not a.exists() or a.read_bytes() == b.read_bytes())


def test_a_trial_that_was_over_but_not_told_is_not_trained_again(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "whole"
    events = search(plan(), Goal(4), folder=folder, pictures=False)
    for event in events:
        if isinstance(event, TrialBegun) and event.number == 2:
            events.close()
    shutil.copytree(whole / "runs" / "trial-0002", folder / "runs" / "trial-0002")
    before = (folder / "runs" / "trial-0002" / "model.safetensors").stat().st_mtime_ns
    searched(plan(), folder, 4)
    assert all(map(same, read_study(whole).trials, read_study(folder).trials))
    assert (folder / "runs" / "trial-0002" / "model.safetensors").stat().st_mtime_ns == before


def test_run_folders_of_a_study_that_was_taken_away_are_left_alone(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole / "runs", tmp_path / "whole" / "runs")
    (over,) = ended(searched(plan(changes={"seed": 1}, baseline=False), tmp_path / "whole", 1))
    assert over.runs == ("trial-0000-2",)


def test_a_space_with_fewer_points_than_trials_ends_there(tmp_path: Path) -> None:
    of = plan("triplet(margin=0.1, swap=tune([True, False]))", search=("batch.samples=tune([2, 4])",), baseline=False)
    events = searched(of, tmp_path / "few", 9)
    assert events[-1] == Ended("every point of the space was tried, 4 in all")
    assert len({tuple(trial.params.items()) for trial in ended(events)}) == 4
    assert searched(of, tmp_path / "few", 9) == [events[-1]]


def test_a_default_outside_the_space_is_trained_and_not_told_to_the_sampler(tmp_path: Path) -> None:
    over = ended(searched(plan("triplet(margin=tune(0.2, 0.5))"), tmp_path / "mine", 1))
    assert over[0].params == {"triplet_margin.margin": 0.05} and over[0].state == "complete"
    assert 0.2 <= over[1].params["triplet_margin.margin"] <= 0.5


def test_patience_and_time_end_a_study(tmp_path: Path) -> None:
    events = searched(plan(), tmp_path / "mine", 50, patience=2)
    last = events[-1]
    assert isinstance(last, Ended) and last.why == "no better value in 2 trials"
    record = read_study(tmp_path / "mine")
    best = record.best()
    assert best is not None and best.number == record.trials[-3].number
    assert searched(plan(), tmp_path / "mine", 50, until=0.0) == [Ended("its time is up")]


def test_what_diverges_is_pruned_with_its_reason_and_ends_nothing(tmp_path: Path) -> None:
    # Decay takes each weight times -979 and less in a step, past what float32 holds in 13.
    decays = {"optimizer": replace(recipe().optimizer, weight_decay=10.0, loss_lr=0.001)}
    of = plan("cross_entropy", search=("optimizer.lr=tune([98.0, 99.0, 100.0, 0.001])",), changes=decays, steps=30)
    over = ended(searched(replace(of, baseline=False), tmp_path / "mine", 4))
    states = {trial.params["optimizer.lr"]: (trial.state, trial.why[:9]) for trial in over}
    assert states[0.001] == ("complete", "") and all(trial.counts for trial in over)
    assert [states[lr] for lr in (98.0, 99.0, 100.0)] == [("pruned", "diverged:")] * 3


def test_a_trial_that_was_left_is_not_taken_up_beyond_what_is_asked_for_or_after_time(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    events = search(plan(baseline=False), Goal(3), folder=folder, pictures=False)
    for event in events:
        if isinstance(event, TrialStep) and event.number == 1:
            events.close()
    assert [trial.state for trial in read_study(folder).trials] == ["complete", "waiting"]
    assert searched(plan(baseline=False), folder, 1) == [Ended("")]
    assert searched(plan(baseline=False), folder, 3, until=0.0) == [Ended("its time is up")]
    assert [trial.number for trial in ended(searched(plan(baseline=False), folder, 2))] == [1]


def test_seeds_and_folds_are_averaged(tmp_path: Path) -> None:
    of = plan(trial_seeds=2, baseline=False, pruner="none", monitors=("retrieval/map@r", "verification/eer"))
    (over,) = ended(searched(of, tmp_path / "mine", 1, pictures=True))
    assert over.runs == ("trial-0000-s0", "trial-0000-s1") and sorted(over.curve) == [2, 4, 6, 8]
    reports = [RunFolder(tmp_path / "mine" / "runs" / name).read_json("report.json")["val"] for name in over.runs]
    for value, key in zip(over.values, ("retrieval/map@r", "verification/eer"), strict=True):
        assert value == over.figures[key] == pytest.approx(sum(report[key]["value"] for report in reports) / 2)
    recipes = [RunFolder(tmp_path / "mine" / "runs" / name).recipe() for name in over.runs]
    assert [r.seed for r in recipes] == [0, 1] and recipes[0].evaluate.monitor == "retrieval/map@r"
    record = read_study(tmp_path / "mine")
    assert record.lower == (False, True) and record.front() == [over]


def test_a_constraint_is_judged_and_decides_on_the_best(tmp_path: Path) -> None:
    limits = ("memory <= 100", "verification/eer <= 0.0")
    over = ended(searched(plan(constraints=limits, baseline=False), tmp_path / "mine", 2))
    for trial in over:
        assert trial.constraints.keys() == {"memory <= 100", "verification/eer <= 0"}
        assert trial.constraints["memory <= 100"] < -90
        assert trial.constraints["verification/eer <= 0"] == trial.figures["verification/eer"] > 0
    assert read_study(tmp_path / "mine").best() is None


def test_a_study_that_cannot_train_ends_with_the_reason(tmp_path: Path) -> None:
    of = plan(changes={"backbone": replace(recipe().backbone, weights="nowhere.safetensors")})
    with pytest.raises(SandboxError, match=r"5 trials in a row could not run, the last one so: .*nowhere"):
        searched(of, tmp_path / "mine", 9)


def test_notes_of_a_run_are_passed_on(tmp_path: Path) -> None:
    events: list[Event] = searched(plan(changes={"batch": replace(recipe().batch, size=128)}), tmp_path / "mine", 1)
    assert any(isinstance(event, Note) for event in events) and os.path.isdir(tmp_path / "mine")
