"""Text files that list images by their paths, and the images that they mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sandbox.data.formats.list_text import words_of
from sandbox.data.images.files import ENDINGS, is_image
from sandbox.data.names import met_note, same_name
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
    """Read lines of so many words, parted by commas in a .csv, whose first line is a header, else by tabs or blanks.

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
        parts = [word.strip().strip('"') for word in row.split(",")] if is_csv else words_of(row, (words,))
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


def located(
    file: Path, base: Path, named: Iterable[tuple[int, str]], notes: list[str] | None = None, unit: str = "line"
) -> dict[str, Path]:
    """The image that each name of a list means, which is a path relative to a folder.

    Where no file is called so, one in another spelling of the same name is taken (see `same_name`).

    Args:
        file: the list.
        base: the folder.
        named: line and name.
        notes: gets a sentence on names that are spelt in another way than the files.
        unit: what its lines are called.

    Raises:
        SandboxError: images are not there; they are counted, and the first named with their lines.
    """
    found: dict[str, Path] = {}
    absent: dict[str, int] = {}
    spelt: list[tuple[str, str]] = []
    folders = _Spellings()
    for number, name in named:
        if name in found or name in absent:
            continue
        path = PurePosixPath(name.replace("\\", "/"))
        # A list names what lies in its folder, and nothing elsewhere on the machine.
        if path.is_absolute() or ".." in path.parts:
            absent[name] = number
        elif is_image(base / path):
            found[name] = base / path
        elif (other := folders.find(base, path)) is not None and is_image(other):
            found[name] = other
            spelt.append((name, other.relative_to(base).as_posix()))
        else:
            absent[name] = number
    if absent:
        raise absent_images(file, absent, f"in {base}", unit)
    if spelt and notes is not None:
        notes.append(met_note(spelt, f"the files in {base}"))
    return found


class _Spellings:
    """What lies in folders, by name in any spelling; each folder is read once."""

    def __init__(self) -> None:
        self.entries: dict[Path, dict[str, list[Path]]] = {}

    def find(self, base: Path, path: PurePosixPath) -> Path | None:
        """The one file or folder below `base` whose path is the same but for spelling; None where none or two are."""
        at = base
        for part in path.parts:
            inside = self._inside(at).get(same_name(part), [])
            exact = [entry for entry in inside if entry.name == part]
            if len(exact or inside) != 1:
                return None
            at = (exact or inside)[0]
        return at

    def _inside(self, folder: Path) -> dict[str, list[Path]]:
        if folder not in self.entries:
            found: dict[str, list[Path]] = {}
            for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
                found.setdefault(same_name(entry.name), []).append(entry)
            self.entries[folder] = found
        return self.entries[folder]


def absent_images(file: Path, absent: dict[str, int], what: str, unit: str = "line") -> SandboxError:
    """The error for images that a list names and that are not there, or not readable, by name and line."""
    count = counted(len(absent), "image that is", "images that are")
    first = ", ".join(f"{name} ({unit} {number})" for name, number in list(absent.items())[:3])
    return SandboxError(f"{file} names {count} not {what}: {first}{' ...' if len(absent) > 3 else ''}")
