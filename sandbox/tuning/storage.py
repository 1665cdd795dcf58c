"""Where the trials of a study are kept."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from optuna.storages import BaseStorage

from sandbox.errors import SandboxError
from sandbox.tuning.journal import open_journal


@dataclass(frozen=True)
class Store:
    """A place."""

    storage: BaseStorage
    url: str
    many: bool
    folder: Path
    notes: tuple[str, ...] = ()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """One at a time."""
        descriptor = os.open(self.folder / ".asking", os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def open_store(folder: Path, url: str = "", *, make: bool = False) -> Store:
    """Open it."""
    if make:
        folder.mkdir(parents=True, exist_ok=True)
    elif not (folder / "journal.log").is_file():
        raise SandboxError(f"no study at {folder}")
    return Store(open_journal(folder / "journal.log"), url, True, folder)
