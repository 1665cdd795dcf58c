"""A study in PostgreSQL: who may not, and a server that is restarted while workers run."""

from __future__ import annotations

import os
import secrets
import select
import signal
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
import pytest

from sandbox.errors import SandboxError
from sandbox.tuning.storage.database import LostLock
from sandbox.tuning.storage.store import Store, open_store

from postgres import PASSWORD, Server
from storing import refused, study_in


def searching(folder: Path, url: str) -> tuple[Store, optuna.Study]:
    store = open_store(folder / "mine", url, make=True)
    return store, study_in(store, "mine")


@contextmanager
def back_soon(server: Server) -> Iterator[None]:
    """The server is gone as the block begins, and back before long."""
    server.stop()
    starting = threading.Thread(target=server.start)
    starting.start()
    try:
        yield
    finally:
        starting.join()


def test_a_restarted_server_is_not_noticed(server: Server, database: str, tmp_path: Path) -> None:
    _, study = searching(tmp_path, database)
    trial = study.ask()
    server.stop()
    server.start()
    trial.report(0.25, 1)
    with back_soon(server):
        trial.suggest_float("margin", 0.0, 1.0)
    with back_soon(server):
        study.tell(trial, 0.5)
    with back_soon(server):
        study.ask()
    done, running = open_study(database, tmp_path).trials
    assert (done.value, done.params, done.intermediate_values) == (0.5, trial.params, {1: 0.25})
    assert (running.number, running.state.name) == (1, "RUNNING")


def open_study(database: str, folder: Path) -> optuna.Study:
    return study_in(open_store(folder / "mine", database), "mine")


def test_a_turn_waits_for_a_server_that_is_restarted(server: Server, database: str, tmp_path: Path) -> None:
    store, study = searching(tmp_path, database)
    with back_soon(server), store.exclusive():
        study.set_user_attr("key", 1)
    assert study.user_attrs == {"key": 1}


def test_who_waits_for_a_turn_can_be_interrupted(server: Server, database: str, tmp_path: Path) -> None:
    store, study = searching(tmp_path, database)
    name = database.rpartition("/")[2]
    waiting = f"SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = '{name}'"

    def interrupt() -> None:
        while not server.say(waiting):
            pass
        os.kill(os.getpid(), signal.SIGINT)

    with store.exclusive():
        other = threading.Thread(target=interrupt)
        other.start()
        with pytest.raises(KeyboardInterrupt), open_store(tmp_path / "mine", database).exclusive():
            pass
        other.join()
        study.set_user_attr("key", 1)
    with store.exclusive():
        assert study.user_attrs == {"key": 1}


@pytest.mark.parametrize("warm", [True, False])
def test_a_turn_that_was_lost_is_said(warm: bool, server: Server, database: str, tmp_path: Path) -> None:
    store, study = searching(tmp_path, database)
    with pytest.raises(LostLock, match="was lost in the middle of a turn"), store.exclusive():
        if warm:
            study.set_user_attr("before", 1)
        server.stop()
        server.start()
        study.set_user_attr("after", 1)
    with store.exclusive():
        assert "after" not in study.user_attrs
    study.set_user_attr("after", 2)


@contextmanager
def losing_an_answer(server: Server) -> Iterator[tuple[int, threading.Event]]:
    """A port that leads to the server; once the event is set, the answer to the next COMMIT of a write is lost."""
    lose = threading.Event()

    class Between(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wrote = losing = False
            with socket.create_connection(("127.0.0.1", server.port)) as back:
                while True:
                    for ready in select.select([self.request, back], [], [])[0]:
                        data = ready.recv(2**16)
                        if not data or (losing and ready is back):
                            return
                        wrote |= b"INSERT INTO" in data or b"UPDATE trials" in data
                        if ready is self.request and b"COMMIT" in data:
                            if losing := wrote and lose.is_set():
                                lose.clear()
                            wrote = False
                        (self.request if ready is back else back).sendall(data)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Between) as between:
        between.daemon_threads = True
        threading.Thread(target=between.serve_forever, daemon=True).start()
        yield between.server_address[1], lose
        between.shutdown()


def test_what_was_done_as_the_answer_was_lost_is_done_once(server: Server, database: str, tmp_path: Path) -> None:
    with losing_an_answer(server) as (port, lose):
        _, study = searching(tmp_path, database.replace(f":{server.port}", f":{port}"))
        trial = study.ask()
        for call in (
            lambda: trial.suggest_float("margin", 0.0, 1.0),
            lambda: trial.report(0.25, 1),
            lambda: trial.set_user_attr("key", 1),
            lambda: study.tell(trial, 0.5),
            lambda: study.set_user_attr("key", 1),
        ):
            lose.set()
            call()
            assert not lose.is_set()
        (done,) = study.trials
    assert (done.value, done.params, done.intermediate_values) == (0.5, trial.params, {1: 0.25})
    assert (done.user_attrs, study.study_name) == ({"key": 1}, "mine")


