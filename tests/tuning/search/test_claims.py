"""Which trial a worker does next, where others are at work, are gone, come back, or die again and again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from optuna.trial import TrialState

from sandbox.errors import SandboxError
from sandbox.tuning.search.claims import Claim, Claims, Goal, Wait
from sandbox.tuning.search.events import Event, TrialBegun, TrialOver, TrialStep
from sandbox.tuning.search.worker import search
from sandbox.tuning.storage.database import LostLock
from sandbox.tuning.study.heartbeat import Watcher
from sandbox.tuning.study.making import make_study
from sandbox.tuning.study.study import Study

from apart import ended, needs_fork, started
from working import belongs_to, owner, tiny, until, widen, work

PLAN = tiny(baseline=False, pruner="none")
WIDER = replace(PLAN, recipe=replace(PLAN.recipe, loss="triplet(margin=tune(0.05, 0.9))"))


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(PLAN, tmp_path / "mine")


def claims(study: Study, trials: int = 9) -> Claims:
    return Claims(study, PLAN, Goal(trials), Watcher(silent=0.0))


def claimed(study: Study, trials: int = 9) -> Claim:
    found = claims(study, trials).next()
    assert isinstance(found, Claim)
    return found


def test_a_trial_whose_worker_dies_five_times_without_getting_further_has_failed(study: Study) -> None:
    assert claimed(study).number == 0
    for deaths in range(8):
        belongs_to(study, 0, began="1")  # a process of this number that is none any more
        if deaths == 3:  # it got further
            study.store.storage.set_trial_intermediate_value(study.trials()[0]._trial_id, 1, 0.5)
        found = claimed(study)
        assert (found.number, found.adopted) == ((0, True) if deaths < 7 else (1, False))
    trial = study.trials()[0]
    assert trial.state == TrialState.FAIL
    assert trial.user_attrs["why"] == "its worker died 5 times without getting further"


def test_a_claim_that_was_written_before_its_turn_was_lost_is_taken_up(study: Study) -> None:
    lost = []

    @contextmanager
    def exclusive() -> Iterator[None]:
        with study.store.exclusive():
            yield
        if not lost:  # a server that is restarted before it can say so
            lost.append(True)
            raise LostLock("the connection was lost")

    found = claimed(replace(study, store=replace(study.store, exclusive=exclusive)), trials=1)
    assert lost and (found.number, found.adopted) == (0, True)
    assert len(study.trials()) == 1 and "sandbox:deaths" not in study.trials()[0].system_attrs


@needs_fork
def test_a_worker_that_is_frozen_is_left_alone_and_one_that_is_killed_is_not(tmp_path: Path) -> None:
    of = tiny(steps=100_000, every=100_000, baseline=False)
    process = started(work, of, 1, tmp_path / "mine")
    log = tmp_path / "mine" / "runs" / "trial-0000" / "log.jsonl"
    until(lambda: log.is_file() and log.stat().st_size)  # it trains, and has no turn
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    asking = Claims(make_study(of, tmp_path / "mine"), of, Goal(1), Watcher(silent=0.0))
    assert [asking.next() for _ in range(3)] == [Wait()] * 3
    process.kill()
    assert ended(process) == -signal.SIGKILL
    found = asking.next()
    assert isinstance(found, Claim) and (found.number, found.adopted) == (0, True)


@pytest.mark.parametrize("meanwhile", ["taken over", "ended"])
@pytest.mark.parametrize("at", [TrialBegun, TrialStep])
def test_a_worker_that_wakes_after_its_trial_was_taken_over_leaves_it(
    at: type[Event], meanwhile: str, tmp_path: Path
) -> None:
    of = tiny(steps=2, baseline=False, pruner="none")
    study, kept = make_study(of, tmp_path / "mine"), None
    for event in search(of, Goal(2), folder=study.folder, study=study, pictures=False):
        if isinstance(event, at) and kept is None:
            belongs_to(study, 0, machine="another", host="far")
            trial_id = study.trials()[0]._trial_id
            if meanwhile == "ended":
                study.store.storage.set_trial_state_values(trial_id, TrialState.COMPLETE, [0.25])
            kept = study.trials()[0]
        if isinstance(event, TrialOver):
            break
    assert isinstance(event, TrialOver) and event.trial.number == 1 and event.trial.state == "complete"
    trial = study.trials()[0]
    assert kept is not None
    assert (trial.state, trial.values, owner(trial).host) == (kept.state, kept.values, "far")
    assert trial.user_attrs == kept.user_attrs and trial.intermediate_values == kept.intermediate_values


def test_a_study_that_others_are_at_is_not_widened(study: Study) -> None:
    claimed(study)
    with pytest.raises(SandboxError, match="mine is being worked on; widen it when its workers are done"):
        make_study(WIDER, study.folder)
    belongs_to(study, 0, began="1")
    assert make_study(WIDER, study.folder).trials()[0].state == TrialState.WAITING


def test_a_worker_between_two_trials_notes_that_its_study_was_widened(study: Study) -> None:
    asking = claims(study)
    found = asking.next()
    assert isinstance(found, Claim) and asking.tell(found, TrialState.COMPLETE, [0.5])
    wider = make_study(WIDER, study.folder)
    with pytest.raises(SandboxError, match="mine searches something else now; give it the new command"):
        asking.next()
    assert len(study.trials()) == len(wider.trials()) == 1


@needs_fork
def test_two_commands_widen_a_study_at_the_same_moment(database: str, tmp_path: Path) -> None:
    before = make_study(PLAN, tmp_path / "mine", url=database)
    asking = claims(before)
    for value in (0.5, 0.75):
        found = asking.next()
        assert isinstance(found, Claim) and asking.tell(found, TrialState.COMPLETE, [value])
    widening = [started(widen, WIDER, tmp_path / "mine", database) for _ in range(3)]
    assert [ended(process) for process in widening] == [0] * 3
    names = [each.study_name for each in before.store.storage.get_all_studies()]
    assert sorted(names) == ["mine", "mine ~2"]
    assert [trial.values for trial in make_study(WIDER, tmp_path / "mine", url=database).trials()] == [[0.5], [0.75]]


@needs_fork
@pytest.mark.parametrize("write", [1, 3, 4, 5])  # the last is of what makes it whole
def test_a_command_that_is_killed_as_it_widens_leaves_the_study_as_it_was(write: int, study: Study) -> None:
    asking = claims(study)
    for value in (0.5, 0.75):
        found = asking.next()
        assert isinstance(found, Claim) and asking.tell(found, TrialState.COMPLETE, [value])
    assert ended(started(widen, WIDER, study.folder, "", write)) == -signal.SIGKILL
    if write < 5:
        assert make_study(PLAN, study.folder).name == "mine"
    wider = make_study(WIDER, study.folder)
    assert wider.name == "mine ~2" and [trial.values for trial in wider.trials()] == [[0.5], [0.75]]
