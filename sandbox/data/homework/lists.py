"""The lists of a homework: pairs with and without answers, who is on which image, labels of images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sandbox.data.formats.images.image_lists import located, read_lines
from sandbox.data.formats.pairs.pair_lists import read_pair_file
from sandbox.data.homework.layouts import Known
from sandbox.data.images.files import is_image, subfolders, visible
from sandbox.data.names import joined_notes, same_name
from sandbox.errors import SandboxError, near

STRANGER = "n000000"
"""What a list calls a person who is not among the known."""


@dataclass(frozen=True)
class Pair:
    """A line of a list of pairs: two images and, where it is answered, whether they are same."""

    left: str
    """As the list names it."""
    right: str
    number: int
    """Line in the list, counted from 1."""
    text: str = ""
    """The line."""
    same: bool = False
    """False as well where the list does not say."""


def read_answered(file: Path, notes: list[str]) -> list[Pair]:
    """Read pairs with answers; `notes` gets what there is to say of how the list was read.

    Raises:
        SandboxError: as `read_lines`, or an answer that is neither 0 nor 1.
    """
    if file.suffix != ".csv":
        listed = read_pair_file(file)
        notes.extend(listed.notes)
        columns = zip(listed.left, listed.right, listed.line.tolist(), listed.same.tolist(), strict=True)
        return [Pair(left, right, number, same=same) for left, right, number, same in columns]
    lines = read_lines(file, 3, "dev/a.jpg,dev/b.jpg,1")
    for line in lines:
        if line.words[2] not in ("0", "1"):
            raise SandboxError(f"{file} line {line.number} must end in 1 for a same pair or 0, not '{line.words[2]}'")
    return [Pair(line.words[0], line.words[1], line.number, line.text, line.words[2] == "1") for line in lines]


def read_unanswered(file: Path) -> list[Pair]:
    """Read pairs without answers.

    Raises:
        SandboxError: as `read_lines`.
    """
    example = "test/a.jpg,test/b.jpg" if file.suffix == ".csv" else "a.jpg b.jpg"
    return [Pair(line.words[0], line.words[1], line.number, line.text) for line in read_lines(file, 2, example)]


def read_labels(file: Path, notes: list[str] | None = None) -> list[tuple[str, Path]]:
    """Class and image of each line of a labels.txt, whose images lie in images/ beside it, or beside it.

    `notes`, if given, gets sentences on names that are spelt in several ways, or in another way than the files.

    Raises:
        SandboxError: as `read_lines` and `located`, or an image that stands in two lines.
    """
    lines = read_lines(file, 2, "a.jpg 17")
    first: dict[str, int] = {}
    for line in lines:
        if first.setdefault(line.words[0], line.number) != line.number:
            raise SandboxError(f"{file} names {line.words[0]} in line {first[line.words[0]]} and in line {line.number}")
    base = file.parent / "images" if (file.parent / "images").is_dir() else file.parent
    images = located(file, base, ((line.number, line.words[0]) for line in lines), notes)
    if notes is not None:
        notes.extend(joined_notes(line.words[1] for line in lines))
    return [(same_name(line.words[1]), images[line.words[0]]) for line in lines]


def images_of(folder: Path) -> list[Path]:
    """The images in a folder, none below it, sorted by name."""
    return sorted(entry for entry in visible(folder) if is_image(entry))


def known_images(tree: Known) -> list[tuple[str, Path]]:
    """Name and image of everybody who is known, sorted.

    Raises:
        SandboxError: there is nobody.
    """
    rows = sorted((same_name(person.name), file) for person in subfolders(tree.known) for file in images_of(person))
    if not rows:
        raise SandboxError(f"{tree.known} must hold a folder with images for each person known, but holds none")
    return rows


def read_names(tree: Known, answers: Path) -> list[tuple[str, Path]]:
    """Who is on each image of unknown_dev/: a known name, or `STRANGER`.

    The column ``label`` holds names. A row means the image that another of its columns names; where none does, the
    rows are in the order of the images' names.

    Raises:
        SandboxError: no such column, a name that is not known, or not one row for each image.
    """
    images = images_of(tree.dev)
    try:
        rows = [line.split(",") for line in answers.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise SandboxError(f"cannot read {answers}: {error}") from None
    header = [name.strip().lower() for name in rows[0]] if rows else []
    if "label" not in header:
        raise SandboxError(f"{answers} line 1 must name a column 'label', not '{','.join(header)}'")
    columns = [[field.strip() for field in column] for column in zip(*rows[1:], strict=False)]
    short = next((place for place, row in enumerate(rows) if len(row) != len(header)), None)
    if short is not None:
        raise SandboxError(f"{answers} line {short + 1} has {len(rows[short])} columns, but the header {len(header)}")
    if len(rows) - 1 != len(images):
        raise SandboxError(f"{answers} has {len(rows) - 1:,} rows for the {len(images):,} images in {tree.dev}")
    names = [same_name(name) for name in columns[header.index("label")]] if columns else []
    people = {name for name, _ in known_images(tree)}
    for number, name in enumerate(names, start=2):
        if name != STRANGER and name not in people:
            raise SandboxError(
                f"{answers} line {number} names '{name}', who is not in {tree.known}{near(name, people)}; "
                f"a stranger is {STRANGER}"
            )
    by_file = {same_name(image.name): image for image in images}
    for column in columns:
        files = [same_name(PurePosixPath(field).name) for field in column]
        if len(set(files)) == len(images) and set(files) == set(by_file):
            images = [by_file[name] for name in files]
    return list(zip(names, images, strict=True))
