"""A study in PostgreSQL, which workers on any machine may share.

Taking turns needs a connection that stays with one server process; a pool between, such as PgBouncer, has to pool
sessions, not transactions.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from contextlib import closing
from typing import Any

from optuna.exceptions import StorageInternalError
from sqlalchemy import URL, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from sandbox.errors import SandboxError
from sandbox.tuning.storage.database import Database, demand_tables, locked, shown_url, try_writing, why
from sandbox.wording import short_path

_CONNECT = {
    "connect_timeout": 4,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "application_name": "metric-learning-sandbox",
}
"""How libpq connects where the URL does not say it: it gives up soon, and finds a server that is gone."""


def open_postgres(url: URL, *, make: bool) -> Database:
    """The trials in a database; its tables are made once, however many processes begin together.

    Args:
        url: of PostgreSQL.
        make: make the tables where they are missing, and refuse a database that cannot be written.

    Raises:
        SandboxError: it cannot be reached, read or written; the sentence never holds the password.
    """
    if importlib.util.find_spec("psycopg") is None:
        raise SandboxError('PostgreSQL needs psycopg, which is not installed; run: pip install -e ".[cluster]"')
    place = short_path(shown_url(url))
    url = url.set(drivername="postgresql+psycopg")
    settings = {name: value for name, value in _CONNECT.items() if name not in url.query}
    pool: dict[str, Any] = {"pool_pre_ping": True, "pool_size": 1, "max_overflow": 4, "connect_args": settings}
    try:
        lone = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=settings)
        with closing(locked(lone, key("tables"))) as connection:
            if not make:
                demand_tables(connection, place)
            database = Database(url, pool, make=make)
        if make:
            try_writing(database)
    except (SQLAlchemyError, StorageInternalError, RuntimeError, ImportError, ValueError, OverflowError) as error:
        raise SandboxError(f"cannot open {place}: {why(error, url)}") from None
    database.outlive_restarts(settings)
    return database


def key(name: str) -> int:
    """The number of PostgreSQL's advisory lock, which has 64 bits, that a name stands for in every process."""
    digest = hashlib.sha256(b"metric-learning-sandbox " + os.fsencode(name)).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
