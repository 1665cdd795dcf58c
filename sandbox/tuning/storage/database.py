"""Optuna's storage in a database, which says in a sentence what goes wrong, and outlives a server that is restarted."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any, TypeVar

from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy import URL, create_engine, event, inspect, text
from sqlalchemy.engine import Connection, Engine, ExceptionContext
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from sandbox.errors import SandboxError
from sandbox.wording import reason, short_path

_PATIENCE = 60.0
"""Seconds for which a call waits for a server that does not answer."""
_PASSING = ("40001", "40P01", "53300", "57P01", "57P02", "57P03")
"""What PostgreSQL says that passes by itself: two calls in each other's way, too many at once, or it is restarting."""
_TABLES = ("studies", "trials", "version_info", "alembic_version")
_WRITES = (
    "INSERT INTO studies (study_name) VALUES (:name)",
    "INSERT INTO trials (study_id) SELECT study_id FROM studies WHERE 1 = 0",
    "UPDATE trials SET state = state WHERE 1 = 0",
)
"""What a search does, tried and taken back."""
T = TypeVar("T")


class LostLock(SandboxError):
    """The server went away while a worker had its turn, so that another may have it now: the whole turn is due again.

    It is a `SandboxError`, so that whoever does not try again ends with a sentence.
    """


class _Gone(Exception):
    """A call did not reach the server, or its answer did not come back; the call may be made again."""


class Database(RDBStorage):
    """Trials in a database.

    Calls that the server does not answer are made again for a minute. They say the same twice, except two. A trial that
    is made outside a turn may be there twice, where the server had made it and could not say so. And one that was
    claimed so belongs to nobody; like any whose worker is gone, it is found by its silence.
    """

    def __init__(self, url: URL, engine: dict[str, Any], *, make: bool):
        self.place = url
        self._shown = short_path(shown_url(url))
        self._turn = threading.local()
        template = url.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}")
        super().__init__(template, engine_kwargs=engine, skip_table_creation=not make)

    def outlive_restarts(self, lone: dict[str, Any]) -> None:
        """From now on, wait for a server that does not answer; `turn` works after this.

        Args:
            lone: what the connection of a turn is made with.
        """
        self._lone = create_engine(self.place, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=lone)
        for engine in (self.engine, self._lone):
            event.listen(engine, "handle_error", self._unanswered)

    @contextmanager
    def turn(self, key: int) -> Iterator[None]:
        """Exclude all others that take a turn under a key, as long as the server holds this connection.

        Raises:
            LostLock: out of a call inside the block, where the server was restarted meanwhile.
        """
        connection = self.patiently(lambda: locked(self._lone, key))
        self._turn.connection = connection
        try:
            yield
        finally:
            self._turn.connection = None
            with suppress(SQLAlchemyError, _Gone):
                connection.close()

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Any = None) -> bool:
        """As Optuna's; what was written before the answer was lost is not refused as written already."""
        tries = 0

        def once() -> bool:
            nonlocal tries
            tries += 1
            if tries > 1 and state.is_finished() and self.get_trial(trial_id).state == state:
                return True
            return RDBStorage.set_trial_state_values(self, trial_id, state, values)

        return self.patiently(once)

    def patiently(self, call: Callable[[], T]) -> T:
        """What a call gives, made again for a minute where the server does not answer.

        Raises:
            SandboxError: it did not answer, or cannot do it.
        """
        until, wait = time.monotonic() + _PATIENCE, 0.05
        while True:
            if not self._alone():
                raise self._lost()
            try:
                return call()
            except _Gone as error:
                if time.monotonic() > until:
                    raise SandboxError(
                        f"{self._shown} did not answer for a minute ({error}); the same command goes on"
                    ) from None
            except (StorageInternalError, SQLAlchemyError) as error:
                raise SandboxError(f"cannot use {self._shown}: {why(error, self.place)}") from None
            time.sleep(wait)
            wait = min(2 * wait, 2.0)

    def _alone(self) -> bool:
        """Whether the turn that this thread has, if it has one, still is one."""
        connection: Connection | None = getattr(self._turn, "connection", None)
        if connection is None:
            return True
        self._turn.connection = None  # it is not looked into what goes wrong here
        try:
            if not connection.invalidated:
                connection.execute(text("SELECT 1"))
                return True
        except (SQLAlchemyError, _Gone):
            pass
        finally:
            self._turn.connection = connection
        return False

    def _unanswered(self, context: ExceptionContext) -> None:
        """Tell apart, of all that SQLAlchemy meets, what may be tried again."""
        if not isinstance(context.original_exception, Exception):  # Ctrl-C, which it takes for the end of a connection
            return
        gone = context.is_disconnect or context.connection is None
        if gone and not self._alone():
            raise self._lost()
        if context.is_pre_ping:  # another connection is taken by itself
            return
        if gone or getattr(context.original_exception, "sqlstate", None) in _PASSING:
            raise _Gone(_scrubbed(context.original_exception, self.place))

    def _lost(self) -> LostLock:
        return LostLock(f"the connection to {self._shown} was lost in the middle of a turn; the same command goes on")


