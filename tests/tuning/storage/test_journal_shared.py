"""A journal that several workers share, of which some are killed in the middle of a write."""

from __future__ import annotations

import errno
import json
import os
import signal
from pathlib import Path

import optuna
import pytest

from sandbox.errors import SandboxError
from sandbox.tuning.storage.journal import open_journal
from sandbox.tuning.storage.store import open_store

from apart import answer, ended, needs_fork, started
from storing import note, plainly, refused, study_in

TORN = b'{"op_code":2,"worker_id":"w","study_id":0,"user_attr":{"torn'


def begun(folder: Path) -> optuna.Study:
    return study_in(open_store(folder, make=True), folder.name)


@needs_fork
def test_what_was_acknowledged_is_there_whoever_is_killed(tmp_path: Path) -> None:
    study, told = begun(tmp_path / "mine"), tmp_path / "told"
    told.touch()
    writers = [started(note, tmp_path / "mine", f"writer{n}", 200, told) for n in range(4)]
    killed = [started(note, tmp_path / "mine", f"killed{n}", 99, told, 1 + 3 * n) for n in range(10)]
    while any(process.is_alive() for process in [*writers, *killed]):
        before = told.read_text().split()
        assert study.user_attrs.keys() >= set(before)
    assert [ended(process) for process in writers] == [0] * 4
    assert [ended(process) for process in killed] == [-signal.SIGKILL] * 10
    acknowledged = told.read_text().split()
    assert len(acknowledged) == 4 * 200 + sum(range(0, 30, 3))
    found = study_in(open_store(tmp_path / "mine"), "mine").user_attrs
    assert found == study.user_attrs == {name: int(name.rpartition("-")[2]) for name in acknowledged}
    lines = (tmp_path / "mine" / "journal.log").read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert all(isinstance(json.loads(line), dict) for line in lines)


def test_a_torn_line_is_cut_by_the_next_to_write_and_read_by_nobody(tmp_path: Path) -> None:
    one, path = begun(tmp_path / "mine"), tmp_path / "mine" / "journal.log"
    other = study_in(open_store(tmp_path / "mine"), "mine")
    for number, torn in enumerate((TORN, b"{", b"x" * 200_000)):
        with path.open("ab") as file:
            file.write(torn)
        assert one.user_attrs.keys() == {f"key{n}" for n in range(number)}
        other.set_user_attr(f"key{number}", "a longer value than what was torn, or a shorter one")
        assert one.user_attrs == other.user_attrs == study_in(open_store(tmp_path / "mine"), "mine").user_attrs
        assert path.read_bytes().endswith(b"}\n")
        assert b"torn{" not in path.read_bytes()


def test_a_torn_line_that_is_there_at_first_is_said(tmp_path: Path) -> None:
    begun(tmp_path / "mine")
    path = tmp_path / "mine" / "journal.log"
    assert open_store(tmp_path / "mine").notes == ()
    with path.open("ab") as file:
        file.write(TORN)
    assert open_store(tmp_path / "mine").notes == (
        f"the last line of {path} was cut off, and is taken away (60 bytes)",
    )
    assert open_store(tmp_path / "mine").notes == ()


@needs_fork
def test_a_torn_line_that_cannot_be_cut_is_passed_over(tmp_path: Path) -> None:
    study = begun(tmp_path / "mine")
    study.set_user_attr("key", 1)
    path = tmp_path / "mine" / "journal.log"
    with path.open("ab") as file:
        file.write(TORN)
    path.chmod(0o400)
    code, (notes, attrs, refusal) = answer(plainly, read_and_write, tmp_path / "mine")
    assert code == 0
    assert notes == (f"the last line of {path} was cut off, and is passed over (60 bytes)",)
    assert attrs == {"key": 1}
    assert refusal == f"cannot write {path}: Permission denied"
    assert path.read_bytes().endswith(TORN)
    assert answer(plainly, refused, tmp_path / "mine") == (0, f"cannot write {path}: Permission denied")
    (tmp_path / "mine").chmod(0o500)
    code, said = answer(plainly, take_turn, tmp_path / "mine")
    assert said == f"cannot write {tmp_path / 'mine' / '.asking'}: Permission denied"
    (tmp_path / "mine").chmod(0o700)


def read_and_write(folder: Path) -> tuple[tuple[str, ...], dict[str, int], str]:
    store = open_store(folder)
    study = optuna.load_study(study_name="mine", storage=store.storage)
    try:
        study.set_user_attr("key", 2)
    except SandboxError as error:
        return store.notes, study.user_attrs, str(error)
    return store.notes, study.user_attrs, ""


def take_turn(folder: Path) -> str:
    try:
        with open_store(folder).exclusive():
            return ""
    except SandboxError as error:
        return str(error)


def test_a_full_disk_leaves_the_lines_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, path = begun(tmp_path / "mine"), tmp_path / "mine" / "journal.log"
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(SandboxError, match=r"cannot write .*journal\.log: No space left on device"):
            study.set_user_attr("key", 1)
    assert path.read_bytes() == before
    study.set_user_attr("key", 2)
    assert begun(tmp_path / "mine").user_attrs == {"key": 2}


def test_garbage_that_appears_in_an_open_journal_is_named(tmp_path: Path) -> None:
    study, path = begun(tmp_path / "mine"), tmp_path / "mine" / "journal.log"
    number = path.read_bytes().count(b"\n") + 1
    with path.open("ab") as file:
        file.write(TORN + b'{"op_code":2}\n')
    with pytest.raises(SandboxError, match=rf"journal\.log is damaged: line {number} is no JSON"):
        study.set_user_attr("key", 1)


def test_a_journal_that_gets_shorter_is_said(tmp_path: Path) -> None:
    study, path = begun(tmp_path / "mine"), tmp_path / "mine" / "journal.log"
    study.set_user_attr("key", 1)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(SandboxError, match=rf"journal\.log was cut while it was open: it has lost line {len(lines)}"):
        _ = study.user_attrs


def test_a_line_too_long_is_not_written(tmp_path: Path) -> None:
    study = begun(tmp_path / "mine")
    with pytest.raises(SandboxError, match=r"a line of 5,000,\d\d\d bytes is too long"):
        study.set_user_attr("key", "x" * 5_000_000)
    study.set_user_attr("key", "short")
    assert begun(tmp_path / "mine").user_attrs == {"key": "short"}


def test_without_locks_of_the_system_a_link_takes_their_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def none(file: object, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", none)
    monkeypatch.chdir(tmp_path)
    store = open_store(Path("mine"), make=True)
    study = study_in(store, "mine")
    with store.exclusive():
        assert (tmp_path / "mine" / ".asking.lock").is_symlink()
        study.set_user_attr("key", 1)
    assert sorted(path.name for path in Path("mine").iterdir()) == [".asking", "journal.log"]
    assert study_in(open_store(Path("mine")), "mine").user_attrs == {"key": 1}


def test_other_writers_of_the_format_are_read(tmp_path: Path) -> None:
    path = tmp_path / "journal.log"
    theirs = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    study = optuna.create_study(study_name="mine", storage=theirs)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
    ours = optuna.load_study(study_name="mine", storage=open_journal(path))
    assert [trial.params for trial in ours.trials] == [trial.params for trial in study.trials]
    ours.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    assert len(study.trials) == 4