def test_a_server_that_stays_away_is_said(
    server: Server, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.tuning.storage.database._PATIENCE", 0.2)
    _, study = searching(tmp_path, database)
    server.stop()
    try:
        with pytest.raises(
            SandboxError, match=r"tester@127.* did not answer .*Connection refused.*; the same comm"
        ) as at:
            study.set_user_attr("key", 1)
    finally:
        server.start()
    assert PASSWORD not in str(at.value)
    study.set_user_attr("key", 2)


def test_databases_that_cannot_be_opened_are_said(server: Server, database: str, tmp_path: Path) -> None:
    nobody = secrets.token_hex(4)
    for url, why in {
        database.replace(PASSWORD, f"{PASSWORD}-not"): 'password authentication failed for user "tester"',
        server.url(f"not_{nobody}"): f'database "not_{nobody}" does not exist',
        server.url(user=f"not_{nobody}"): f'password authentication failed for user "not_{nobody}"',
        database.replace(f":{server.port}", ":1"): "Connection refused",
        database.replace("127.0.0.1", "nowhere.invalid"): "nowhere.invalid",
        f"{database}?sslmode=nonsense": "sslmode",
        f"{database}?nonsense=1": "nonsense",
        f"postgresql://127.0.0.1:{server.port}/db?user=tester&password={PASSWORD}-not": "authentication failed",
        database.replace(f":{server.port}", ":99999"): "cannot open",
    }.items():
        for make in (False, True):
            said = refused(tmp_path / "mine", url, make)
            assert said.startswith("cannot open postgresql://")
            assert why in said
            assert PASSWORD not in said
            assert "\n" not in said


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        said = refused(tmp_path / "mine", f"postgresql://me:{PASSWORD}@127.0.0.1:{port}/db?connect_timeout=2")
    assert said.startswith(f"cannot open postgresql://me@127.0.0.1:{port}/db?connect_timeout=2: ")
    assert "timeout" in said


def test_a_database_without_a_study_is_not_made_by_looking(server: Server, database: str, tmp_path: Path) -> None:
    assert "it has none of a study's tables" in refused(tmp_path / "mine", database, make=False)
    assert not (tmp_path / "mine").exists()
    assert not server.say("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database.rpartition("/")[2])


def test_what_can_only_be_read_is_read_and_not_searched(server: Server, database: str, tmp_path: Path) -> None:
    name = database.rpartition("/")[2]
    reader = f"reader_{secrets.token_hex(4)}"
    server.say(f"CREATE ROLE {reader} LOGIN PASSWORD '{PASSWORD}'")
    assert "permission denied for schema public" in refused(tmp_path / "mine", server.url(name, reader))
    _, study = searching(tmp_path, database)
    study.set_user_attr("key", 1)
    server.say(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}", name)
    assert "permission denied for table studies" in refused(tmp_path / "mine", server.url(name, reader))
    loaded = optuna.load_study(study_name="mine", storage=open_store(tmp_path, server.url(name, reader)).storage)
    assert loaded.user_attrs == {"key": 1}
    with pytest.raises(SandboxError, match="permission denied for table"):
        loaded.set_user_attr("key", 2)
    server.say(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert "read-only transaction" in refused(tmp_path / "mine", database)
    read = optuna.load_study(study_name="mine", storage=open_store(tmp_path / "mine", database).storage)
    assert read.user_attrs == {"key": 1}


def test_tables_of_another_version_are_said(server: Server, database: str, tmp_path: Path) -> None:
    searching(tmp_path, database)
    server.say("UPDATE alembic_version SET version_num = 'v9.9.9'", database.rpartition("/")[2])
    for make in (False, True):
        said = refused(tmp_path / "mine", database, make)
        assert said.startswith("cannot open postgresql://")
        assert "optuna" in said


def test_the_url_that_is_kept_has_no_password(server: Server, database: str, tmp_path: Path) -> None:
    kept = f"postgresql://tester@127.0.0.1:{server.port}/{database.rpartition('/')[2]}"
    for url in (
        database,
        database.replace("postgresql://", "postgres://"),
        database.replace("postgresql://", "postgresql+psycopg://"),
        f"{kept}?password={PASSWORD}",
    ):
        store = open_store(tmp_path / "mine", url, make=True)
        assert (store.url, store.many, store.notes) == (kept, True, ())
