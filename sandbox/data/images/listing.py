"""Which image files lie under a folder, each once, and what was passed over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.data.images.files import ENDINGS, counts, entries, is_image, is_set_aside, why_no_image
from sandbox.wording import counted, first_names

Identity = tuple[int, int | str]
"""What stays the same under every name of a file: device, and number or resolved path."""

_NAMED = 3
_SAY_NOTHING = ("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r")
"""Beside images on many disks, in small letters."""
_LISTS = (".txt", ".csv", ".tsv", ".md", ".json", ".toml", ".mat")
"""Endings of what lies at the root of many sets beside its images: lists, labels and a readme."""
_HIDDEN_TOOLS = (".git", ".hg", ".svn", ".dvc", ".github", ".vscode", ".idea", ".cache", ".venv")
"""Hidden folders of tools, in which nobody keeps images."""


@dataclass
class PassedOver:
    """What lies among the images and is not read, by its path."""

    no_images: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    """Images beside the folders in which images are read."""

    def sentences(self, folders: str) -> list[str]:
        """A sentence for each kind that was met, which counts and names the first; `folders` are what images lie in."""
        kinds = (
            (self.no_images, "file that is no image", "files that are no images", "passed over"),
            (self.set_aside, "entry", "entries", "whose name starts with @ or __MACOSX passed over"),
            (self.hidden, "hidden image or folder", "hidden images or folders", "passed over"),
            (self.beside, "image lies", "images lie", f"beside {folders} and left out"),
        )
        return [
            f"{counted(len(names), one, many)} {what}: {first_names(sorted(names), _NAMED)}"
            for names, one, many, what in kinds
            if names
        ]


@dataclass
class Listing:
    """Walks folders and remembers what it has seen.

    Links are followed, but whatever two names lead to is listed under one of them: a loop ends, and one file cannot
    come to stand in two classes or two splits. What is hidden or set aside is not walked.
    """

    root: Path | None = None
    """What the names of what is passed over are relative to."""
    reserved: frozenset[Identity] = frozenset()
    """Folders that are walked only when asked for by name, never through a link inside another."""
    seen: set[Identity] = field(default_factory=set)
    repeated: int = 0
    """Files met again under a second name."""
    passed: PassedOver = field(default_factory=PassedOver)

    @classmethod
    def below(cls, root: Path, *folders: Path) -> Listing:
        """A listing for folders under `root`: a link in one to another, to the root or above it leads nowhere."""
        top = root.resolve()
        return cls(root, reserved=frozenset(map(_identity, (top, *top.parents, *folders))))

    def images(self, folder: Path) -> list[Path]:
        """The image files in `folder` and below that were not listed before, sorted by path."""
        return [] if self._met(folder) else sorted(self._inside(folder))

    def around(self, folder: Path) -> None:
        """Note what is passed over directly in a folder of whose folders alone images are read.

        Other files there, such as lists and a readme, are nothing to speak of.
        """
        for entry in entries(folder):
            if not counts(entry.name):
                self._uncounted(entry)
            elif not entry.is_dir() and is_image(entry):
                self.passed.beside.append(self._name(entry))

    def notes(self, folders: str = "the folders with images") -> list[str]:
        """Sentences on what was met twice or passed over, counted and the first named."""
        return self.twice() + self.passed.sentences(folders)

    def twice(self) -> list[str]:
        """A sentence on files that were met under two names."""
        many = counted(self.repeated, "file is", "files are")
        return [f"{many} met under a second name and counted once"] if self.repeated else []

    def _inside(self, folder: Path) -> Iterator[Path]:
        waiting = [folder]  # no recursion: folders may lie deeper than Python's stack
        while waiting:
            here = waiting.pop()
            if here is not folder and (_identity(here) in self.reserved or self._met(here)):
                continue
            inner = []
            for entry in entries(here):
                if not counts(entry.name):
                    self._uncounted(entry)
                elif entry.is_dir():
                    inner.append(entry)
                else:
                    yield from self._image(entry)
            waiting += reversed(inner)

    def _image(self, entry: Path) -> Iterator[Path]:
        why = why_no_image(entry)
        if why is not None:
            listed = entry.parent == self.root and entry.suffix.lower() in _LISTS
            if not listed and entry.name.lower() not in _SAY_NOTHING:
                self.passed.no_images.append(self._name(entry) + (f" ({why})" if why else ""))
        elif self._met(entry):
            self.repeated += 1
        else:
            yield entry

    def _uncounted(self, entry: Path) -> None:
        """An entry that is hidden or set aside; of hidden ones those speak that may hold images."""
        if is_set_aside(entry.name):
            self.passed.set_aside.append(self._name(entry))
        elif entry.suffix.lower() in ENDINGS or (entry.is_dir() and entry.name not in _HIDDEN_TOOLS):
            self.passed.hidden.append(self._name(entry))

    def _name(self, entry: Path) -> str:
        return str(entry) if self.root is None else entry.relative_to(self.root).as_posix()

    def _met(self, path: Path) -> bool:
        identity = _identity(path)
        met = identity in self.seen
        self.seen.add(identity)
        return met


def _identity(path: Path) -> Identity:
    status = path.stat()
    # Some file systems number nothing; there, what a path resolves to stands in.
    return (status.st_dev, status.st_ino or os.path.realpath(path))
