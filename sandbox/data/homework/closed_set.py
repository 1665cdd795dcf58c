"""The classification part of a homework: which images of whom are trained on, validated on and tested."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from sandbox.data.homework.layouts import Closed
from sandbox.data.homework.lists import read_labels
from sandbox.data.images.files import subfolders
from sandbox.data.images.form import Form
from sandbox.data.images.image_set import ImageSet, Row, read_rows, without_small
from sandbox.data.images.listing import Listing
from sandbox.data.names import joined_notes, same_name
from sandbox.errors import SandboxError
from sandbox.wording import counted, first_names

_ENOUGH = 4  # images of a class, for each of two halves to hold a pair
_HELD_OUT = 2


@dataclass(frozen=True)
class Reader:
    """Packs images, all at one size, and gathers what there is to say of them."""

    root: Path
    """What paths are relative to."""
    form: Form
    """What images are brought to."""
    notes: list[str] = field(default_factory=list)

    def read(self, rows: list[Row]) -> ImageSet:
        """The images of rows that can be read, in the order of the rows.

        Raises:
            SandboxError: none can.
        """
        images, notes = read_rows(self.root, rows, self.form)
        self.notes.extend(note for note in notes if note not in self.notes)
        return images

    def like(self, images: ImageSet) -> Reader:
        """A reader of as many channels as the images have; by itself each part would see to its own colours."""
        return replace(self, form=self.form.like(images.pixels))


def read_closed(closed: Closed, reader: Reader, least: int) -> tuple[ImageSet, ImageSet, ImageSet]:
    """Training, validation and test images; where test has no labels, another is made.

    Args:
        closed: where they lie.
        reader: reads them, and is told what was left out or moved.
        least: classes with fewer training images are left out.

    Raises:
        SandboxError: no images of somebody, or too few of all.
    """
    parts = [closed.train, closed.val, *([closed.test] if closed.test else [])]
    listing = Listing.below(reader.root, *parts, *(folder for part in parts for folder in subfolders(part)))
    train, val, test = (
        _rows(part, listing, reader.notes) if part else [] for part in (closed.train, closed.val, closed.test)
    )
    for part, rows in ((closed.train, train), (closed.val, val)):
        if not rows:
            raise SandboxError(f"{part} holds neither a folder of images for each person nor a labels.txt")
    if len(names := {name for name, _ in train}) < 2:
        raise SandboxError(
            f"{closed.train} holds images of '{names.pop()}' alone; a folder for each of two people or more is needed, "
            "or a labels.txt beside images/"
        )
    if not test_has_labels(closed):
        train, val, test, note = _another_test(train, val)
        reader.notes.append(note)
    reader.notes.extend(joined_notes(folder.name for part in parts for folder in subfolders(part)))
    reader.notes.extend(listing.notes("the folders of people"))
    trained, small = without_small(reader.read(train), least)
    reader.notes.extend(small)
    alike = reader.like(trained)
    return trained, alike.read(_of(trained, val, reader, "validation")), alike.read(_of(trained, test, reader, "test"))


def test_has_labels(closed: Closed) -> bool:
    """Whether the tree says who is on the test images, by a labels.txt or by folders called after people.

    The images of a test without labels may lie in a folder too, which then is called after nobody.
    """
    if closed.test is None or (closed.test / "labels.txt").is_file():
        return closed.test is not None
    trained = set(people(closed.train))
    return any(same_name(folder.name) in trained for folder in subfolders(closed.test))


def people(train: Path) -> list[str]:
    """The names of the classes to train on, sorted."""
    if (train / "labels.txt").is_file():
        return sorted({name for name, _ in read_labels(train / "labels.txt")})
    return sorted({same_name(folder.name) for folder in subfolders(train)})


def _rows(part: Path, listing: Listing, notes: list[str]) -> list[Row]:
    """Class and image by folders, or by a labels.txt, sorted; what is passed over is left with the listing."""
    if (part / "labels.txt").is_file():
        return sorted(read_labels(part / "labels.txt", notes))
    if subfolders(part):  # else they are images without labels, all of which lie beside folders
        listing.around(part)
    return sorted((same_name(folder.name), file) for folder in subfolders(part) for file in listing.images(folder))


def _another_test(train: list[Row], val: list[Row]) -> tuple[list[Row], list[Row], list[Row], str]:
    """A test out of validation, or, where it is too small to be halved, out of training."""
    of_val, of_train = _by_class(val), _by_class(train)
    large = [name for name, rows in of_val.items() if len(rows) >= _ENOUGH]
    if 2 * len(large) >= len(of_val):
        test = [row for name in large for row in of_val[name][1::2]]
        note = (
            "the test images have no labels; test is every second validation image of each of the "
            f"{counted(len(large), 'class', 'classes')} with {_ENOUGH} or more, and validation the others"
        )
        return train, _without(val, test), test, note
    large = [name for name, rows in of_train.items() if len(rows) >= _ENOUGH and name in of_val]
    if not large:
        raise SandboxError(
            "the test images have no labels, and no class has the four images, in validation or training, out of "
            "which a test could be made"
        )
    test = [row for name in large for row in of_train[name][-_HELD_OUT:]]
    note = (
        f"the test images have no labels; test is the last {_HELD_OUT} training images, by name, of each of "
        f"{counted(len(large), 'class', 'classes')}, which are not trained on"
    )
    return _without(train, test), val, test, note


def _by_class(rows: list[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[0], []).append(row)
    return groups


def _without(rows: list[Row], taken: list[Row]) -> list[Row]:
    gone = set(taken)
    return [row for row in rows if row not in gone]


def _of(trained: ImageSet, rows: list[Row], reader: Reader, what: str) -> list[Row]:
    """The rows of people who were trained on."""
    learnt = set(trained.classes)
    strange = sorted({name for name, _ in rows} - learnt)
    if strange:
        count = counted(len(strange), "class that is", "classes that are")
        reader.notes.append(f"{what} images of {count} not trained on left out: {first_names(strange)}")
    kept = [row for row in rows if row[0] in learnt]
    if not kept:
        raise SandboxError(f"none of the {len(rows):,} {what} images shows anybody of the training set")
    return kept
