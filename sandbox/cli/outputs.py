"""Where a command writes: places that are checked before any work is done."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError
from sandbox.files import write_whole
from sandbox.wording import reason


def file_named(flag: str, given: str, ending: str, example: str = "") -> Path:
    """The file that a flag names.

    Raises:
        SandboxError: the name does not end so, or a folder has it.
    """
    place = Path(given)
    if place.suffix.lower() != ending or place.is_dir():
        such = f", such as {example}" if example else ""
        raise SandboxError(f"{flag} is '{given}', but names a file that ends in {ending}{such}")
    return place


def check_json(place: str) -> None:
    """Refuse a place for JSON that is neither a file of that ending, nor - for the terminal, nor empty.

    Raises:
        SandboxError: says what --json takes.
    """
    if place not in ("", "-") and (Path(place).suffix.lower() != ".json" or Path(place).is_dir()):
        raise SandboxError(f"--json is '{place}', but names a file that ends in .json, or is -")


def write_json(rows: Any, place: str) -> None:
    """Rows as JSON, to a file or, for -, to the terminal; nowhere where the place is empty."""
    text = json.dumps(rows, indent=1, allow_nan=False) + "\n"
    if place == "-":
        print(text, end="")
    elif place:
        write_whole(Path(place), text, make_folder=True)


def refuse_overwriting(outputs: Iterable[str], inputs: Iterable[str]) -> None:
    """Refuse to write over what is read.

    Raises:
        SandboxError: names the file.
    """
    read = {Path(word).resolve() for word in inputs if word}
    for place in outputs:
        if place and place != "-" and Path(place).resolve() in read:
            raise SandboxError(f"{place} is to be written and to be read; give another name")


def make_folders(folders: Iterable[str]) -> None:
    """Make the folders that results will go to: hours of work should not end at one that cannot be written.

    Raises:
        SandboxError: one cannot be made, or not be written into.
    """
    for folder in filter(None, folders):
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SandboxError(f"cannot write {error.filename}: {reason(error)}") from None
        if not os.access(folder, os.W_OK):
            raise SandboxError(f"cannot write into the folder {folder}")


def from_here(path: Path) -> str:
    """A path as one types it: relative to where one is, if it lies below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
