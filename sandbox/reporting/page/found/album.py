"""Thumbnails of images in a few large sheets, as many as a budget of bytes allows.

A sheet is one picture of many tiles: a page of 5,000 images as 5,000 pictures would be slow, and far larger.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

COLUMNS = 32
_ROWS = 32
_BLOCK = 8  # pixels: what a lossy format looks at together; a tile that fills such squares stays out of its neighbour
_SIDES = (48, 40, 32, 24)
_SHOWN = 60  # pixels, about what a tile is shown in
_SAMPLE = 256


@dataclass(frozen=True)
class Album:
    """Tiles of some rows."""

    rows: np.ndarray = field(repr=False)
    """(M,) int64: the rows that have a tile, in the order of the tiles."""
    sheets: tuple[str, ...] = field(repr=False)
    """``data:`` addresses, each of up to `COLUMNS` x 32 tiles."""
    side: int
    """Pixels of a tile that are of the image."""
    cell: int
    """Pixels from one tile to the next."""

    @property
    def zoom(self) -> int:
        """Times that a tile is enlarged; whole, so that no tile shows the edge of the next."""
        return max(1, round(_SHOWN / self.side))

    def place(self, tile: int) -> tuple[int, int, int]:
        """(sheet, across, down) of a tile, the last two in pixels as shown."""
        sheet, left = divmod(tile, COLUMNS * _ROWS)
        step = self.cell * self.zoom
        return sheet, left % COLUMNS * step, left // COLUMNS * step

    def facts(self) -> dict[str, int]:
        """What the scripts find a tile by."""
        return {"columns": COLUMNS, "per_sheet": COLUMNS * _ROWS, "step": self.cell * self.zoom}

    def style(self, name: str) -> str:
        """CSS of its tiles: size, and the sheets that they are cut out of."""
        shown, wide = self.side * self.zoom, COLUMNS * self.cell * self.zoom
        rules = [f".{name}{{width:{shown}px;height:{shown}px;background-size:{wide}px auto}}"]
        rules += [f".{name}-{k}{{background-image:url({sheet})}}" for k, sheet in enumerate(self.sheets)]
        return "\n".join(rules)


def make_album(pixels: Any, wanted: np.ndarray, *, budget: int) -> Album:
    """Tiles of the rows that are wanted, the first of them where not all fit.

    Tiles are as large as the images, 48 pixels at most, and smaller where only so all fit.

    Args:
        pixels: (N, H, W, 1 or 3) uint8.
        wanted: (M,) rows, the most wanted first.
        budget: bytes of base64 that all sheets may take together.
    """
    square = max(pixels.shape[1:3])
    sides = [*([square] if square <= _SIDES[0] else []), *(side for side in _SIDES if side < square)]
    for side in sides:
        each, kind = _price(pixels, wanted, side)
        if each * len(wanted) <= budget:
            break
    cell = -(-side // _BLOCK) * _BLOCK
    sheets: list[str] = []
    spent, done = 0, 0
    while done < len(wanted):
        room = int((budget - spent) / max(each, 1e-9))
        part = wanted[done : done + min(COLUMNS * _ROWS, max(room, 0))]
        address = _sheet(pixels, part, side, cell, kind) if len(part) else ""
        if not len(part) or spent + len(address) > 1.1 * budget:
            break
        sheets.append(address)
        spent, done = spent + len(address), done + len(part)
        if len(part) < COLUMNS * _ROWS:
            break
    return Album(wanted[:done], tuple(sheets), side, cell)


def _price(pixels: Any, wanted: np.ndarray, side: int) -> tuple[float, str]:
    """(bytes of base64 that a tile takes, the format that takes fewest), from a sample of the tiles."""
    sample = wanted[np.linspace(0, len(wanted) - 1, min(_SAMPLE, len(wanted))).astype(np.int64)]
    cell = -(-side // _BLOCK) * _BLOCK
    prices = {kind: len(_sheet(pixels, sample, side, cell, kind)) / max(len(sample), 1) for kind in ("PNG", "WEBP")}
    kind = min(prices, key=lambda one: prices[one])
    return prices[kind], kind


def _sheet(pixels: Any, rows: np.ndarray, side: int, cell: int, kind: str) -> str:
    """The tiles of some rows as one picture, as a ``data:`` address."""
    channels = pixels.shape[-1]
    lines = max(1, -(-len(rows) // COLUMNS))
    sheet = np.zeros((lines, cell, COLUMNS, cell, channels), np.uint8)
    for place, tile in enumerate(_tiles(pixels, rows, side)):
        down, across = divmod(place, COLUMNS)
        sheet[down, :, across] = np.pad(tile, ((0, cell - side), (0, cell - side), (0, 0)), mode="edge")
    whole = sheet.reshape(lines * cell, COLUMNS * cell, channels)
    stream = BytesIO()
    options: dict[str, Any] = {"quality": 78, "method": 2} if kind == "WEBP" else {}
    Image.fromarray(whole[..., 0] if channels == 1 else whole).save(stream, kind, **options)
    return f"data:image/{kind.lower()};base64,{b64encode(stream.getvalue()).decode('ascii')}"


def _tiles(pixels: Any, rows: np.ndarray, side: int) -> np.ndarray:
    """(n, side, side, C) uint8: the images of rows in the size of a tile; one that is not square fills its middle."""
    images = np.asarray(pixels[np.sort(rows)])[np.argsort(np.argsort(rows, kind="stable"), kind="stable")]
    if images.shape[1:3] == (side, side):
        return images
    out = np.zeros((len(images), side, side, images.shape[-1]), np.uint8)
    for place, image in enumerate(images):
        grey = image.shape[-1] == 1
        height, width = (max(1, round(one * side / max(image.shape[:2]))) for one in image.shape[:2])
        small = Image.fromarray(image[..., 0] if grey else image).resize((width, height), Image.Resampling.BOX)
        top, left = (side - height) // 2, (side - width) // 2
        out[place, top : top + height, left : left + width] = np.asarray(small).reshape(height, width, -1)
    return out
