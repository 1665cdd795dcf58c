"""`ImageSet`: labelled images of one size in one array."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.data.images.form import Form
from sandbox.data.images.pack import pack_pictures
from sandbox.data.images.picture import Picture
from sandbox.data.images.rows import Rows
from sandbox.errors import SandboxError
from sandbox.wording import counted, first_names


@dataclass(frozen=True)
class ImageSet:
    """Images of one size with one class each.

    Raises:
        ValueError: the parts disagree in length, shape or type, or a class has no image.
    """

    pixels: np.ndarray = field(repr=False)
    """(N, H, W, C) uint8, C is 1 (grey) or 3 (RGB); may be a read-only memory map. Or `Rows` (N, 1, 1, D) float32."""
    labels: np.ndarray = field(repr=False)
    """(N,) int64, 0 .. len(classes) - 1."""
    classes: tuple[str, ...]
    """Class names; each has at least one image."""
    paths: tuple[str, ...] = field(repr=False)
    """(N,) where each image came from, relative to the root, or a made-up stable name."""
    bits: int | None = None
    """That files of 16 bits or more were taken to use; None where there were none."""
    columns: dict[str, np.ndarray] = field(default_factory=dict, repr=False)
    """What else is known of each image by name, such as its camera: (N,) of strings each, empty where nothing is."""

    def __post_init__(self) -> None:
        """Refuse parts that do not fit together, before they do harm far from here."""
        pictures = self.pixels.ndim == 4 and self.pixels.shape[3] in (1, 3) and self.pixels.dtype == np.uint8
        if not pictures and not self.are_rows:
            raise ValueError(f"pixels must be (N, H, W, 1 or 3) uint8, not {self.pixels.shape} {self.pixels.dtype}")
        if self.labels.dtype != np.int64 or self.labels.ndim != 1:
            raise ValueError(f"labels must be (N,) int64, not {self.labels.shape} {self.labels.dtype}")
        if not len(self.pixels) == len(self.labels) == len(self.paths):
            raise ValueError(f"{len(self.pixels)} images, {len(self.labels)} labels, {len(self.paths)} paths")
        if not np.array_equal(np.unique(self.labels), np.arange(len(self.classes))):
            raise ValueError(f"labels must use each of 0 .. {len(self.classes) - 1} at least once")
        for name, column in self.columns.items():
            if column.shape != self.labels.shape or column.dtype.kind != "U":
                raise ValueError(f"column {name} must be ({len(self)},) strings, not {column.shape} {column.dtype}")

    def __len__(self) -> int:
        """How many images."""
        return len(self.labels)

    @property
    def are_rows(self) -> bool:
        """Whether they are rows of numbers, such as embeddings, and no pictures."""
        return isinstance(self.pixels, Rows)

    @property
    def form(self) -> str:
        """What one of them is, in words: '32x32 grey', '128 numbers each'."""
        _, height, width, channels = self.pixels.shape
        return (
            f"{channels:,} numbers each" if self.are_rows else f"{height}x{width} {'grey' if channels == 1 else 'RGB'}"
        )

    @property
    def counts(self) -> np.ndarray:
        """Images of each class, (len(classes),) int64."""
        return np.bincount(self.labels, minlength=len(self.classes)).astype(np.int64)

    def take(self, indices: Sequence[int] | np.ndarray) -> ImageSet:
        """Those images in that order; labels are renumbered to the classes present, which keep their order.

        Args:
            indices: (M,) whole numbers.
        """
        chosen = np.asarray(indices, dtype=np.int64).reshape(-1)
        start = int(chosen[0]) if len(chosen) else 0
        consecutive = start >= 0 and np.array_equal(chosen, np.arange(start, start + len(chosen)))
        # A slice stays on disk where the whole is a memory map; picking rows reads them.
        if isinstance(self.pixels, Rows):
            pixels: Any = self.pixels.take(chosen)
        else:
            pixels = self.pixels[start : start + len(chosen)] if consecutive else self.pixels[chosen]
        present, labels = np.unique(self.labels[chosen], return_inverse=True)
        return replace(
            self,
            pixels=pixels,
            labels=labels.astype(np.int64),
            classes=tuple(self.classes[label] for label in present),
            paths=tuple(self.paths[index] for index in chosen),
            columns={name: column[chosen] for name, column in self.columns.items()},
        )


Row = tuple[str, Path]
"""The class of an image, and its file."""


def read_rows(
    root: Path, rows: Sequence[Row], form: Form, columns: Mapping[str, Sequence[str]] | None = None
) -> tuple[ImageSet, list[str]]:
    """The images of rows that can be read, in the order of the rows, and sentences on those that cannot.

    Args:
        root: what paths are relative to.
        rows: class and file of each image.
        form: what they are brought to.
        columns: what else is known of each row, by name.

    Raises:
        SandboxError: none can be read, or the cache folder cannot be written.
    """
    return read_pictures([name for name, _ in rows], [Picture.of(file, root) for _, file in rows], form, columns)


def read_pictures(
    names: Sequence[str], pictures: Sequence[Picture], form: Form, columns: Mapping[str, Sequence[str]] | None = None
) -> tuple[ImageSet, list[str]]:
    """The images that can be read, in their order, and sentences on those that cannot.

    Args:
        names: (N,) the class of each.
        pictures: (N,) with paths of their own.
        form: what they are brought to.
        columns: what else is known of each, (N,) by name.

    Raises:
        SandboxError: none can be read, a box is not inside its image, or the cache folder cannot be written.
    """
    packed = pack_pictures(pictures, form)
    kept = list(packed.kept)
    images = image_set(packed.pixels, [names[place] for place in kept], [pictures[place].name for place in kept])
    known = {name: np.array(column, dtype=str)[kept] for name, column in (columns or {}).items()}
    return replace(images, bits=packed.bits, columns=known), list(packed.notes)


def common_bits(sets: Iterable[ImageSet]) -> int | None:
    """The bits that sets which were read apart must be read again with, so that one scale holds; None where it does."""
    found = {images.bits for images in sets if images.bits is not None}
    return max(found) if len(found) > 1 else None


def image_set(pixels: np.ndarray, names: Sequence[str], paths: Sequence[str]) -> ImageSet:
    """An `ImageSet` out of class names; classes are sorted by name.

    Args:
        pixels: (N, H, W, C) uint8.
        names: (N,) the class of each image.
        paths: (N,) where each image came from.
    """
    numbers = {name: label for label, name in enumerate(sorted(set(names)))}
    labels = np.array([numbers[name] for name in names], dtype=np.int64)
    return ImageSet(pixels=pixels, labels=labels, classes=tuple(numbers), paths=tuple(paths))


def without_small(images: ImageSet, least: int) -> tuple[ImageSet, list[str]]:
    """The classes with at least `least` images, and a sentence that counts and names the others.

    Raises:
        SandboxError: fewer than two classes are left.
    """
    large = images.counts >= least
    if large.all():
        return images, []
    if large.sum() < 2:
        raise SandboxError(
            f"data.min_images is {least}, and {large.sum()} of the {len(large):,} classes have as many images; "
            f"two are needed, and the second largest has {np.sort(images.counts)[-2:][0]}"
        )
    small = [name for name, enough in zip(images.classes, large, strict=True) if not enough]
    note = f"{counted(len(small), 'class', 'classes')} with fewer than {least} images left out: {first_names(small)}"
    return images.take(np.flatnonzero(large[images.labels])), [note]
