"""Several studies as one storage: the same trials under other ids, read afresh each time."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from optuna.trial import TrialState

from sandbox.errors import SandboxError
from sandbox.tuning.dashboard.artifacts import attach, list_artifacts
from sandbox.tuning.dashboard.joined import JoinedStorage, Shown, find_study
from sandbox.tuning.dashboard.notes import keep_note, read_note
from sandbox.tuning.storage.journal import open_journal

from dashboards import begun, tried


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> list[Shown]:
    """Three of one trial, of two and of four, in a journal, a database and memory; the last two have one name."""
    place = tmp_path_factory.mktemp("studies")
    storages: list[BaseStorage] = [
        open_journal(place / "journal.log"),
        RDBStorage(f"sqlite:///{place}/trials.db"),
        InMemoryStorage(),
    ]
    found = []
    for name, storage, values in zip("abb", storages, ([0.5], [0.1, 0.2], [0.4, 0.9, 0.3, 0.7]), strict=True):
        study = begun(storage, name)
        for value in values:
            tried(study, value)
        found.append(Shown(name, storage, study._study_id))
    return found


def test_every_trial_is_there_once_under_an_id_of_its_own(studies: list[Shown]) -> None:
    joined = JoinedStorage(studies)
    shown = joined.get_all_studies()
    assert [study.study_name for study in shown] == ["a", "b", "b (2)"]
    ids = []
    for study, behind in zip(shown, studies, strict=True):
        assert joined.get_study_id_from_name(study.study_name) == study._study_id
        assert joined.get_study_name_from_id(study._study_id) == study.study_name
        there = behind.storage.get_all_trials(behind.study_id)
        here = joined.get_all_trials(study._study_id)
        for mine, theirs in zip(here, there, strict=True):
            ids.append(mine._trial_id)
            assert joined.get_trial(mine._trial_id) == mine
            mine._trial_id = theirs._trial_id
            assert mine == theirs
        assert joined.get_best_trial(study._study_id).value == max(trial.value for trial in there)
        for call in ("get_study_directions", "get_study_user_attrs", "get_study_system_attrs", "get_n_trials"):
            assert getattr(joined, call)(study._study_id) == getattr(behind.storage, call)(behind.study_id)
    assert len(set(ids)) == 7 and len({study._study_id for study in shown}) == 3


def test_an_id_that_no_study_has_is_a_key_error(studies: list[Shown]) -> None:
    joined = JoinedStorage(studies)
    known = {study._study_id for study in joined.get_all_studies()}
    for wrong in sorted(set(range(-3, 12)) - known):
        with pytest.raises(KeyError):
            joined.get_study_directions(wrong)
    with pytest.raises(KeyError):
        joined.get_study_id_from_name("c")
    with pytest.raises(KeyError):
        joined.get_trial(3 * 99)


def test_notes_and_pictures_of_a_trial_follow_its_id(tmp_path: Path, studies: list[Shown]) -> None:
    joined = JoinedStorage(studies)
    (tmp_path / "curve.png").write_bytes(b"a picture")
    for study, behind in zip(joined.get_all_studies(), studies, strict=True):
        outer = joined.get_all_trials(study._study_id)[-1]._trial_id
        inner = behind.storage.get_all_trials(behind.study_id)[-1]._trial_id
        keep_note(behind.storage, behind.study_id, "long " * 1000, inner)
        keep_note(behind.storage, behind.study_id, "of all")
        attach(behind.storage, behind.study_id, inner, [tmp_path / "curve.png"], tmp_path)
        assert read_note(joined, study._study_id, outer) == "long " * 1000
        assert read_note(joined, study._study_id) == "of all"
        assert list_artifacts(joined, study._study_id).keys() == {outer}
        keep_note(joined, study._study_id, "short", outer)
        assert read_note(behind.storage, behind.study_id, inner) == "short"
        assert joined.get_all_studies()[study._study_id % 3].system_attrs == joined.get_study_system_attrs(
            study._study_id
        )


def test_what_a_worker_adds_is_there_at_the_next_look(tmp_path: Path) -> None:
    worker = begun(open_journal(tmp_path / "journal.log"), "mine")
    tried(worker, 0.5)
    reader = open_journal(tmp_path / "journal.log")  # as another process has it
    joined = JoinedStorage([Shown("mine", reader, find_study(reader, "mine"))] * 2)
    assert [len(joined.get_all_trials(study._study_id)) for study in joined.get_all_studies()] == [1, 1]
    tried(worker, None)
    (again, _) = joined.get_all_studies()
    assert [trial.state for trial in joined.get_all_trials(again._study_id)] == [
        TrialState.COMPLETE,
        TrialState.RUNNING,
    ]


def test_the_best_trial_meets_the_constraints() -> None:
    for direction, best in (("maximize", 0.5), ("minimize", 0.3)):
        storage = InMemoryStorage()
        study = begun(storage, "mine", direction)
        joined = JoinedStorage([Shown("mine", storage, study._study_id)])
        with pytest.raises(ValueError, match="no trial is complete yet"):
            joined.get_best_trial(0)
        tried(study, 0.9, constraint=3.0)
        tried(study, 0.1, constraint=0.5)
        assert joined.get_best_trial(0).value == (0.9 if direction == "maximize" else 0.1)  # none meets it
        tried(study, 0.3, constraint=-1.0)
        tried(study, 0.5, constraint=0.0)
        assert joined.get_best_trial(0).value == best


def test_what_is_changed_is_changed_behind(tmp_path: Path) -> None:
    storages = [InMemoryStorage(), InMemoryStorage()]
    studies = [begun(storage, "mine") for storage in storages]
    running = tried(studies[1], None)
    joined = JoinedStorage([Shown("mine", s._storage, s._study_id) for s in studies])
    outer = joined.get_all_trials(1)[0]._trial_id
    joined.set_trial_user_attr(outer, "mark", 1)
    joined.set_trial_intermediate_value(outer, 4, 0.25)
    joined.set_study_user_attr(1, "who", "I")
    joined.set_trial_state_values(outer, TrialState.COMPLETE, [0.5])
    trial = storages[1].get_trial(running)
    assert (trial.user_attrs, trial.intermediate_values[4], trial.value) == ({"mark": 1}, 0.25, 0.5)
    assert studies[1].user_attrs == {"who": "I"} and not studies[0].user_attrs
    joined.delete_study(1)
    assert storages[1].get_all_studies() == [] and len(storages[0].get_all_studies()) == 1
    assert [study.study_name for study in joined.get_all_studies()] == ["mine"]
    with pytest.raises(SandboxError, match=r"tune\.py"):
        joined.create_new_study([optuna.study.StudyDirection.MAXIMIZE], "new")


def test_a_study_is_found_by_its_name_or_alone() -> None:
    storage = InMemoryStorage()
    with pytest.raises(SandboxError, match=r"has no study .mine.$"):
        find_study(storage, "mine")
    first = begun(storage, "margins")._study_id
    assert find_study(storage, "renamed") == first
    second = begun(storage, "scales")._study_id
    assert find_study(storage, "scales") == second
    with pytest.raises(SandboxError, match="did you mean 'margins'"):
        find_study(storage, "margin")
    with pytest.raises(SandboxError, match="there are margins, scales"):
        find_study(storage, "zzz")
