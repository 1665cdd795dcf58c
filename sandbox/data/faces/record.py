"""What stands in a tree of aligned faces beside the faces: its settings, and what became of each photograph."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields, replace
from pathlib import Path
from typing import IO, Any, Literal

import tomli_w

from sandbox.data.images.files import visible
from sandbox.errors import SandboxError
from sandbox.files import write_whole
from sandbox.wording import counted

LISTING = "aligned.csv"
SETTINGS = "aligned.toml"

MIDDLE = "no face, its middle taken"
_UNREADABLE = "left out, cannot be read"


@dataclass(frozen=True)
class Settings:
    """What decides the pixels of an aligned tree."""

    source: str
    """The folder of the photographs, absolute."""
    size: int
    """Side of an aligned face, pixels."""
    min_face: int
    """As of `sandbox.data.faces.detect.Detector`."""
    without_face: Literal["leave", "middle"] = "leave"
    """Whether a photograph without a face is left out, or its middle taken."""
    method: str = "largest face near the middle (MTCNN, facenet-pytorch 2.6.0), on ArcFace's template"


@dataclass(frozen=True)
class Row:
    """What became of one photograph: a line of `aligned.csv`."""

    path: str
    """Relative to the folder of photographs, with forward slashes."""
    aligned: str
    """Relative to the aligned tree; empty where nothing was written."""
    faces: int
    """How many were found."""
    confidence: str
    """Of the face that was taken, 0 to 1 with four digits; empty without one."""
    done: str
    """In words."""
    photograph: str = ""
    """Bytes and time (nanoseconds) of the photograph that this is of."""

    @classmethod
    def unreadable(cls, path: str, reason: str) -> Row:
        """The row of a file that is no image, or a damaged one."""
        return cls(path, "", 0, "", f"{_UNREADABLE}: {reason}")

    @property
    def is_unreadable(self) -> bool:
        """Whether the photograph could not be read."""
        return self.done.startswith(_UNREADABLE)


@dataclass(frozen=True)
class Outcome:
    """What became of each photograph of a tree, and how many were done before."""

    rows: Sequence[Row]
    """One for each photograph, sorted by path."""
    kept: int = 0
    """Photographs that an earlier run had done."""
    gone: int = 0
    """Aligned faces of an earlier run whose photographs are no longer there."""
    notes: Sequence[str] = ()
    """Sentences on what was passed over, and on how deep files were scaled."""

    def lines(self) -> list[str]:
        """The counts in words, without those that are nothing."""
        done = [row for row in self.rows if row.aligned and row.done != MIDDLE]
        middles = sum(row.done == MIDDLE for row in self.rows)
        unreadable = sum(row.is_unreadable for row in self.rows)
        without = len(self.rows) - len(done) - middles - unreadable
        several = sum(row.faces > 1 for row in done)
        lines = [f"{len(done):,} of {counted(len(self.rows), 'photograph', 'photographs')} aligned"]
        lines[0] += f", {self.kept:,} were done by an earlier run" if self.kept else ""
        lines += [f"{without:,} without a face, left out"] if without else []
        lines += [f"{middles:,} without a face, the middle taken"] if middles else []
        lines += [f"{unreadable:,} that cannot be read, left out"] if unreadable else []
        lines += [f"{several:,} with several, the largest near the middle taken"] if several else []
        lines += [f"{self.gone:,} faces of an earlier run whose photographs are gone, left there"] if self.gone else []
        lines += [f"note: {note}" for note in self.notes]
        return lines


def earlier_rows(folder: Path, settings: Settings) -> list[Row]:
    """What an earlier run with the same settings wrote of its photographs; nothing where the folder is empty.

    Raises:
        SandboxError: the folder holds something else, or what other settings gave.
    """
    try:
        if not folder.exists() or not visible(folder):
            return []
        with _opened(folder / SETTINGS) as file:
            found = tomllib.loads(file.read())
    except (OSError, ValueError):  # damaged TOML is a ValueError
        raise SandboxError(f"'{folder}' holds what no earlier run of this wrote; name a new or empty folder") from None
    for name, value in asdict(settings).items():
        if found.get(name) != value:
            raise SandboxError(
                f"'{folder}' was written with {name} {found.get(name)}, not {value}; give the same, or a new folder"
            )
    return _read_rows(folder / LISTING)


def still_true(
    earlier: Sequence[Row], files: Mapping[str, Path], names: Mapping[str, str], folder: Path
) -> tuple[list[Row], list[Row]]:
    """Rows of photographs that need not be done again, and rows of aligned faces whose photographs are gone.

    What could not be read, is of another size or time than it was, or lost its aligned face is done again.

    Args:
        earlier: rows of the earlier run.
        files: the photographs by their relative paths.
        names: the aligned face's relative path for each.
        folder: the aligned tree.
    """
    targets = set(names.values())
    kept, gone = {}, {}
    for row in earlier:
        there = bool(row.aligned) and (folder / row.aligned).is_file()
        if row.path not in files:
            if there and row.aligned not in targets:
                gone[row.path] = replace(row, done="left there, its photograph is gone")
        elif not row.is_unreadable and row.photograph == stamp(files[row.path]):
            if not row.aligned or (there and row.aligned == names[row.path]):
                kept[row.path] = row
    return list(kept.values()), list(gone.values())


def write_settings(folder: Path, settings: Settings) -> None:
    """Write `aligned.toml`."""
    _write_text(folder / SETTINGS, tomli_w.dumps(asdict(settings)))


def write_rows(folder: Path, rows: Sequence[Row]) -> None:
    """Write `aligned.csv` anew."""
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(field.name for field in fields(Row))
    lines.writerows(map(astuple, sorted(rows, key=lambda row: row.path)))
    _write_text(folder / LISTING, text.getvalue())


def append_rows(folder: Path, rows: Sequence[Row]) -> None:
    """Add rows at the end of `aligned.csv`; the last may be lost or cut off where the machine stops."""
    with _opened(folder / LISTING, "a") as file:
        csv.writer(file, lineterminator="\n").writerows(map(astuple, rows))


def _read_rows(file: Path) -> list[Row]:
    try:
        with _opened(file) as opened:
            text = opened.read()
        lines = list(csv.reader(io.StringIO(text[: text.rfind("\n") + 1], newline="")))
    except (OSError, csv.Error):
        return []
    # A line that was cut off has fewer columns, and is done again.
    whole = [line for line in lines[1:] if len(line) == len(fields(Row)) and line[2].isdecimal()]
    return [Row(line[0], line[1], int(line[2]), *line[3:]) for line in whole]


def stamp(file: Path) -> str:
    """What changes when a photograph is replaced."""
    found = file.stat()
    return f"{found.st_size} {found.st_mtime_ns}"


def _write_text(file: Path, text: str) -> None:
    write_whole(file, text.encode("utf-8", "surrogateescape"))


def _opened(file: Path, mode: str = "r") -> IO[Any]:
    # File names that are no UTF-8 go in and come out as the bytes that they are.
    return open(file, mode, encoding="utf-8", errors="surrogateescape", newline="")
