"""Signs of life of workers, and who counts as gone."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from sandbox.tuning.storage.store import open_store
from sandbox.tuning.study.heartbeat import BEAT, OWNER, Watcher, beating
from sandbox.tuning.study.owner import _began as began
from sandbox.tuning.study.owner import lives, this_process

from storing import study_in
from working import until

FAR = this_process().as_attribute() | {"machine": "another", "host": "far"}


def beaten(count: int, owner: object = FAR) -> FrozenTrial:
    return create_trial(state=TrialState.RUNNING, system_attrs={OWNER: owner, BEAT: count})


def test_a_worker_elsewhere_that_beats_is_left_alone() -> None:
    watcher = Watcher(silent=0.0)
    assert not any(watcher.gone(beaten(count)) for count in range(9))


def test_a_worker_elsewhere_is_gone_after_a_silence_that_was_noted_and_went_on() -> None:
    watcher, began = Watcher(silent=0.05), time.monotonic()
    assert not watcher.gone(beaten(7))
    while time.monotonic() - began < 0.2:  # as while a storage is away
        pass
    assert not watcher.gone(beaten(7))
    assert not watcher.gone(beaten(8))  # it had only waited for the storage as well
    began = time.monotonic()
    until(lambda: watcher.gone(beaten(8)))
    assert time.monotonic() - began >= 0.075


def test_a_worker_here_is_looked_for() -> None:
    watcher = Watcher(silent=0.0)
    for _ in range(3):
        assert not watcher.gone(beaten(0, this_process().as_attribute()))
    assert watcher.gone(beaten(0, this_process().as_attribute() | {"began": "1"}))  # its number was given again
    assert lives(this_process()) is True
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    there = this_process().as_attribute() | {"process": child, "began": began(child)}
    assert not watcher.gone(beaten(0, there))
    os.close(writer)
    until(lambda: watcher.gone(beaten(0, there)))  # though its parent has not asked yet how it ended
    os.waitpid(child, 0)
    os.close(reader)
    assert watcher.gone(beaten(0, there))


def test_beats_outlive_a_storage_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path / "mine", make=True)
    trial = study_in(store, "mine").ask()
    failed: list[Exception] = []
    write = store.storage.set_trial_system_attr

    def watched(*given: object) -> None:
        try:
            write(*given)  # type: ignore[arg-type]
        except Exception as error:
            failed.append(error)
            raise

    monkeypatch.setattr(store.storage, "set_trial_system_attr", watched)
    journal, away = tmp_path / "mine" / "journal.log", tmp_path / "away.log"

    def count() -> int:
        return int(store.storage.get_trial(trial._trial_id).system_attrs.get(BEAT, 0))

    with beating(store.storage, trial._trial_id, seconds=0.005):
        until(lambda: count() >= 2)
        journal.rename(away)
        until(lambda: failed)
        away.rename(journal)
        before = count()
        until(lambda: count() > before)
    last = count()
    assert count() == last
