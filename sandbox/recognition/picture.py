"""A picture of named faces: boxes and names on photographs, a name under each crop; several images in a grid."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import ceil, sqrt
from pathlib import Path

from PIL import Image, ImageDraw

from sandbox.data.images.decode import read_photograph
from sandbox.errors import SandboxError
from sandbox.files import whole_file
from sandbox.recognition.gallery import UNKNOWN
from sandbox.recognition.identify import NO_FACE, Named, percent
from sandbox.reporting.plots.lettering import Letters, lettering, not_written

MOST = 400
"""Images in one picture at most."""
_ALONE, _OF_MANY = 1280, 420  # pixels: the longest side of an image that is drawn alone, and of one in a grid
_LEAST = 180  # a smaller image is enlarged by a whole number towards this, so that its pixels stay visible
_MARGIN, _PAD = 14, 4
_NAMED, _NOT, _FAINT = "#0072b2", "#b3261e", "#666666"  # blue and red: red and green are one to many eyes


def draw_named(rows: Sequence[Named], file: Path) -> list[str]:
    """The images of some rows, each once, with what each of its faces was named.

    Args:
        rows: as `identify` gives them; files that cannot be read are left out.
        file: ends in .png.

    Returns:
        A note on names that are written as ASCII, if any are.

    Raises:
        SandboxError: nothing to draw, too many images, or a file that cannot be written.
    """
    images = [list(group) for _, group in groupby(rows, key=lambda row: row.image)]
    images = [group for group in images if group[0].box or group[0].most_alike or group[0].refused == NO_FACE]
    if not images:
        raise SandboxError("there is no image to draw")
    if len(images) > MOST:
        raise SandboxError(f"--picture draws {MOST} images at most, not {len(images):,}")
    longest = _ALONE if len(images) == 1 else _OF_MANY
    texts = [text for group in images for row in group for text in (*_lines(row), Path(row.image).name)]
    letters = lettering(texts).letters(18 if len(images) == 1 else 13)
    sheet = _grid([_cell(group, longest, letters) for group in images])
    with whole_file(file, make_folder=True) as part:
        sheet.save(part, "PNG")
    shown = [row.name or row.most_alike or "" for group in images for row in group]
    return not_written([*shown, *(Path(group[0].image).name for group in images)])


def _cell(rows: Sequence[Named], longest: int, letters: Letters) -> Image.Image:
    """One image with the names on its faces, or under it where it is one face; its file's name last."""
    image = read_photograph(Path(rows[0].image))
    scale = longest / max(image.size)
    if scale > 1:
        scale = max(1, min(int(scale), ceil(_LEAST / max(image.size))))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    image = image.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS)
    _on_faces(image, [row for row in rows if row.box is not None], scale, letters)
    below = [(line, _colour(row)) for row in rows if row.box is None for line in _lines(row)]
    below.append((Path(rows[0].image).name, _FAINT))
    height = letters.height
    cell = Image.new("RGB", (max(image.width, _LEAST), image.height + 2 * _PAD + height * len(below)), "white")
    cell.paste(image, ((cell.width - image.width) // 2, 0))
    pen = ImageDraw.Draw(cell)
    for place, (line, colour) in enumerate(below):
        top = image.height + _PAD + place * height
        letters.draw(pen, (cell.width / 2, top), _cut(line, cell.width, letters), colour, "ma")
    return cell


def _on_faces(image: Image.Image, rows: Sequence[Named], scale: float, letters: Letters) -> None:
    """A frame around each face and, on a ground of the same colour, what it was named, all within the image."""
    pen, height = ImageDraw.Draw(image), letters.height
    boxes = [[edge * scale for edge in row.box or ()] for row in rows]
    for row, box in zip(rows, boxes, strict=True):
        pen.rectangle(box, outline=_colour(row), width=max(2, int(letters.size / 6)))
    for row, (left, top, _, bottom) in zip(rows, boxes, strict=True):  # names last, so that no frame crosses one
        lines = [_cut(line, image.width - 2 * _PAD, letters) for line in _lines(row)]
        wide = max(letters.length(line) for line in lines) + 2 * _PAD
        high = height * len(lines) + _PAD
        left = max(0, min(left, image.width - wide))
        top = top - high if top >= high else min(bottom, image.height - high)
        pen.rectangle((left, top, left + wide, top + high), fill=_colour(row))
        for place, line in enumerate(lines):
            letters.draw(pen, (left + _PAD, top + _PAD / 2 + place * height), line, "white", "la")


def _grid(cells: Sequence[Image.Image]) -> Image.Image:
    """The cells side by side, about as many across as down."""
    across = ceil(sqrt(len(cells)))
    rows = [cells[start : start + across] for start in range(0, len(cells), across)]
    width = max(cell.width for cell in cells) + _MARGIN
    heights = [max(cell.height for cell in row) + _MARGIN for row in rows]
    sheet = Image.new("RGB", (_MARGIN + width * across, _MARGIN + sum(heights)), "white")
    top = _MARGIN
    for row, height in zip(rows, heights, strict=True):
        for place, cell in enumerate(row):
            sheet.paste(cell, (_MARGIN + place * width + (width - _MARGIN - cell.width) // 2, top))
        top += height
    return sheet


def _lines(row: Named) -> list[str]:
    """What is written of a face."""
    if row.most_alike is None:
        return [row.refused or UNKNOWN]
    sure = "" if row.similarity is None else f"similarity {row.similarity:.2f}"
    sure = sure if row.probability is None else percent(row.probability)
    if row.name is not None:
        return [row.name, sure]
    return [UNKNOWN, f"most like {row.most_alike}, {sure}"]


def _colour(row: Named) -> str:
    return _NAMED if row.name is not None else _NOT


def _cut(text: str, width: float, letters: Letters) -> str:
    """The text as it is written, its end left out where it is too long."""
    text = letters.lettering.written(text)
    if letters.length(text) <= width:
        return text
    return next((f"{text[:n]}…" for n in range(len(text), 0, -1) if letters.length(f"{text[:n]}…") <= width), "…")
