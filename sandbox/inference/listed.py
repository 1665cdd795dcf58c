"""The image files that a person points at: a folder, with classes in it or flat, or a list of paths."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sandbox.data.images.listing import Listing
from sandbox.errors import SandboxError
from sandbox.files import reading
from sandbox.wording import reason, shown


@dataclass(frozen=True)
class Listed:
    """Image files, and what each is called."""

    files: tuple[Path, ...]
    paths: tuple[str, ...]
    """Relative to the folder or as the list has them, with forward slashes."""
    labels: tuple[str, ...] | None
    """The folder directly below the root that each lies in; None of a list, or where one lies in no folder."""


def listed(place: Path) -> Listed:
    """The images of a folder, or those that a text names, one path a line, relative to where the text lies.

    Raises:
        SandboxError: there is none, or a path of the list leads nowhere (its line is named).
    """
    return _of_folder(place) if os.path.isdir(place) else _of_list(place)


def _of_folder(place: Path) -> Listed:
    try:
        files = Listing().images(place)
    except OSError as error:
        raise SandboxError(f"cannot read {error.filename or place}: {reason(error)}") from None
    if not files:
        raise SandboxError(f"no image lies in {place} or below it")
    inner = [file.relative_to(place) for file in files]
    labels = tuple(path.parts[0] for path in inner) if all(len(path.parts) > 1 for path in inner) else None
    return Listed(tuple(files), tuple(path.as_posix() for path in inner), labels)


def _of_list(place: Path) -> Listed:
    with reading("the list", place):
        lines = place.read_text(encoding="utf-8-sig").splitlines()
    rows = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    if not rows:
        raise SandboxError(f"{place} names no image; it has one path a line")
    files = [place.parent / text for _, text in rows]
    for (number, text), file in zip(rows, files, strict=True):
        if not os.path.isfile(file):
            raise SandboxError(f"line {number} of {place} names {shown(text)}, and there is no file {shown(str(file))}")
    return Listed(tuple(files), tuple(text.replace("\\", "/") for _, text in rows), None)