def _patient(call: Callable[..., T]) -> Callable[..., T]:
    @wraps(call)
    def again(self: Database, *given: Any, **named: Any) -> T:
        return self.patiently(lambda: call(self, *given, **named))

    return again


for _name in (
    "create_new_study", "delete_study", "get_all_studies", "get_study_id_from_name", "get_study_name_from_id",
    "get_study_directions", "get_study_user_attrs", "get_study_system_attrs", "set_study_user_attr",
    "set_study_system_attr", "_create_new_trial", "_set_trial_param", "get_trial", "get_all_trials", "_get_trials",
    "get_trial_id_from_study_id_trial_number", "get_trial_number_from_id", "get_trial_param", "get_trial_user_attrs",
    "get_trial_system_attrs", "get_best_trial", "_get_best_trial_id", "set_trial_intermediate_value",
    "set_trial_user_attr", "set_trial_system_attr", "record_heartbeat", "_get_stale_trial_ids",
):  # fmt: skip
    setattr(Database, _name, _patient(getattr(RDBStorage, _name)))


def locked(engine: Engine, key: int) -> Connection:
    """A connection that holds PostgreSQL's lock of a number; blocks until it is free.

    A server finds a client that was killed at once, and one whose machine is gone within half a minute.
    """
    connection = engine.connect()
    try:
        settings = "('statement_timeout', '0'), ('lock_timeout', '0'), ('tcp_keepalives_idle', '10'), "
        settings += "('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '3')"
        connection.execute(text(f"SELECT set_config(name, value, false) FROM (VALUES {settings}) AS s (name, value)"))
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
    except BaseException:
        connection.close()
        raise
    return connection


def demand_tables(connection: Connection, place: str) -> None:
    """Refuse a database that Optuna has not made its tables in.

    Raises:
        SandboxError: it has none.
    """
    there = set(inspect(connection).get_table_names())
    if not there.issuperset(_TABLES):
        raise SandboxError(f"no study is kept in {place}: it has none of a study's tables")


def try_writing(database: Database) -> None:
    """Write and take it back, so that a database that can only be read is refused before anything is trained.

    Raises:
        SQLAlchemyError: it cannot be written.
    """
    with database.engine.connect() as connection:
        for statement in _WRITES:
            given = {"name": f"tried-{secrets.token_hex(8)}"} if ":name" in statement else {}
            connection.execute(text(statement), given)
        connection.rollback()


def shown_url(url: URL) -> str:
    """A URL fit to print and to keep: without its password."""
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{url.database}"
    kept = {name: value for name, value in url.query.items() if "password" not in name.lower()}
    bare = URL.create("postgresql", url.username, None, url.host, url.port, url.database, kept)
    return bare.render_as_string(hide_password=False)


def why(error: BaseException, url: URL) -> str:
    """Why a database refused something, in its own words, without the password."""
    at: BaseException | None = error
    while at is not None and not isinstance(at, DBAPIError):
        at = at.__cause__ or at.__context__
    return _scrubbed(at.orig if at is not None and at.orig is not None else error, url)


def _scrubbed(error: BaseException, url: URL) -> str:
    said = str(error)
    for secret in (url.password, *(value for name, value in url.query.items() if "password" in name.lower())):
        if isinstance(secret, str) and secret:
            said = said.replace(secret, "***")
    return reason(Exception(said))
