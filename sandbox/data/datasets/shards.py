"""Images packed into shards: tar archives as webdataset writes them, or Parquet files as Hugging Face's hub keeps them.

Where the names of the shards say so (train-000000.tar, val/00000.tar), they are parts of the split.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from sandbox.data.datasets.dataset import DataSet
from sandbox.data.formats.images.image_parquet import read_parquet
from sandbox.data.formats.images.table_rows import TableRows, held_pictures, table_rows
from sandbox.data.formats.images.tar_shards import read_shard
from sandbox.data.images.files import counts
from sandbox.data.images.form import Form
from sandbox.data.images.image_set import read_pictures
from sandbox.data.images.levels import level_notes
from sandbox.data.images.parts import COLUMN, part_named
from sandbox.data.images.picture import Picture
from sandbox.data.splits.listed import as_listed
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec
from sandbox.wording import first_names

_ENDINGS = (".tar", ".parquet")


def load(spec: DataSpec) -> Splits:
    """Read the shards of a folder and of those below it, or one shard.

    Raises:
        SandboxError: no shards or shards of both kinds, one that is damaged, some that are named as parts of a split
            and others that are not, or a split that cannot be.
    """
    root = Path(spec.root).expanduser()
    files = [root] if root.is_file() else _shards(root)
    base = root.parent if root.is_file() else root
    parts = _parts(base, files)
    pictures: list[Picture] = []
    whole: list[TableRows] = []
    for file, part in zip(files, parts, strict=True):
        table = read_parquet(file) if file.suffix.lower() == ".parquet" else read_shard(file)
        rows = table_rows(table)
        if part:
            rows.columns[COLUMN] = [part] * len(rows.labels)
        pictures += held_pictures(table, rows, f"{file.relative_to(base).as_posix()}/")
        whole.append(rows)
    labels = [label for rows in whole for label in rows.labels]
    names = dict.fromkeys(name for rows in whole for name in rows.columns)
    columns = {
        name: [text for rows in whole for text in rows.columns.get(name, [""] * len(rows.labels))] for name in names
    }
    order = sorted(range(len(labels)), key=lambda row: (labels[row], pictures[row].name))
    images, unread = read_pictures(
        [labels[row] for row in order],
        [pictures[row] for row in order],
        Form.of(spec),
        {name: [texts[row] for row in order] for name, texts in columns.items()},
    )
    said = dict.fromkeys(note for rows in whole for note in rows.notes)
    splits = as_listed(images, spec, root.name, notes=[*said, *unread])
    return replace(splits, notes=(*splits.notes, *level_notes([part.pixels for part in splits.image_sets().values()])))


def _shards(root: Path) -> list[Path]:
    found = sorted(file for file in root.rglob("*") if file.suffix.lower() in _ENDINGS and counts(file.name))
    if not found:
        inside = first_names(sorted(entry.name for entry in root.iterdir() if counts(entry.name))) or "nothing"
        raise SandboxError(f"{root} holds no shard ({' or '.join(_ENDINGS)}), but {inside}")
    kinds = {file.suffix.lower() for file in found}
    if len(kinds) > 1:
        raise SandboxError(f"{root} holds shards of two kinds, {' and '.join(sorted(kinds))}; give one as data.root")
    return found


def _parts(base: Path, files: list[Path]) -> list[str | None]:
    """The part of the split that the name of each shard says, or None for all.

    Raises:
        SandboxError: names of some shards say one, and those of others say none, or one says two.
    """
    parts: list[str | None] = []
    for file in files:
        path = file.relative_to(base).with_suffix("").as_posix()
        said = {part for word in re.split(r"[^A-Za-z]+", path) if (part := part_named(word))}
        if len(said) > 1:
            raise SandboxError(f"the name of {file} says {' and '.join(sorted(said))}, but a shard is of one part")
        parts.append(said.pop() if said else None)
    if any(parts) and not all(parts):
        with_part, without = files[parts.index(next(filter(None, parts)))], files[parts.index(None)]
        raise SandboxError(
            f"{with_part.name} is named as a part of a split, and {without.name} is not: name all shards so, or none"
        )
    return parts


DATA_SET = DataSet(
    name="shards",
    load=load,
    line="your own images in .tar shards as webdataset writes them, or in .parquet files as Hugging Face keeps them",
    citation="",
    source="folder",
    has_files=False,
    image_size=64,
    splits=("auto", "class", "sample", "given"),
    endings=_ENDINGS,
    or_folder=True,
)
