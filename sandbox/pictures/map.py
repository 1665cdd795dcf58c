"""Embeddings with the images they are of, for a map: those of a run, whose data is read once more, or of a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

from sandbox.data.formats.rows.embeddings import Embeddings, read_embeddings
from sandbox.data.images.image_set import ImageSet
from sandbox.data.names import joined_notes
from sandbox.errors import SandboxError
from sandbox.evaluation.similarity import as_products
from sandbox.pictures.run_data import read_splits, refuse_changed
from sandbox.recipe.specs import Recipe
from sandbox.runs.folder import RunFolder
from sandbox.scoring.from_run import of_run as judged_of_run
from sandbox.wording import counted


@dataclass(frozen=True)
class Mapped:
    """Embeddings with their classes, and the images to draw at them."""

    name: str
    x: np.ndarray = field(repr=False)
    """(N, D) float32 unit rows."""
    labels: np.ndarray = field(repr=False)
    """(N,) int64, numbers into `classes`."""
    classes: tuple[str, ...]
    image: Callable[[int], Image.Image | None] | None = field(default=None, repr=False)
    """The image of a row, None where it cannot be read; None where there are no images at all."""
    notes: tuple[str, ...] = ()
    """What a person should know of the images."""
    joined: tuple[str, ...] = ()
    """Which names are one class (see `same_name`)."""


def of_run(path: Path, split: str, root: str = "") -> Mapped:
    """A split of a finished run, with its images where its data can still be read.

    Looking at the test split counts as one more look at it in run.json.

    Args:
        path: the run's folder.
        split: ``test`` or ``val``.
        root: where the data lies now, if not where the run read it; data that cannot be read there is an error.

    Raises:
        SandboxError: no finished run there, one that has no such split, or data that is no longer what it saw.
    """
    folder = RunFolder(path)
    recorded, recipe = folder.facts_of_finished(), folder.recipe()
    images, notes = _read_again(path, recipe, split, str(recorded.get("split")), root)
    probe = judged_of_run(path, split).probe
    labels = probe.labels - probe.labels.min()  # those of a test split may be numbered on from validation's
    name = f"{path.resolve().name}, {split}"
    if images is None:
        classes = tuple(f"class {number}" for number in range(int(labels.max()) + 1))
        return Mapped(name, as_products(probe.x)[0], labels, classes, None, notes)
    if not np.array_equal(labels, images.labels):
        raise SandboxError(f"the run {path} is damaged: the labels of its {split} embeddings are not those of its data")
    if images.are_rows:
        return Mapped(name, as_products(probe.x)[0], labels, images.classes, None, ("points only: rows are no images",))
    shown = images

    def image(row: int) -> Image.Image:
        pixels = shown.pixels[np.array([row])][0]
        return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)

    return Mapped(name, as_products(probe.x)[0], labels, images.classes, image, notes)


def _read_again(
    path: Path, recipe: Recipe, split: str, digest: str, root: str
) -> tuple[ImageSet | None, tuple[str, ...]]:
    """The images of a split as the run's recipe reads them; None, and why, where they cannot be read."""
    try:
        splits = read_splits(recipe, root)
    except SandboxError as error:
        if root:
            raise
        return None, (f"points only, as the data of the run cannot be read (--root may say where it is): {error}",)
    refuse_changed(path, recipe, splits, digest, root)
    return splits.embedded(split), ()


def of_file(file: Path, root: str = "") -> Mapped:
    """Embeddings of an npz, with the images that its `paths` name below a folder.

    Args:
        file: see `read_embeddings`.
        root: the folder that the paths are relative to; empty for points only.

    Raises:
        SandboxError: the file cannot be used, or `root` is no folder or holds none of the paths.
    """
    held = read_embeddings(file)
    joined = tuple(joined_notes(held.spellings))
    mapped = Mapped(file.name, as_products(held.x)[0], held.labels, held.classes, joined=joined)
    if not root:
        note = "points only: --root says where the images of its paths lie" if held.paths else "points only: it has no"
        return replace(mapped, notes=(note if held.paths else f"{note} paths of images",))
    there = _found(file, held, Path(root).expanduser())
    missing = len(held) - sum(path is not None for path in there)
    notes = (f"{counted(missing, 'image is', 'images are')} not below {root}: shown as points",) if missing else ()

    def image(row: int) -> Image.Image | None:
        path = there[row]
        return None if path is None else _thumbnail(path)

    return replace(mapped, image=image, notes=notes)


def _found(file: Path, held: Embeddings, root: Path) -> list[Path | None]:
    """The file of each row, None where there is none.

    Raises:
        SandboxError: no paths, no such folder, or none of them in it.
    """
    if held.paths is None:
        raise SandboxError(f"--root {root} is where paths lead, but {file} has no array named 'paths'")
    if not root.is_dir():
        raise SandboxError(f"there is no folder {root} (--root)")
    there = [root / path if (root / path).is_file() else None for path in held.paths]
    if not any(there):
        raise SandboxError(f"none of the {len(held):,} paths of {file} is below {root}, such as {held.paths[0]}")
    return there


def _thumbnail(path: Path) -> Image.Image | None:
    """The image in a size that a map needs at most; None where the file is no image."""
    from sandbox.data.images.decode import read_photograph

    try:
        image = read_photograph(path)
    except SandboxError:
        return None
    image.thumbnail((256, 256))
    return image
