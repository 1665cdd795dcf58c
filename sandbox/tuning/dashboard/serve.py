"""Optuna's dashboard on studies of ours, with their pictures; it changes nothing unless it is asked to."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from optuna.storages import BaseStorage

from sandbox.errors import SandboxError
from sandbox.tuning.dashboard.artifacts import ArtifactFolders
from sandbox.tuning.dashboard.gate import gated
from sandbox.tuning.dashboard.joined import JoinedStorage, Shown, find_study
from sandbox.wording import counted, first_names, reason


@dataclass(frozen=True)
class Served:
    """A study to be served."""

    name: str
    """Of the study in its storage."""
    storage: BaseStorage = field(repr=False)
    folder: Path
    """Where its `artifacts/` lie."""


def serve(stores: Sequence[Served], *, host: str = "127.0.0.1", port: int = 8080, edit: bool = False) -> None:
    """Serve a dashboard of studies until interrupted; it has no log-in, so it binds to this machine unless told so.

    Args:
        stores: the studies, at least one.
        host: address to listen on.
        port: to listen on, 1 to 65535.
        edit: let whoever opens it change notes and trials, and delete studies.

    Raises:
        SandboxError: a study is not there, or the port is taken.
    """
    if not 1 <= port <= 65535:
        raise SandboxError(f"--port is {port}, but lies between 1 and 65535")
    with make_server(stores, host=host, port=port, edit=edit) as server:
        what = "study" if len(stores) == 1 else counted(len(stores), "study", "studies")
        names = first_names([store.name for store in stores])
        shown = f"[{host}]" if ":" in host else host
        may = "whoever opens it may change and delete" if edit else "for reading; --edit lets it change notes"
        print(f"{what} {names}: http://{shown}:{server.server_port}/  ({may}; Ctrl-C ends)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("ended", flush=True)


def make_server(stores: Sequence[Served], *, host: str, port: int, edit: bool = False) -> WSGIServer:
    """A server that listens already, and answers once its `serve_forever` runs.

    Raises:
        SandboxError: a study is not there, or the address cannot be listened on.
    """
    from optuna_dashboard._app import create_app

    if not host:
        raise SandboxError("--host is empty, which would listen on every address; 0.0.0.0 says so")
    shown = [Shown(store.name, store.storage, find_study(store.storage, store.name)) for store in stores]
    folders = ArtifactFolders([store.folder for store in stores])
    app = gated(create_app(JoinedStorage(shown), artifact_store=folders), folders, edit=edit, several=len(stores) > 1)
    kind = _Server6 if ":" in host else _Server
    try:
        server = kind((host, port), _Quiet)
    except (OSError, ValueError, TypeError) as error:  # the last two are about names that no machine has
        raise SandboxError(f"cannot listen on {host}:{port}: {reason(error)}; choose another --port") from None
    server.set_app(app)
    return server


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each request: a page asks for several things at once."""

    daemon_threads = True

    def server_bind(self) -> None:
        """Listen, without looking up this machine's full name, which takes seconds where no name server answers."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a line for each request hides what a person is to read."""

    def address_string(self) -> str:
        """The number, not the name, of whoever asks."""
        return str(self.client_address[0])
