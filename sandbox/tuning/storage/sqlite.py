"""A study in an SQLite file, which one worker alone may search."""

from __future__ import annotations

import atexit
import os
from contextlib import ExitStack
from pathlib import Path

from optuna.exceptions import StorageInternalError
from sqlalchemy import URL, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from sandbox.errors import SandboxError
from sandbox.runs.lock import holder, locked
from sandbox.tuning.storage.database import Database, demand_tables, try_writing, why
from sandbox.wording import reason, short_path

_WAIT = 60.0  # seconds for another process that reads or writes
_held: dict[Path, int] = {}
"""The files that a process of that number searches until it ends."""


def open_sqlite(url: URL, *, make: bool) -> Database:
    """The trials in a file.

    Args:
        url: of SQLite, with an absolute path.
        make: search: make the file and its tables where they are missing, and be the one process that does so.

    Raises:
        SandboxError: there is none, it is no database, it cannot be written, or another process searches it.
    """
    path = Path(str(url.database))
    place = short_path(path)
    try:
        if not path.parent.is_dir():
            raise SandboxError(f"no folder for {place}")
        if path.exists() and not path.is_file():
            raise SandboxError(f"{place} is no file")
        if not make and not path.is_file():
            raise SandboxError(f"no study is kept in {place}: there is no such file")
        if make:
            _hold(path)
        else:
            with create_engine(url, poolclass=NullPool).connect() as connection:
                demand_tables(connection, place)
        database = Database(url, {"connect_args": {"timeout": _WAIT}}, make=make)
        if make:
            try_writing(database)
    except OSError as error:
        raise SandboxError(f"cannot open {place}: {reason(error)}") from None
    except (SQLAlchemyError, StorageInternalError, RuntimeError) as error:
        raise SandboxError(f"cannot open {place}: {why(error, url)}") from None
    return database


def _hold(path: Path) -> None:
    """Be the one process that searches a file, until it ends.

    Raises:
        SandboxError: another one is, which is named.
    """
    path = path.resolve()
    if _held.get(path) == os.getpid():
        return
    name = f"{path.name}.lock"
    if who := holder(path.parent, name):
        raise SandboxError(
            f"{short_path(path)} is being searched by {who}, and SQLite takes one worker; wait for it, or give several "
            "workers the journal or postgresql://"
        )
    stack = ExitStack()
    stack.enter_context(locked(path.parent, name))
    atexit.register(stack.close)
    _held[path] = os.getpid()
