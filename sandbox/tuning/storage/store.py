"""Where the trials of a study are kept: in a journal in its folder, in PostgreSQL, or in an SQLite file."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from optuna.storages import BaseStorage
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from sandbox.errors import SandboxError, near
from sandbox.tuning.storage.alone import turn
from sandbox.tuning.storage.database import shown_url
from sandbox.tuning.storage.journal import open_journal
from sandbox.tuning.storage.postgres import key, open_postgres
from sandbox.tuning.storage.sqlite import open_sqlite
from sandbox.wording import printable, reason, short_path, shown

JOURNAL = "journal.log"
_ASKING = ".asking"
_KINDS = ("postgresql", "sqlite")
_ALSO = {"postgres": "postgresql", "postgresql+psycopg": "postgresql"}
_THERE_ARE = "there are postgresql://user:password@host/database, sqlite:///FILE and, without any, the journal"


@dataclass(frozen=True)
class Store:
    """An open place of trials."""

    storage: BaseStorage
    """Optuna's."""
    url: str
    """Empty for the journal; else fit to print and to keep in a file: without its password."""
    many: bool
    """Whether several workers may share it."""
    exclusive: Callable[[], AbstractContextManager[None]]
    """`with store.exclusive():` one worker at a time, of all on every machine; it blocks, is not to be nested, and is
    let go when its process dies. On PostgreSQL a call inside it raises `database.LostLock`, a `SandboxError`, where the
    server was restarted meanwhile: then another may be inside as well, and the whole block is to be tried again."""
    notes: tuple[str, ...] = ()
    """Sentences on what was passed over."""


def open_store(folder: Path, url: str = "", *, make: bool = False) -> Store:
    """Open the place where a study's trials are kept.

    Args:
        folder: of the study; its name stands for the study among all that share a database.
        url: of the database; the journal in the folder where it is empty.
        make: search: make what is missing (folder, file, tables), and refuse what cannot be written.

    Raises:
        SandboxError: there is none, it cannot be read or written, or the URL is of another kind; never says a password.
    """
    kind, address = _kind(url)
    if make:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            raise SandboxError(f"cannot write a study into {short_path(folder)}: {reason(error)}") from None
    if address is None:
        return _open_journal(folder, make=make)
    if kind == "sqlite":
        asking = Path(f"{address.database}{_ASKING}")
        return Store(open_sqlite(address, make=make), shown_url(address), many=False, exclusive=partial(turn, asking))
    database = open_postgres(address, make=make)
    asking_key = key(f"study {folder.name}")
    return Store(database, shown_url(address), many=True, exclusive=partial(database.turn, asking_key))


def check_workers(url: str, workers: int) -> None:
    """Refuse more than one worker where the place takes one.

    Raises:
        SandboxError: it is SQLite; or the URL is of another kind.
    """
    if _kind(url)[0] == "sqlite" and workers > 1:
        raise SandboxError(
            f"SQLite takes one worker, not {workers}, since each write locks the whole file; for more leave --storage "
            "away, which takes the journal, or give it postgresql://user:password@host/database"
        )


def _open_journal(folder: Path, *, make: bool) -> Store:
    notes: list[str] = []
    path = folder / JOURNAL
    try:
        if not make and not path.exists():
            raise _no_study(folder)
    except (OSError, ValueError) as error:
        raise SandboxError(f"no study at {short_path(folder)}: {reason(error)}") from None
    storage = open_journal(path, notes.append, to_write=make)
    return Store(storage, "", many=True, exclusive=partial(turn, folder / _ASKING), notes=tuple(notes))


def _no_study(folder: Path) -> SandboxError:
    others = [path.parent.name for path in folder.parent.glob(f"*/{JOURNAL}")]
    listed = f"; there are {', '.join(map(printable, sorted(others)))}" if 0 < len(others) <= 8 else ""
    return SandboxError(f"no study at {short_path(folder)}{near(folder.name, others) or listed}")


def _kind(url: str) -> tuple[str, URL | None]:
    """Which kind of database a URL names, and the URL in its parts; none for the journal.

    Raises:
        SandboxError: another kind, or none.
    """
    if not url:
        return "journal", None
    scheme, colon, rest = url.strip().partition("://")
    if not colon or "\0" in url:
        raise SandboxError(f"--storage {_bare(url)} is no URL of a database; {_THERE_ARE}")
    kind = _ALSO.get(scheme.lower(), scheme.lower())
    if kind not in _KINDS:
        guess = near(scheme, _KINDS) or f"; {_THERE_ARE}"
        raise SandboxError(f"a study cannot be kept in {printable(scheme[:40])}://{guess}")
    return kind, _file(rest) if kind == "sqlite" else _address(rest)


def _file(rest: str) -> URL:
    """The URL of an SQLite file; its path is taken as it is written."""
    if not rest.startswith("/") or len(rest) == 1 or rest[1] == ":" or rest.startswith("/file:"):
        given = shown(f"sqlite://{rest}")
        raise SandboxError(f"--storage {given} names no file: sqlite:///FILE does, or sqlite:////FOLDER/FILE")
    if "?" in rest:
        raise SandboxError(
            f"--storage {shown(f'sqlite://{rest}')} has a ?, but an SQLite file is given without options"
        )
    return URL.create("sqlite", database=str(Path(rest[1:]).absolute()))


def _address(rest: str) -> URL:
    """The URL of a database in PostgreSQL."""
    place = re.split("[/?#]", rest)[0]
    if rest.count("@") > place.count("@") or place.count("@") > 1:  # else the end of a password is taken for a place
        raise SandboxError("--storage postgresql://... has an @ too many; in a password @ is %40, / %2F and ? %3F")
    try:
        return make_url(f"postgresql://{rest}")
    except (ArgumentError, ValueError):
        raise SandboxError(f"--storage postgresql://... cannot be read as a URL; {_THERE_ARE}") from None


def _bare(url: str) -> str:
    """What was given, less what may be a password, which ends at the last @."""
    return repr(url.rpartition("@")[2][-80:]) if "@" in url else repr(url[:80])
