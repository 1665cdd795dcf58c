"""Where trials are kept: what is refused, and that the workers of a study take turns."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.tuning.storage.store import check_workers, open_store

from apart import answer, ended, needs_fork, started
from storing import count_up, create, hold, plainly, refused, study_in

pytestmark = needs_fork
SHARED = pytest.mark.parametrize("kind", ["journal", "postgresql"])


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest) -> str:
    return "" if kind == "journal" else str(request.getfixturevalue("database"))


@contextmanager
def patience(seconds: int = 60) -> Iterator[None]:
    """A test that would wait for ever fails instead."""

    def stop(*_: object) -> None:
        raise AssertionError("waits for one that is dead")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@SHARED
def test_eight_processes_make_one_study(url: str, tmp_path: Path) -> None:
    with patience():
        working = [started(create, tmp_path / "mine", url) for _ in range(8)]
        assert [ended(process) for process in working] == [0] * 8
    store = open_store(tmp_path / "mine", url)
    assert [study.study_name for study in store.storage.get_all_studies()] == ["mine"]
    assert [trial.number for trial in study_in(store, "mine").trials] == list(range(8))
    assert store.many


@SHARED
def test_one_process_at_a_time_has_the_turn(url: str, tmp_path: Path) -> None:
    open_store(tmp_path / "mine", url, make=True)
    number = tmp_path / "number"
    number.write_text("0")
    with patience():
        working = [started(count_up, tmp_path / "mine", url, number, 25) for _ in range(4)]
        assert [ended(process) for process in working] == [0] * 4
    assert number.read_text() == "100"


@SHARED
def test_the_turn_of_a_killed_process_is_free(url: str, tmp_path: Path) -> None:
    receiver, sender = Pipe(duplex=False)
    holders = [started(hold, tmp_path / "mine", url, sender) for _ in range(3)]
    with patience(15):
        for _ in holders:  # whoever has it is killed, and the next one has it
            os.kill(receiver.recv(), signal.SIGKILL)
        with open_store(tmp_path / "mine", url).exclusive():
            pass
        assert [ended(process) for process in holders] == [-signal.SIGKILL] * 3


def test_two_studies_of_a_database_have_a_turn_each(database: str, tmp_path: Path) -> None:
    one, other = (open_store(tmp_path / name, database, make=True) for name in ("one", "other"))
    with patience(15), one.exclusive(), other.exclusive():
        pass


def test_a_name_stands_for_one_turn_in_every_folder(database: str, tmp_path: Path) -> None:
    folders = [tmp_path / place / "mine" for place in ("here", "there")]
    open_store(folders[0], database, make=True)
    number = tmp_path / "number"
    number.write_text("0")
    with patience():
        working = [started(count_up, folder, database, number, 25) for folder in folders]
        assert [ended(process) for process in working] == [0] * 2
    assert number.read_text() == "50"


def test_sqlite_is_searched_by_one_process(tmp_path: Path) -> None:
    folder, url = tmp_path / "mine", f"sqlite:///{tmp_path / 'trials.db'}"
    assert answer(create, folder, url) == (0, 0)
    receiver, sender = Pipe(duplex=False)
    holder = started(hold, folder, url, sender)
    assert receiver.recv() == holder.pid
    assert f"trials.db is being searched by process {holder.pid} on " in answer(refused, folder, url)[1]
    store = open_store(folder, url)
    assert [trial.number for trial in study_in(store, "mine").trials] == [0]
    assert not store.many
    holder.kill()
    assert ended(holder) == -signal.SIGKILL
    assert answer(create, folder, url) == (0, 1)


def test_a_turn_on_sqlite_is_taken(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'trials.db'}"
    assert answer(create, tmp_path / "mine", url) == (0, 0)
    with patience(15):
        for _ in range(2):
            with open_store(tmp_path / "mine", url).exclusive():
                pass


def test_the_url_that_is_kept_opens_the_study_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = tmp_path / "a {b} ü#1@2%20%%s"
    odd.mkdir()
    monkeypatch.chdir(odd)
    assert answer(create, tmp_path / "mine", f"sqlite:///{odd}/trials.db") == (0, 0)
    assert (odd / "trials.db").is_file()
    kept = open_store(tmp_path / "mine", "sqlite:///trials.db").url
    monkeypatch.chdir(tmp_path)
    assert [study.study_name for study in open_store(tmp_path / "mine", kept).storage.get_all_studies()] == ["mine"]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://me:s3cret@host/db", "cannot be kept in mysql://; there are postgresql://user:password@host/data"),
        ("redis://host", "cannot be kept in redis://; there are"),
        ("http://host/db", "cannot be kept in http://; there are"),
        ("postgress://me:s3cret@host/db", "cannot be kept in postgress://; did you mean 'postgresql'"),
        ("postgresql+psycopg2://me:s3cret@host/db", "cannot be kept in postgresql+psycopg2://"),
        ("journal.log", "--storage 'journal.log' is no URL of a database; there are"),
        ("/results/journal.log", "--storage '/results/journal.log' is no URL"),
        ("me:s3cret@host/db", "--storage 'host/db' is no URL"),
        ("nonsense", "--storage 'nonsense' is no URL"),
        ("postgresql://me:s3cret@host\0/db", "is no URL"),
        ("postgresql://me:s3cret@host:port/db", "--storage postgresql://... cannot be read as a URL"),
        ("postgresql://me:be@s3cret@host/db", "has an @ too many; in a password @ is %40"),
        ("postgresql://me:1/s3cret@host/db", "has an @ too many; in a password @ is %40"),
        ("postgresql://me:1?s3cret@host/db", "has an @ too many; in a password @ is %40"),
        ("sqlite://", "names no file: sqlite:///FILE does"),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite://host/file.db", "names no file"),
        ("sqlite:///file:trials.db?uri=true", "names no file"),
        (f"sqlite:///{'x' * 300}.db", "File name too long"),
        ("sqlite:////nowhere/trials.db", "no folder for /nowhere/trials.db"),
        (
            "sqlite:///trials.db?mode=ro",
            "'sqlite:///trials.db?mode=ro' has a ?, but an SQLite file is given without opt",
        ),
        (f"postgresql://me:s3cret@{'h' * 300}/db", "hhh..."),
        ("sqlite:////dev/null", "/dev/null is no file"),
    ],
)
@pytest.mark.parametrize("make", [False, True])
def test_other_places_are_refused(url: str, sentence: str, make: bool, tmp_path: Path) -> None:
    said = refused(tmp_path / "mine", url, make)
    assert sentence in said
    assert "s3cret" not in said
    assert "\n" not in said


def test_sqlite_takes_one_worker() -> None:
    check_workers("sqlite:///trials.db", 1)
    check_workers("", 8)
    check_workers("postgresql://host/db", 8)
    with pytest.raises(SandboxError, match=r"SQLite takes one worker, not 2, .* journal, or give it postgresql://"):
        check_workers("sqlite:///trials.db", 2)
    with pytest.raises(SandboxError, match="cannot be kept in mysql://"):
        check_workers("mysql://host/db", 1)


def test_what_is_not_there_is_said_and_not_made(tmp_path: Path) -> None:
    (tmp_path / "yours").mkdir()
    (tmp_path / "yours" / "journal.log").touch()
    assert refused(tmp_path / "your", make=False) == f"no study at {tmp_path / 'your'}; did you mean 'yours'?"
    assert "no such file" in refused(tmp_path, f"sqlite:///{tmp_path}/trials.db", make=False)
    assert "File name too long" in refused(tmp_path / ("n" * 300))
    assert "File name too long" in refused(tmp_path / ("n" * 300), make=False)
    assert [path.name for path in tmp_path.iterdir()] == ["yours"]


def test_files_of_another_kind_are_said(tmp_path: Path) -> None:
    (tmp_path / "trials.db").write_bytes(b"no database at all, but long enough to be taken for one" * 50)
    (tmp_path / "empty.db").touch()
    (tmp_path / "mine" / "journal.log").mkdir(parents=True)
    os.mkfifo(tmp_path / "pipe")
    for make in (False, True):
        assert "file is not a database" in answer(refused, tmp_path, f"sqlite:///{tmp_path}/trials.db", make)[1]
        assert "pipe is no file" in refused(tmp_path, f"sqlite:///{tmp_path}/pipe", make)
        assert "journal.log is no file" in refused(tmp_path / "mine", "", make)
    assert "none of a study's tables" in refused(tmp_path, f"sqlite:///{tmp_path}/empty.db", make=False)


def test_what_can_only_be_read_is_read_and_not_searched(tmp_path: Path) -> None:
    folder, url = tmp_path / "mine", f"sqlite:///{tmp_path}/trials.db"
    for place in ("", url):
        assert answer(create, folder, place) == (0, 0)
    for file in (folder / "journal.log", tmp_path / "trials.db"):
        file.chmod(0o400)
    assert "cannot write" in answer(plainly, refused, folder, "")[1]
    assert "attempt to write a readonly database" in answer(plainly, refused, folder, url)[1]
    (tmp_path / "trials.db.lock").unlink()
    for path in (folder, tmp_path):
        path.chmod(0o500)
    assert "trials.db.lock: Permission denied" in answer(plainly, refused, folder, url)[1]
    assert "cannot write a study into" in answer(plainly, refused, folder / "inner")[1]
    assert answer(plainly, refused, folder, "", False) == answer(plainly, refused, folder, url, False) == (0, "")
    for path in (tmp_path, folder):
        path.chmod(0o700)
