"""`Picture`: an encoded image by name, whether it is a file of its own or lies in one that holds many."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.data.images.files import Encoded

_BOXED = re.compile(r"#[0-9]+(,[0-9]+){3}$")
Box = tuple[int, int, int, int]
"""Left, top, right and bottom edge in pixels of the upright image; the last two are just outside."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that is not decoded yet."""

    name: str
    """What it is called, such as its path below the root."""
    held: Path | Callable[[], bytes]
    """The file that it is, or what reads it out of one."""
    stamp: str
    """What changes where the image does: size, time and mode of the file, and its place in that."""
    box: Box | None = None
    """The part of it that is meant; None for the whole."""
    said: str = ""
    """Where the box stands, such as ``list.csv line 3``."""

    @classmethod
    def of(cls, file: Path, root: Path, box: Box | None = None, said: str = "") -> Picture:
        """A file of its own, called by its path below a root."""
        return cls(file.relative_to(root).as_posix(), file, stamp_of(file), box, said)

    def boxed(self) -> Picture:
        """The same, called after its box as well, where others are parts of the same file."""
        return replace(self, name=self.name + "#" + ",".join(map(str, self.box))) if self.box else self

    def content(self) -> Encoded:
        """The file, or the bytes that one would hold.

        Raises:
            OSError: what holds it cannot be read.
        """
        return self.held if isinstance(self.held, Path) else self.held()


def without_box(name: str) -> str:
    """The path in the name of a picture that is called after its box as well."""
    return _BOXED.sub("", name)


def stamp_of(file: Path) -> str:
    """Size, time and mode: the mode is in it so that an image whose permissions are mended is tried again.

    Raises:
        OSError: there is no such file.
    """
    status = file.stat()
    return f"{status.st_size} {status.st_mtime_ns} {status.st_mode}"


def read_span(file: Path, start: int, length: int) -> bytes:
    """So many bytes of a file.

    Raises:
        OSError: it cannot be read, or ends before that.
    """
    with file.open("rb") as stream:
        stream.seek(start)
        held = stream.read(length)
    if len(held) < length:
        raise OSError(0, "cut short", str(file))
    return held
