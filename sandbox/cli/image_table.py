"""`data.py table`: a data set as a list that names its images."""

from __future__ import annotations

from dataclasses import replace

from sandbox.cli.outputs import file_named, refuse_overwriting
from sandbox.data.catalog import data_sets, load, root_of
from sandbox.data.formats.images.table_text import table_text
from sandbox.errors import SandboxError, unknown
from sandbox.files import write_whole
from sandbox.recipe.specs import DataSpec

USAGE = "table takes a folder and the list to write, ROOT OUT.csv, or --data flags and OUT.csv"


def write_table(spec: DataSpec, words: tuple[str, str]) -> list[str]:
    """Write the list of a data set whose images are files; sentences on what was left out and on how it is read.

    Args:
        spec: the data set.
        words: `data.root` and the file to write, or the file and nothing.

    Raises:
        SandboxError: no file to write, a root given twice, images that are no files, or data that cannot be read.
    """
    root, place = words if words[1] else ("", words[0])
    if not place:
        raise SandboxError(USAGE)
    if root and spec.root:
        raise SandboxError(f"the data lies in '{root}' and in --data.root '{spec.root}', and one is meant; {USAGE}")
    out = file_named("OUT", place, ".csv")
    if root:
        spec = replace(spec, root=root, name="folder" if spec.name == DataSpec.name else spec.name)
    if spec.name not in data_sets():
        raise unknown("data set", spec.name, data_sets(), "--list data tells what each holds")
    refuse_overwriting([str(out)], [spec.root])
    base = root_of(spec) if data_sets()[spec.name].has_files else None
    if base is None:
        raise SandboxError(f"the images of '{spec.name}' are no files of their own, so that no list can name them")
    splits = load(replace(spec, rotations=1))  # turned copies are no files
    parts = splits.image_sets()
    write_whole(out, table_text({"test": splits.test, **parts}))
    apart = [name for name in parts if name not in ("train", "val", "test")]
    notes = [f"note: {note}" for note in splits.notes]
    notes += [f"note: not in the list, which has parts of a split alone: {', '.join(apart)}"] if apart else []
    count = len(splits.train) + len(splits.val) + len(splits.test)
    below = "" if base.resolve() == out.resolve().parent else f" --data.images {base}"
    return [*notes, f"{out}: {count:,} images; read by --data.name table --data.root {out}{below}"]
