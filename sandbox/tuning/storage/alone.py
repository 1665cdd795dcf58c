"""A file that one worker at a time writes, among all processes and machines that share its folder.

The lock is the system's (`flock`): it goes with the process, whatever ends it, so that nobody waits for a dead one. On
a shared folder it reaches as far as the folder's locks do; a mount with `nolock` or `local_lock` keeps them to itself.
Where a file system has none, Optuna's link beside the file takes its place, which waits half a minute for a dead one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from optuna.storages.journal import JournalFileSymlinkLock

from sandbox.errors import SandboxError
from sandbox.wording import reason, short_path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


@contextmanager
def alone(path: Path) -> Iterator[BinaryIO]:
    """Have an existing file open for reading and writing, unbuffered, while no other worker has it so.

    Blocks until it is free. The lock lies in the opened file: an interrupt between any two steps lets it go.

    Raises:
        OSError: it cannot be written.
    """
    with path.open("r+b", buffering=0) as file:
        if _locked(file):
            try:
                yield file
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)  # said, since a forked child may have the file open as well
            return
    lock = JournalFileSymlinkLock(os.path.abspath(path))  # a link that leads nowhere would be asked for without a rest
    lock.acquire()
    try:
        with path.open("r+b", buffering=0) as file:  # opened under the lock: its length is the one that it has now
            yield file
    finally:
        with suppress(RuntimeError):  # one that was held for over half a minute is another's by now
            lock.release()


@contextmanager
def unwritten(file: BinaryIO) -> Iterator[None]:
    """Keep others from writing an open file while the block reads it; does nothing where there are no locks."""
    if not _locked(file, shared=True):
        yield
        return
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


@contextmanager
def turn(path: Path) -> Iterator[None]:
    """Exclude all others that take a turn at a file, which holds nothing and is made where it is missing.

    Raises:
        SandboxError: it cannot be made.
    """
    with ExitStack() as held:
        try:
            with path.open("ab"):
                pass
            held.enter_context(alone(path))
        except OSError as error:
            raise SandboxError(f"cannot write {short_path(path)}: {reason(error)}") from None
        yield


def _locked(file: BinaryIO, *, shared: bool = False) -> bool:
    """Wait for the lock of an open file; False where this file system has none."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
    except OSError:
        return False
    return True
