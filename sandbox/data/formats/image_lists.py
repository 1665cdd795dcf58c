"""Text files that list images by their paths, and the images that they mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sandbox.data.images.files import ENDINGS, is_image
from sandbox.errors import SandboxError
from sandbox.wording import counted, reason


@dataclass(frozen=True)
class Line:
    """A line of a list of images, cut into words."""

    number: int
    """Counted from 1."""
    text: str
    """Without blanks around it."""
    words: tuple[str, ...]


def read_lines(file: Path, words: int, example: str, skip: int = 0) -> list[Line]:
    """Read lines of so many words, parted by commas in a .csv, whose first line is a header, else by blanks.

    Args:
        file: the list, in UTF-8.
        words: how many a line has.
        example: a line, for the error.
        skip: lines of a header.

    Raises:
        SandboxError: the file cannot be read or holds nothing, a line has more words or fewer, or a .csv starts with
            an image where its header is due.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SandboxError(f"cannot read the list {file}: {reason(error)}") from None
    is_csv = file.suffix == ".csv"
    lines = []
    for number, row in enumerate(text.split("\n"), start=1):
        row = row.strip()
        parts = [word.strip().strip('"') for word in row.split(",")] if is_csv else row.split()
        if is_csv and number == 1 and any(word.lower().endswith(ENDINGS) for word in parts):
            raise SandboxError(f"{file} line 1 must name the columns, not images: '{row[:80]}'")
        if not row or number <= max(skip, is_csv):
            continue
        if len(parts) != words or not all(parts):
            raise SandboxError(f"{file} line {number} must read like '{example}', not '{row[:80]}'")
        lines.append(Line(number, row, tuple(parts)))
    if not lines:
        raise SandboxError(f"{file} holds no lines; they read like '{example}'")
    return lines


def located(file: Path, base: Path, named: Iterable[tuple[int, str]]) -> dict[str, Path]:
    """The image that each name of a list means, which is a path relative to a folder.

    Args:
        file: the list.
        base: the folder.
        named: line and name.

    Raises:
        SandboxError: images are not there; they are counted, and the first named with their lines.
    """
    found: dict[str, Path] = {}
    absent: dict[str, int] = {}
    for number, name in named:
        if name in found or name in absent:
            continue
        path = PurePosixPath(name.replace("\\", "/"))
        # A list names what lies in its folder, and nothing elsewhere on the machine.
        if path.is_absolute() or ".." in path.parts or not is_image(base / path):
            absent[name] = number
        else:
            found[name] = base / path
    if absent:
        raise absent_images(file, absent, f"in {base}")
    return found


def absent_images(file: Path, absent: dict[str, int], what: str) -> SandboxError:
    """The error for images that a list names and that are not there, or not readable, by name and line."""
    count = counted(len(absent), "image that is", "images that are")
    first = ", ".join(f"{name} (line {number})" for name, number in list(absent.items())[:3])
    return SandboxError(f"{file} names {count} not {what}: {first}{' ...' if len(absent) > 3 else ''}")
