"""Embeddings of any modality: rows of numbers in a file, on which a head is trained and judged as a network is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sandbox.data.datasets.dataset import DataSet
from sandbox.data.formats.rows.rows_npy import RowsFile, read_rows_npy
from sandbox.data.formats.rows.rows_npz import read_rows_npz
from sandbox.data.formats.rows.rows_parquet import read_rows_parquet
from sandbox.data.images.image_set import ImageSet, without_small
from sandbox.data.images.parts import ROLES
from sandbox.data.images.rows import Rows
from sandbox.data.names import joined_notes
from sandbox.data.splits.draw import class_disjoint, sample_disjoint
from sandbox.data.splits.remarks import also_trained_on
from sandbox.data.splits.splits import Splits, given, refuse_lone_images
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec
from sandbox.wording import shown

ENDINGS = (".npz", ".npy", ".parquet")


@dataclass(frozen=True, kw_only=True)
class EmbeddingsSpec(DataSpec):
    """Settings of embeddings: those of all, and where the labels of an npy lie."""

    labels: str = ""
    """embeddings only: the labels of an .npy, as an .npy of (N,) or a text with one a line; without it NAME_labels.npy,
    labels.npy or the same as .txt beside it."""


def load(spec: EmbeddingsSpec) -> Splits:
    """Read rows with their classes, split by class, by sample, or as the file's own `split` says.

    Raises:
        SandboxError: a setting of images is given, or the file cannot be read or does not fit together.
    """
    _refuse_settings(spec)
    held = read_rows(spec)
    paths = held.paths
    if paths is None or len(set(paths)) < len(paths):
        paths = tuple(f"row {row}" for row in range(len(held.labels)))
    images = ImageSet(Rows(held.rows), held.labels, held.classes, paths)  # type: ignore[arg-type]
    notes = [*held.notes, *joined_notes(held.spellings)]
    if spec.split == "given" or (spec.split == "auto" and held.split is not None):
        return _as_given(images, held, spec, notes)
    if held.split is not None:
        notes.append(f"its own split is left aside: data.split is {spec.split}")
    images, small = without_small(images, spec.min_images)
    part = sample_disjoint if spec.split == "sample" else class_disjoint
    return part(images, spec.validation, spec.test, spec.split_seed, notes=[*notes, *small])


def read_rows(spec: EmbeddingsSpec) -> RowsFile:
    """The rows of a file with their classes.

    Raises:
        SandboxError: it is of no kind that is read, absent or damaged, or does not fit together.
    """
    file, ending = Path(spec.root).expanduser(), Path(spec.root).suffix.lower()
    if ending not in ENDINGS or not file.is_file():
        raise SandboxError(f"{file} is no file of rows: {', '.join(ENDINGS)} are read")
    if spec.labels and ending != ".npy":
        raise SandboxError(f"data.labels is '{spec.labels}', but a file that ends in {ending} holds its labels itself")
    if ending == ".npy":
        return read_rows_npy(file, Path(spec.labels).expanduser() if spec.labels else None)
    return read_rows_npz(file) if ending == ".npz" else read_rows_parquet(file)


def _refuse_settings(spec: EmbeddingsSpec) -> None:
    """Settings that mean something for pictures alone."""
    plain = DataSpec()
    for name in ("image_size", "resize", "colour", "rotations"):
        if (value := getattr(spec, name)) != getattr(plain, name):
            raise SandboxError(
                f"data.{name} is {value}, but embeddings are rows of numbers and no images: leave it out"
            )


def _as_given(images: ImageSet, held: RowsFile, spec: EmbeddingsSpec, notes: list[str]) -> Splits:
    if held.split is None:
        raise SandboxError(f"data.split is given, but {spec.root} has no 'split' that says where each row belongs")
    role_of = {name: role for role, names in ROLES.items() for name in names}
    found = {name: role_of.get(name.strip().lower(), "") for name in dict.fromkeys(held.split)}
    if wrong := [name for name, role in found.items() if not role]:
        row = list(held.split).index(wrong[0])
        raise SandboxError(
            f"split in {spec.root} says train, val (or validation) or test, but row {row} has {shown(wrong[0])}"
        )
    roles = np.array([found[name] for name in held.split])
    if absent := [role for role in ROLES if role not in roles]:
        raise SandboxError(
            f"split in {spec.root} names no row for {' and '.join(absent)}; name some, or let it be drawn: "
            "data.split class or sample"
        )
    train, val, test = (images.take(np.flatnonzero(roles == role)) for role in ROLES)
    train, small = without_small(train, spec.min_images)
    more = [note for name, part in (("validation", val), ("test", test)) for note in also_trained_on(name, part, train)]
    splits = given(train, val, test, notes=[*notes, *small, *more])
    if splits.closed_set:
        refuse_lone_images(splits)
    return splits


DATA_SET = DataSet(
    name="embeddings",
    load=load,
    line="rows of numbers (N, D) of any origin with their labels: .npz, .npy or .parquet in --data.root",
    citation="",
    source="folder",
    has_files=False,
    image_size=None,
    splits=("auto", "class", "sample", "given"),
    settings=EmbeddingsSpec,
    endings=ENDINGS,
    rows=True,
)
