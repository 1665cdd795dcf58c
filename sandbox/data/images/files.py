"""Which image files lie under a folder, each once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".pgm", ".ppm", ".webp", ".tif", ".tiff", ".gif")


Identity = tuple[int, int | str]
"""What stays the same under every name of a file: device, and number or resolved path."""


@dataclass
class Listing:
    """Walks folders and remembers what it has seen.

    Links are followed, but whatever two names lead to is listed under one of them: a loop ends, and one file cannot
    come to stand in two classes or two splits.
    """

    reserved: frozenset[Identity] = frozenset()
    """Folders that are walked only when asked for by name, never through a link inside another."""
    seen: set[Identity] = field(default_factory=set)
    repeated: int = 0
    """Files met again under a second name."""

    @classmethod
    def below(cls, root: Path, *folders: Path) -> Listing:
        """A listing for folders under `root`: a link in one to another, to the root or above it leads nowhere."""
        top = root.resolve()
        return cls(reserved=frozenset(map(_identity, (top, *top.parents, *folders))))

    def images(self, folder: Path) -> list[Path]:
        """The image files in `folder` and below that were not listed before, sorted by path."""
        return [] if self._met(folder) else sorted(self._inside(folder))

    def _inside(self, folder: Path) -> Iterator[Path]:
        inner = []
        for entry in visible(folder):
            if entry.is_dir():
                inner.append(entry)
            elif is_image(entry):
                if self._met(entry):
                    self.repeated += 1
                else:
                    yield entry
        for entry in inner:
            if _identity(entry) not in self.reserved and not self._met(entry):
                yield from self._inside(entry)

    def _met(self, path: Path) -> bool:
        identity = _identity(path)
        met = identity in self.seen
        self.seen.add(identity)
        return met


def _identity(path: Path) -> Identity:
    status = path.stat()
    # Some file systems number nothing; there, what a path resolves to stands in.
    return (status.st_dev, status.st_ino or os.path.realpath(path))


def visible(folder: Path) -> list[Path]:
    """What is in a folder but for hidden entries, links last, each group sorted by name."""
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    return sorted(entries, key=lambda entry: (entry.is_symlink(), entry.name))


def subfolders(folder: Path) -> list[Path]:
    """The visible folders in a folder, links last, each group sorted by name."""
    return [entry for entry in visible(folder) if entry.is_dir()]


def is_image(path: Path) -> bool:
    """Whether a path is a file (a broken link is not) whose ending, in any case, is an image's."""
    return path.suffix.lower() in ENDINGS and path.is_file()


def base_of(root: Path, name: str) -> Path | None:
    """The folder that holds a file or folder of that name: the root, or the first up to two levels below it."""
    for depth in ("", "*/", "*/*/"):
        found = sorted(root.glob(depth + name))
        if found:
            return found[0].parent
    return None
