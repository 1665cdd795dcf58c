"""A picture of a data set: a row for each class, a cell for each image, pixel for pixel as the network gets them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from sandbox.data.images.image_set import ImageSet
from sandbox.errors import SandboxError
from sandbox.files import whole_file
from sandbox.reporting.plots.lettering import Letters, lettering
from sandbox.wording import counted

if TYPE_CHECKING:
    from sandbox.data.augment import Augment

MOST_CELLS = 10_000
_MARGIN, _GAP, _HEADER, _LINE = 14, 4, 30, 15
_LABEL = 190  # pixels of a name at most
_AIM, _LARGEST = 72, 256
_INK, _FAINT, _FRAME = "#222222", "#888888", "#cccccc"


@dataclass(frozen=True)
class Row:
    """A row of a contact sheet: its label and its images."""

    name: str
    detail: str
    """A second line under the name, such as how many images there are."""
    images: np.ndarray
    """(K, H, W, C) uint8, K at least 1."""


@dataclass(frozen=True)
class Layout:
    """The places of the cells of a contact sheet, in pixels."""

    side: int
    """Longer side of an image, pixels."""
    label: int
    """Width of the names on the left, pixels."""
    lead: int = 0
    """Pixels that part the first column from the others."""

    @property
    def cell(self) -> int:
        """Side of a cell: a whole multiple of the image's, so that its pixels stay visible; huge images shrink."""
        return min(_LARGEST, self.side * max(1, round(_AIM / self.side)))

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """Left and top pixel of a cell."""
        step = self.cell + _GAP
        left = _MARGIN + self.label + column * step + (self.lead if column else 0)
        return left, _MARGIN + _HEADER + row * step

    def whole(self, rows: int, columns: int) -> tuple[int, int]:
        """Width and height of the picture."""
        right, bottom = self.corner(rows, columns)
        return right - _GAP + _MARGIN, bottom - _GAP + _MARGIN


def class_rows(images: ImageSet, *, classes: int, shown: int, seed: int) -> list[Row]:
    """Classes and images of them drawn by a seed; all where there are no more.

    Args:
        images: the split.
        classes: rows at most, in the order of the classes.
        shown: images a row at most.
        seed: draws both.

    Raises:
        SandboxError: numbers below 1, or more cells than a picture should have.
    """
    _check(classes, shown)
    return [
        Row(images.classes[label], counted(len(members), "image", "images"), images.pixels[members[:shown]])
        for label, members in _drawn(images, classes, seed)
    ]


def augmented_rows(images: ImageSet, augment: Augment, *, classes: int, shown: int, seed: int) -> list[Row]:
    """An image of each of several classes, first as it is, then as training changes it.

    Where an image may get a part of another of its batch, all rows are one batch; else each is one.

    Args:
        images: the split.
        augment: what training may do to it.
        classes: rows at most.
        shown: changed versions a row.
        seed: draws classes and images.

    Raises:
        SandboxError: numbers below 1, or more cells than a picture should have.
    """
    _check(classes, shown)
    drawn = _drawn(images, classes, seed)
    ones = [images.pixels[members[:1]] for _, members in drawn]
    batches = [np.repeat(one, shown, axis=0) for one in ones]
    if augment.mixes:
        changed = np.split(_changed(augment, np.concatenate(batches), 0), len(batches))
    else:
        changed = [_changed(augment, batch, step) for step, batch in enumerate(batches)]
    return [
        Row(images.classes[label], images.paths[members[0]], np.concatenate([one, after]))
        for (label, members), one, after in zip(drawn, ones, changed, strict=True)
    ]


def _changed(augment: Augment, batch: np.ndarray, step: int) -> np.ndarray:
    """What training makes of a batch (N, H, W, C) uint8 at a step."""
    import torch

    x = torch.from_numpy(batch).permute(0, 3, 1, 2)
    return (augment(x, step) * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()


def draw_sheet(rows: Sequence[Row], path: Path, title: str, *, first_apart: bool = False) -> Layout:
    """The rows as a PNG.

    Args:
        rows: at least one, their images of one size.
        path: ends in .png; its folder is made.
        title: the line above.
        first_apart: part the first column from the others.

    Returns:
        Where the cells are.

    Raises:
        SandboxError: the file cannot be written.
    """
    known = lettering([title, *(text for row in rows for text in (row.name, row.detail))])
    plain, bold, title = known.letters(11), known.letters(13, bold=True), known.written(title)
    labels = [_label(row, plain) for row in rows]
    widest = max(plain.length(line) for label in labels for line, _ in label)
    layout = Layout(max(rows[0].images.shape[1:3]), label=int(widest) + 12, lead=12 if first_apart else 0)
    width, height = layout.whole(len(rows), max(len(row.images) for row in rows))
    sheet = Image.new("RGB", (max(width, int(bold.length(title)) + 2 * _MARGIN), height), "white")
    pen = ImageDraw.Draw(sheet)
    bold.draw(pen, (_MARGIN, _MARGIN), title, _INK, "la")
    for number, (row, label) in enumerate(zip(rows, labels, strict=True)):
        right, top = layout.corner(number, 0)
        first = top + layout.cell / 2 - len(label) * _LINE / 2
        for place, (line, colour) in enumerate(label):
            plain.draw(pen, (right - 10, first + (place + 0.5) * _LINE), line, colour, "rm")
        for column, pixels in enumerate(row.images):
            left, top = layout.corner(number, column)
            pen.rectangle((left - 1, top - 1, left + layout.cell, top + layout.cell), outline=_FRAME)
            sheet.paste(_enlarged(pixels, layout.cell), (left, top))
    with whole_file(path, make_folder=True) as part:
        sheet.save(part, "PNG")
    return layout


def _check(classes: int, shown: int) -> None:
    for flag, value in (("--classes", classes), ("--images", shown)):
        if value < 1:
            raise SandboxError(f"{flag} is {value}, but is at least 1")
    if classes * shown > MOST_CELLS:
        raise SandboxError(
            f"--classes {classes} with --images {shown} makes {classes * shown:,} cells; a picture has at most "
            f"{MOST_CELLS:,}"
        )


def _drawn(images: ImageSet, classes: int, seed: int) -> list[tuple[int, np.ndarray]]:
    """Labels in order, each with the places of all its images in an order of its own."""
    random = np.random.default_rng(seed)
    labels = np.sort(random.permutation(len(images.classes))[:classes])
    return [(int(label), random.permutation(np.flatnonzero(images.labels == label))) for label in labels]


def _label(row: Row, letters: Letters) -> list[tuple[str, str]]:
    """Lines beside a row, with their colours: the name, and the detail under it."""
    name, detail = map(letters.lettering.written, (row.name, row.detail))
    return [(line, _INK) for line in letters.wrapped(name, _LABEL)] + [(letters.cut(detail, _LABEL), _FAINT)]


def _enlarged(pixels: np.ndarray, cell: int) -> Image.Image:
    """The image as large as a cell; one that is not square stands in its middle, on white."""
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    longer = max(image.size)
    width, height = (max(1, round(side * cell / longer)) for side in image.size)
    image = image.resize((width, height), Image.Resampling.BILINEAR if longer > cell else Image.Resampling.NEAREST)
    if width == height:
        return image
    whole = Image.new("RGB", (cell, cell), "white")
    whole.paste(image, ((cell - width) // 2, (cell - height) // 2))
    return whole
