"""Images that a table lists: a CSV, a TSV or a Parquet file with the columns of open-metric-learning.

`label` and `path` are needed; a Parquet file may hold the images in place of their paths. `split` rules where it is
there. What else is known of an image, such as `camera` and `category`, goes with it (`ImageSet.columns`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.data.datasets.dataset import DataSet
from sandbox.data.formats.images.image_lists import located
from sandbox.data.formats.images.image_parquet import holds_images, read_parquet
from sandbox.data.formats.images.image_table import KNOWN, ImageTable, read_text_table
from sandbox.data.formats.images.table_rows import TableRows, held_pictures, table_rows
from sandbox.data.images.form import Form
from sandbox.data.images.image_set import read_pictures
from sandbox.data.images.levels import level_notes
from sandbox.data.images.picture import Picture
from sandbox.data.splits.listed import as_listed
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError, near
from sandbox.recipe.specs import DataSpec
from sandbox.wording import counted

_PARQUET = ".parquet"


@dataclass(frozen=True, kw_only=True)
class TableSpec(DataSpec):
    """Settings of a table of images: those of all, and where its images are."""

    images: str = ""
    """table only: the folder that its paths are relative to; the folder of the table where not given."""


def load(spec: TableSpec) -> Splits:
    """Read the table, and the images that it names or holds.

    Raises:
        SandboxError: columns that are absent, an image that is, a value that means nothing, one image with two labels
            or in two parts, a box outside its image, or a split that cannot be.
    """
    file = Path(spec.root).expanduser()
    table = read_parquet(file) if file.suffix.lower() == _PARQUET else read_text_table(file)
    rows = table_rows(table)
    notes = list(rows.notes)
    pictures = held_pictures(table, rows) if table.content else _named(table, rows, _base(spec), notes)
    once = _once(table, rows, pictures, notes)
    order = sorted(once, key=lambda row: (rows.labels[row], pictures[row].name))
    images, unread = read_pictures(
        [rows.labels[row] for row in order],
        [pictures[row] for row in order],
        Form.of(spec),
        {name: [texts[row] for row in order] for name, texts in rows.columns.items()},
    )
    splits = as_listed(images, spec, file.name, notes=[*notes, *unread])
    levels = level_notes([images.pixels for images in splits.image_sets().values()])
    return replace(splits, notes=(*splits.notes, *levels))


def images_folder(spec: TableSpec) -> Path | None:
    """The folder that the table's paths are relative to; None where it holds the images themselves."""
    file = Path(spec.root).expanduser()
    return None if file.suffix.lower() == _PARQUET and holds_images(file) else _base(spec)


def _base(spec: TableSpec) -> Path:
    if not spec.images:
        return Path(spec.root).expanduser().parent
    folder = Path(spec.images).expanduser()
    if not folder.is_dir():
        beside = [entry.name for entry in folder.parent.iterdir() if entry.is_dir()] if folder.parent.is_dir() else []
        raise SandboxError(f"no folder at data.images '{spec.images}'{near(folder.name, beside)}")
    return folder


def _named(table: ImageTable, rows: TableRows, base: Path, notes: list[str]) -> list[Picture]:
    """The files that the table names; one of which several boxes are named is called after them as well."""
    paths = [_below(text, base) for text in table.columns["path"]]
    for row, path in enumerate(paths):
        if not path:
            raise SandboxError(f"{table.where(row)} gives no path")
    try:
        files = located(table.file, base, zip(table.numbers, paths, strict=True), notes, table.unit)
    except SandboxError as error:
        raise SandboxError(f"{error} (paths are relative to the table's folder, or to data.images)") from None
    boxes: dict[str, set[object]] = {}
    for path, box in zip(paths, rows.boxes, strict=True):
        boxes.setdefault(path, set()).add(box)
    pictures = []
    for row, (path, box) in enumerate(zip(paths, rows.boxes, strict=True)):
        picture = Picture.of(files[path], base, box, table.where(row))
        pictures.append(picture.boxed() if len(boxes[path]) > 1 else picture)
    return pictures


def _below(path: str, base: Path) -> str:
    """A path relative to a folder, where it is an absolute one that leads there."""
    return Path(path).relative_to(base.absolute()).as_posix() if _leads_to(path, base) else path


def _leads_to(path: str, base: Path) -> bool:
    return Path(path).is_absolute() and Path(path).is_relative_to(base.absolute())


def _once(table: ImageTable, rows: TableRows, pictures: Sequence[Picture], notes: list[str]) -> list[int]:
    """The rows but for those that say of an image again what an earlier one says; columns of other names aside.

    Raises:
        SandboxError: two rows say different things of one image.
    """
    first: dict[object, int] = {}
    again: list[int] = []
    for row, picture in enumerate(pictures):
        before = first.setdefault((_identity(picture), picture.box), row)
        if before == row:
            continue
        again.append(row)
        for name, texts in {"label": rows.labels, **rows.columns}.items():
            if name in KNOWN and texts[row] != texts[before]:
                raise SandboxError(
                    f"{table.file} {table.unit}s {table.numbers[before]} and {table.numbers[row]} give one image, "
                    f"{picture.name}, two values of '{name}': {texts[before]!r} and {texts[row]!r}"
                )
    if again:
        many = counted(len(again), "row that names an image again is", "rows that name an image again are")
        notes.append(f"{many} passed over, the first {table.unit} {table.numbers[again[0]]}")
    return list(first.values())


def _identity(picture: Picture) -> object:
    """What stays the same under every name of a file."""
    if not isinstance(picture.held, Path):
        return picture.stamp
    status = picture.held.stat()
    return (status.st_dev, status.st_ino) if status.st_ino else picture.held.resolve()


DATA_SET = DataSet(
    name="table",
    load=load,
    line="images that a CSV, TSV or Parquet file lists or holds: label, path, and if you like split, box, camera ...",
    citation="",
    source="folder",
    has_files=True,
    image_size=64,
    splits=("auto", "class", "sample", "given"),
    settings=TableSpec,
    endings=(".csv", ".tsv", _PARQUET),
    folder=images_folder,
)
