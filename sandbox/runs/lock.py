"""Who is at work in a run folder: one process at a time, and whether it still lives.

The file `.lock` names the process and its machine. It is locked for as long as the process lives, whatever ends it, and
its time is set anew every few seconds, so that those on other machines can tell as well.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError
from sandbox.wording import reason

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"
_BEAT = 5.0
"""Seconds between two beats."""
SILENT = 60.0
"""Seconds without a beat after which a process on another machine counts as gone."""


class Taken(SandboxError):
    """Another process is at work there."""


@contextmanager
def locked(folder: Path, name: str = LOCK) -> Iterator[None]:
    """Be the one process at work in a folder, or on what a file of that name there stands for, while the block runs.

    Raises:
        Taken: another one is, which is named.
        SandboxError: the folder cannot be written.
    """
    descriptor = _take(folder, name)
    over = threading.Event()
    beat = threading.Thread(target=_beat, args=(folder / name, over), daemon=True)
    beat.start()
    try:
        yield
    finally:
        over.set()
        beat.join()
        with suppress(OSError):
            (folder / name).unlink()  # before it is let go: whoever opens it from now on makes a new one
        os.close(descriptor)


def holder(folder: Path, name: str = LOCK) -> str:
    """Who is at work in a folder, such as `process 17 on host-a since 10:15`; empty where nobody is."""
    path = folder / name
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return ""
    try:
        said = _said(descriptor)
        silent = time.time() - os.fstat(descriptor).st_mtime
        free = _try(descriptor, shared=True)
        machine = socket.gethostname()
        here = said.get("host", machine) == machine  # it names none where its writer died before it had written
        # A lock does not reach over every shared folder, and some have none; there, the beat counts.
        alive = free is False or (silent < SILENT and (free is None or not here))
    finally:
        os.close(descriptor)
    if not alive:
        return ""
    return f"process {said.get('process', '?')} on {said.get('host', '?')} since {said.get('since', '?')}"


def _take(folder: Path, name: str) -> int:
    """The lock's file, opened and locked."""
    path = folder / name
    while True:
        if who := holder(folder, name):
            raise Taken(f"{folder} is being worked on by {who}; wait for it, or end it")
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise SandboxError(f"cannot write {path}: {reason(error)}") from None
        if _try(descriptor) is not False and _is_still(path, descriptor):
            break
        os.close(descriptor)  # another was quicker, or it is one that its holder has just taken away
    since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    words = json.dumps({"process": os.getpid(), "host": socket.gethostname(), "since": since}).encode()
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, words)
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        os.close(descriptor)
        raise SandboxError(f"cannot write {path}: {reason(error)}") from None
    return descriptor


def _try(descriptor: int, *, shared: bool = False) -> bool | None:
    """Lock an open file; False where another has it, None where this file system has no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        there = os.stat(path)
    except OSError:
        return False
    return os.path.samestat(there, os.fstat(descriptor))


def _said(descriptor: int) -> dict[str, Any]:
    try:
        said = json.loads(os.read(descriptor, 4096))
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _beat(path: Path, over: threading.Event) -> None:
    while not over.wait(_BEAT):
        with suppress(OSError):
            os.utime(path)
