"""Which folders of a root are parts of a set, such as train/ and test/, and which are classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.data.images.files import is_image, subfolders, visible
from sandbox.errors import SandboxError
from sandbox.wording import first_names

ROLES = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}
"""What the parts of a split are called, in small letters."""
WORDS = tuple(word for words in ROLES.values() for word in words)
COLUMN = "split"
"""The column of a set of images that says which part each is in: train, val, test, or empty."""
_TRAINED = (*ROLES["train"], "bounding_box_train")
_NAMES = frozenset(
    [name for names in ROLES.values() for name in names]
    + ["query", "gallery", "extra", "distractors", "bounding_box_train", "bounding_box_test"]
)


def part_named(word: str) -> str | None:
    """The part that a word of any case means: train, val or test; None where it is none."""
    return next((role for role, words in ROLES.items() if word.lower() in words), None)


@dataclass(frozen=True)
class Parts:
    """The folders of a root, told apart by their names and by what they hold.

    A folder that is called as a part is one where it holds class folders, or stands beside another that does. Alone
    among classes, with images of its own, it is a class.
    """

    root: Path
    whole: tuple[Path, ...] = ()
    """Parts with class folders in them; of train/train/ the inner one."""
    flat: tuple[Path, ...] = ()
    """Parts with images, but without class folders."""
    called_so: tuple[Path, ...] = ()
    """Classes that are called as a part is."""
    others: tuple[Path, ...] = ()
    """Folders with images that are not called as a part is; looked for only where another is."""

    @property
    def roles(self) -> dict[str, Path]:
        """train, val and test, as far as there are such parts with class folders.

        Raises:
            SandboxError: two parts have one role.
        """
        found: dict[str, Path] = {}
        for role, names in ROLES.items():
            for part in self.whole:
                if self._outer(part).name.lower() in names:
                    if role in found:
                        both = self.names([found[role], part])
                        raise SandboxError(f"{both} in {self.root} are both the {role} part, and one is meant")
                    found[role] = part
        return found

    @property
    def meant(self) -> Path:
        """The part whose folders are the classes that a person most likely means."""
        trained = [part for part in self.whole if self._outer(part).name.lower() in _TRAINED]
        return (trained or list(self.whole))[0]

    def names(self, folders: Sequence[Path]) -> str:
        """Folders below the root as a person writes them: `train/, test/`."""
        return first_names([self.name(folder) for folder in folders])

    def name(self, folder: Path) -> str:
        """A folder below the root: `train/`."""
        return f"{folder.relative_to(self.root).as_posix()}/"

    def refuse_unlabelled(self, flag: str) -> None:
        """Refuse folders that are called as parts are and hold images, where nothing says whose.

        Args:
            flag: what the folder that is meant is to be given as, such as `data.root`.

        Raises:
            SandboxError: there are such, beside class folders or alone; it names the folder that is meant.
        """
        if self.flat:
            raise SandboxError(
                f"{self.root} holds {self.name(self.meant)} with a folder for each class, but {self.names(self.flat)} "
                f"with images and no such folders: parts of a set, not classes; is {self.meant} the {flag} that is "
                "meant?"
            )
        if len(self.called_so) > 1 and not self.others:
            raise SandboxError(
                f"{self.root} holds {self.names(self.called_so)}, the parts of a set, with images but no folder for "
                "each class; give each class a folder of its own"
            )

    def notes(self) -> list[str]:
        """A sentence on classes that are called as a part is."""
        if not self.called_so:
            return []
        one = len(self.called_so) == 1
        return [
            f"{self.names(self.called_so)} {'is' if one else 'are'} taken for {'a class' if one else 'classes'}, for "
            f"{'it holds' if one else 'they hold'} images and no class folders"
        ]

    def _outer(self, part: Path) -> Path:
        return self.root / part.relative_to(self.root).parts[0]


def parts_of(root: Path) -> Parts:
    """Tell the folders of a root apart.

    Raises:
        OSError: a folder cannot be read.
    """
    folders = subfolders(root)
    named = {folder: _inner(folder) for folder in folders if folder.name.lower() in _NAMES}
    if not named:
        return Parts(root)
    others = tuple(folder for folder in folders if folder not in named and holds_images(folder))
    holding = {outer: inner for outer, inner in named.items() if _has_classes(inner)}
    pure = [outer for outer, inner in holding.items() if not _own_images(inner)]
    rest = tuple(outer for outer in named if outer not in holding and holds_images(outer))
    if pure or len(holding) > 1 or (holding and not others):
        whole = sorted(holding.items(), key=lambda part: (_place(part[0]), part[0].name))
        return Parts(root, whole=tuple(inner for _, inner in whole), flat=rest, others=others)
    return Parts(root, called_so=tuple(sorted((*holding, *rest))), others=others)


def _place(part: Path) -> int:
    """Training first, then validation and test, then the others."""
    roles = [place for place, names in enumerate(ROLES.values()) if part.name.lower() in names]
    return roles[0] if roles else len(ROLES)


def holds_images(folder: Path) -> bool:
    """Whether there is an image in a folder or below it."""
    waiting, seen = [folder], set()
    while waiting:
        here = waiting.pop()
        status = here.stat()
        if (identity := (status.st_dev, status.st_ino)) in seen:
            continue
        seen.add(identity)
        inner = []
        for entry in visible(here):
            if entry.is_dir():
                inner.append(entry)
            elif is_image(entry):
                return True
        waiting += inner
    return False


def _inner(folder: Path) -> Path:
    """The folder itself, or the one called as a part is that is alone in it, as archives unpack: test/test/."""
    for _ in range(3):
        inside = visible(folder)
        if len(inside) != 1 or inside[0].name.lower() not in _NAMES or not inside[0].is_dir():
            break
        folder = inside[0]
    return folder


def _has_classes(folder: Path) -> bool:
    return any(inner.name.lower() not in _NAMES for inner in subfolders(folder))


def _own_images(folder: Path) -> bool:
    return any(is_image(entry) for entry in visible(folder))
