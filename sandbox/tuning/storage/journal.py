"""The journal of a study: a line of JSON for whatever happens, which all its workers append to and read.

It is Optuna's format with a file of our own, since Optuna's waits half a minute for a worker that was killed, and is
spoilt for good by a line that one left half written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any, BinaryIO

from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend

from sandbox.errors import SandboxError
from sandbox.files import Tell, untold
from sandbox.tuning.storage.alone import alone, unwritten
from sandbox.tuning.storage.journal_lines import LONGEST, damaged, record
from sandbox.wording import counted, reason, short_path

_BLOCK = 2**16


def open_journal(path: Path, tell: Tell = untold, *, to_write: bool = False) -> JournalStorage:
    """The journal as Optuna's storage, made where it is missing; every line is held against what Optuna writes.

    Args:
        path: the file.
        tell: is given a sentence where a last line was cut off, which is taken away.
        to_write: refuse one that can only be read.

    Raises:
        SandboxError: it cannot be read, or a line is no record of a study; names the line.
    """
    journal, verb = Journal(path), "write" if to_write else "read"
    try:
        if not path.exists():
            verb = "write"
            path.touch()
        elif not path.is_file():  # a pipe would be waited for
            raise SandboxError(f"{short_path(path)} is no file")
        journal.mend(tell, to_write=to_write)
        return JournalStorage(journal)
    except SandboxError:
        raise
    except OSError as error:
        raise SandboxError(f"cannot {verb} {short_path(path)}: {reason(error)}") from None
    except Exception as error:  # each operation fails in its own way on a record that does not fit those before
        raise damaged(path, journal.line, f"does not fit the lines before it ({reason(error)})") from None


class Journal(BaseJournalBackend):
    """Appends whole lines under a lock, and reads whole lines.

    A line without an end is one whose writer was killed: nobody has read it, and the next to write takes it away. What
    stands before it never changes, and is read without a lock.
    """

    def __init__(self, path: Path):
        self.path = path
        self.line = 0
        """How many lines were read."""
        self._end = 0  # and where the next begins

    def mend(self, tell: Tell, *, to_write: bool) -> None:
        """Take away a last line that was cut off; where nothing can be written, it is only passed over.

        Raises:
            OSError: the file cannot be read, or cannot be written and has to be.
        """
        try:
            with alone(self.path) as file:
                cut, done = _cut_tail(file), "taken away"
        except OSError:
            if to_write:
                raise
            with self.path.open("rb", buffering=0) as file, unwritten(file):
                cut, done = _size(file) - _whole(file), "passed over"
        if cut:
            tell(f"the last line of {self.path} was cut off, and is {done} ({counted(cut, 'byte', 'bytes')})")

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """The records from one on, counted from 0.

        Raises:
            SandboxError: the file cannot be read, or a line is no record.
        """
        if log_number_from != self.line:
            self.line = self._end = 0
        try:
            with self.path.open("rb") as file:
                if (size := _size(file)) < self._end:
                    raise SandboxError(f"{self.path} was cut while it was open: it has lost line {self.line}")
                if size == self._end:
                    return
                with unwritten(file):
                    whole = _whole(file)
                file.seek(self._end)
                while self._end < whole:
                    line = file.readline(LONGEST + 1)
                    log = record(self.path, self.line + 1, line)
                    self.line, self._end = self.line + 1, self._end + len(line)
                    if self.line > log_number_from:
                        yield log
        except OSError as error:
            raise SandboxError(f"cannot read {self.path}: {reason(error)}") from None

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Write records; they are on the disk when this returns.

        Raises:
            SandboxError: the file cannot be written, or the disk is full; then none of them is in it.
        """
        content = b"".join(json.dumps(log, separators=(",", ":")).encode() + b"\n" for log in logs)
        if len(content) > LONGEST:
            raise SandboxError(f"cannot write {self.path}: a line of {len(content):,} bytes is too long")
        try:
            with alone(self.path) as file:
                _cut_tail(file)
                end = file.seek(0, os.SEEK_END)
                try:
                    left = memoryview(content)
                    while left:
                        left = left[file.write(left) :]
                    os.fsync(file.fileno())
                except OSError:
                    file.truncate(end)
                    raise
        except OSError as error:
            raise SandboxError(f"cannot write {self.path}: {reason(error)}") from None


def _cut_tail(file: BinaryIO) -> int:
    """Take away a last line without an end; how many bytes it had."""
    size, whole = _size(file), _whole(file)
    if whole < size:
        file.truncate(whole)
    return size - whole


def _whole(file: BinaryIO) -> int:
    """Where the last line that has an end ends; the end of the file in most cases, so that a byte is read."""
    whole, block = _size(file), 1
    while whole:
        start = max(0, whole - block)
        file.seek(start)
        end = file.read(whole - start).rfind(b"\n") + 1
        if end:
            return start + end
        whole, block = start, _BLOCK
    return 0


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
