"""Optuna's dashboard on a study of ours."""

from __future__ import annotations

import socket
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.tuning.study import open_study
from sandbox.wording import printable, reason


def serve(folder: Path, *, host: str = "127.0.0.1", port: int = 8080) -> None:
    """Serve the dashboard until interrupted; it has no log-in, so it binds to this machine unless told otherwise.

    Raises:
        SandboxError: no study there, or the port is taken.
    """
    import optuna_dashboard

    study = open_study(folder)
    if not 1 <= port <= 65535:
        raise SandboxError(f"--port is {port}, but lies between 1 and 65535")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SandboxError(f"cannot listen on {host}:{port}: {reason(error)}; choose another --port") from None
    print(f"study {printable(folder.name)}: http://{host}:{port}/  (Ctrl-C ends)", flush=True)
    optuna_dashboard.run_server(study.store.storage, host=host, port=port)
