"""Journals of strangers: a line that is no record is named, whatever it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.tuning.storage.journal import open_journal
from sandbox.tuning.study.read import read_study
from sandbox.tuning.study.study import open_study

from fuzz import FUZZ, changed, read_or_refused


def _written(folder: Path) -> bytes:
    """The journal of two trials, as Optuna writes it."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True)
    study = optuna.create_study(study_name="mine", storage=open_journal(folder / "journal.log"), direction="maximize")
    for value in (0.25, 0.5):
        trial = study.ask()
        trial.suggest_float("margin", 0.0, 1.0)
        trial.suggest_categorical("kind", ["a", "b"])
        trial.set_user_attr("command", "python experiments/run.py")
        trial.report(value, 1)
        study.tell(trial, value)
    return (folder / "journal.log").read_bytes()


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return _written(tmp_path_factory.mktemp("study") / "mine")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study")


def look(folder: Path, content: bytes) -> Any:
    (folder / "journal.log").write_bytes(content)
    return read_study(folder)


def test_what_optuna_writes_is_read(folder: Path, journal: bytes) -> None:
    found = look(folder, journal)
    assert [trial.values for trial in found.trials] == [(0.25,), (0.5,)]
    assert found.best() is found.trials[1]


def record(**changes: Any) -> bytes:
    plain = {"op_code": 8, "worker_id": "w", "trial_id": 0, "user_attr": {"a": 1}}
    return json.dumps({key: value for key, value in (plain | changes).items() if value is not ...}).encode()


@pytest.mark.parametrize(
    "line",
    [
        b"5",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b"",
        b"\xff\xfe\x00",
        b'{"op_code": 8, "worker_',
        b"[" * 100_000,
        b'{"op_code": 8, "op_code": 9}',
        b"9" * 5000,
        record(op_code=99),
        record(op_code=-1),
        record(op_code=True),
        record(op_code="8"),
        record(worker_id=...),
        record(trial_id=...),
        record(trial_id="0"),
        record(trial_id=10**18),
        record(user_attr=[1]),
        record(user_attr={}),
        record(op_code=5, param_name="margin", param_value_internal="x", distribution="{}"),
        record(op_code=6, state="1", values=[1.0]),
        record(op_code=6, state=1, values=["x"]),
        record(op_code=7, step="1", intermediate_value=1.0),
        record(op_code=0, study_name=["mine"], directions=[2]),
        record(op_code=4, study_id=0, datetime_start=5),
    ],
    ids=range(27),
)
@pytest.mark.parametrize("place", [1, -1])
def test_a_line_that_is_no_record_is_named(folder: Path, journal: bytes, line: bytes, place: int) -> None:
    lines = journal.splitlines(keepends=True)
    number = place + 1 if place >= 0 else len(lines) + place + 1
    content = b"".join([*lines[: number - 1], line + b"\n", *lines[number - 1 :]])
    with pytest.raises(SandboxError, match=rf"journal\.log is damaged: line {number} (is|has) "):
        look(folder, content)


@pytest.mark.parametrize(
    "line",
    [
        record(op_code=4, study_id=0, datetime_start="yesterday"),
        record(op_code=0, study_name="other", directions=[7]),
        record(op_code=4, study_id=0, datetime_start=None, state=17),
        record(op_code=4, study_id=0, datetime_start=None, params={"margin": 0.5}),
        record(op_code=4, study_id=0, datetime_start=None, distributions={"margin": "{"}),
    ],
)
def test_a_record_that_does_not_fit_those_before_is_named(folder: Path, journal: bytes, line: bytes) -> None:
    with pytest.raises(SandboxError, match=f"line {len(journal.splitlines()) + 1} does not fit the lines"):
        look(folder, journal + line + b"\n" + record(op_code=9, system_attr={"a": 1}) + b"\n")


def test_two_studies_in_one_journal_and_none_are_said(folder: Path, journal: bytes) -> None:
    with pytest.raises(SandboxError, match=r"journal\.log is damaged: "):
        look(folder, journal + record(op_code=0, study_name="other", directions=[2]) + b"\n")
    with pytest.raises(SandboxError, match=r"journal\.log holds no study"):
        look(folder, b"")


def test_a_torn_last_line_is_cut_whatever_its_length(folder: Path, journal: bytes) -> None:
    for torn in (b'{"op_code', b"x" * 300_000):
        assert look(folder, journal + torn) == look(folder, journal)
        assert (folder / "journal.log").read_bytes() == journal


@FUZZ
@given(data=st.data())
def test_whatever_is_changed_is_read_or_refused(folder: Path, journal: bytes, data: st.DataObject) -> None:
    content = data.draw(changed(journal))
    read_or_refused(lambda: look(folder, content))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@FUZZ
@given(data=st.data())
def test_whatever_a_record_says_is_read_or_refused(folder: Path, journal: bytes, data: st.DataObject) -> None:
    lines = journal.splitlines()
    place = data.draw(st.integers(0, len(lines) - 1))
    held = json.loads(lines[place])
    held[data.draw(st.sampled_from(sorted(held)))] = data.draw(VALUES)
    content = b"\n".join([*lines[:place], json.dumps(held).encode(), *lines[place + 1 :], b""])
    read_or_refused(lambda: look(folder, content))
    read_or_refused(lambda: open_study(folder))
