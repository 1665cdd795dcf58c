"""Files: written whole or not at all, read or refused in a sentence, watched while many are read."""

from __future__ import annotations

import errno
import json
import math
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError
from sandbox.wording import printable, reason

LARGEST_JSON = 64 * 2**20
"""Bytes of a JSON file at most; the largest report of a run has some thousands."""
_DEEPEST = 50
_DIGITS = 20  # of a whole number; 64 bits have as many
_LONGEST = 200  # characters of a path in a sentence; what lies a thousand folders deep has thousands

Watch = Callable[[Sequence[Path], str], Iterable[Path]]
"""Passes files on one by one, and may show how far it is; the text says what is done with them."""


def unwatched(files: Sequence[Path], what: str) -> Iterable[Path]:
    """The files, with nothing shown."""
    return files


Tell = Callable[[str], None]
"""Takes a sentence on what was passed over, or on how something was read, and may show it."""


def untold(sentence: str) -> None:
    """Nothing is shown."""


@contextmanager
def replacing(path: Path, *, make_folder: bool = False) -> Iterator[Path]:
    """A hidden name beside `path` to write to, which becomes `path` in one step when the block ends well.

    What was written is on the disk before it takes the name, so that a crash leaves the earlier file or the new one.
    Two processes may do this at once: the later one wins, and readers of the earlier file keep theirs. The hidden name
    is short, whatever the name of the file, and ends as it does, since some writers go by the ending. A link stays a
    link, and its file is replaced; a device or a pipe, such as /dev/stdout, is written to as it is.

    Args:
        path: the file.
        make_folder: make the folder that it lies in, and those above, where they are missing.

    Raises:
        OSError: the place cannot be written; that is found out before the block begins.
    """
    path = Path(os.path.realpath(path))
    if make_folder:
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        yield path
        return
    part = path.with_name(f".{secrets.token_hex(8)}.part{path.suffix[:16]}")
    try:
        part.touch()
        yield part
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(path)
        sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system can do that."""
    with suppress(OSError):  # Windows opens no folders, and some file systems sync none
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def sweep_parts(folder: Path) -> None:
    """Take away the hidden parts that a killed writer left in a folder; for whoever alone writes there."""
    for part in folder.glob(".*.part*"):
        with suppress(OSError):
            part.unlink()


@contextmanager
def whole_file(path: Path, *, make_folder: bool = False) -> Iterator[Path]:
    """As `replacing`, with what goes wrong said in a sentence.

    Raises:
        SandboxError: the place cannot be written, or the disk is full.
    """
    try:
        with replacing(path, make_folder=make_folder) as part:
            yield part
    except OSError as error:
        raise SandboxError(f"cannot write {path}: {reason(error)}") from None


def write_whole(path: Path, content: str | bytes, *, make_folder: bool = False) -> None:
    """Write a text (UTF-8; of a name that is none its escape) or bytes, whole or not at all.

    Raises:
        SandboxError: the place cannot be written, or the disk is full.
    """
    with whole_file(path, make_folder=make_folder) as part:
        part.write_bytes(content.encode(errors="backslashreplace") if isinstance(content, str) else content)


@contextmanager
def reading(what: str, file: Path) -> Iterator[None]:
    """Say in a sentence that a file, or one below a folder, cannot be read: `cannot read the list a.txt: no such ...`.

    Args:
        what: what it is, such as "the list"; may be empty.
        file: named where the error does not say which file it is about.

    Raises:
        SandboxError: what is read in the block is not there, may not be read, or is no text in UTF-8.
    """
    kind = f"{what} " if what else ""
    try:
        yield
    except OSError as error:
        name = printable(str(error.filename or file))
        name = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}..."
        raise SandboxError(f"cannot read {kind}{name}: {reason(error)}") from None
    except ValueError as error:  # no UTF-8, or a null character in the name
        raise SandboxError(f"cannot read {kind}{file}: {reason(error)}") from None


def parse_json(text: str | bytes, *, finite: bool = True) -> Any:
    """The value of a JSON text, which other people may have written.

    Args:
        text: of any length; as bytes in UTF-8.
        finite: refuse numbers that are not finite, as JSON itself does; Python's own writer writes them.

    Raises:
        ValueError: no JSON, nested deeper than 50, a key twice in one object, or a number that no machine's number
            holds; says which, on one line.
    """

    def whole(digits: str) -> int:
        if len(digits) > _DIGITS:
            raise ValueError(f"a whole number of {len(digits):,} digits")
        return int(digits)

    def real(digits: str) -> float:
        number = float(digits)
        if finite and not math.isfinite(number):
            raise ValueError(f"a number that is not finite ({digits[:20]})")
        return number

    try:
        value = json.loads(text, parse_int=whole, parse_float=real, parse_constant=real, object_pairs_hook=_once)
    except RecursionError:
        raise ValueError(f"nested deeper than {_DEEPEST}") from None
    level = [value]
    for _ in range(_DEEPEST):
        level = [inner for one in level if isinstance(one, list | dict) for inner in _inside(one)]
        if not level:
            return value
    raise ValueError(f"nested deeper than {_DEEPEST}")


def read_json(file: Path, *, most: int = LARGEST_JSON) -> Any:
    """The value of a JSON file, as `parse_json` takes it.

    Args:
        file: the file.
        most: bytes; a longer file is refused and not read.

    Raises:
        FileNotFoundError: there is no such file, which is for the caller to explain.
        SandboxError: it cannot be read, is too long, or is none that `parse_json` takes.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(most + 1)
        if len(content) > most:
            raise ValueError(f"it is longer than {most:,} bytes")
        return parse_json(content)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise SandboxError(f"{file} cannot be read: {reason(error)}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)[:80]!r} stands twice")
    return found


def _inside(value: list[Any] | dict[str, Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value
