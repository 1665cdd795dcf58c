"""Images of more than eight bits a channel: what they hold, and how that is brought to eight.

Cameras and scanners put 8, 10 or 12 bits into files of 16, of which the high byte alone would be black or a few greys.
What a set's files use is seen in its largest value, so one scale holds for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageFile, ImageOps

from sandbox.data.images.files import Encoded, open_image
from sandbox.wording import counted

Kind = Literal["", "integers", "floats"]

BITS = (8, 10, 12, 14, 16, 24, 32)
"""How many bits of more than eight a set's files may use."""
_COLOUR = ("RGB;16", "RGBA;16", "RGBX;16")
_SWAPPED = {"L": "B", "B": "L", "N": "B"}  # N is this machine's order, which is little-endian wherever Pillow has it
_LOW, _HIGH = 0.1, 99.9  # percentiles that one hot or dead pixel does not move


@dataclass(frozen=True)
class Values:
    """What one file of more than eight bits holds."""

    name: str
    peak: int = -1
    """Its largest value; -1 for floating-point numbers."""
    negative: bool = False
    white: float = 0.0
    """What its floating-point numbers are taken to reach: 1, 255, or -1 where they leave both and are stretched."""


@dataclass(frozen=True)
class Depth:
    """What the files of a set that have more than eight bits hold together."""

    integers: int = 0
    """Files of whole numbers."""
    peak: int = 0
    """The largest value in them."""
    first: str = ""
    negative: int = 0
    """Files with values below 0."""
    within_1: int = 0
    """Files of floating-point numbers within 0 and 1."""
    within_255: int = 0
    """Others within 0 and 255."""
    stretched: int = 0
    """Files of floating-point numbers that leave both."""
    first_float: str = ""

    @classmethod
    def of(cls, found: Sequence[Values]) -> Depth:
        """What several files hold together."""
        whole = [one for one in found if one.peak >= 0]
        floats = [one for one in found if one.peak < 0]
        return cls(
            integers=len(whole),
            peak=max((one.peak for one in whole), default=0),
            first=whole[0].name if whole else "",
            negative=sum(one.negative for one in whole),
            within_1=sum(one.white == 1 for one in floats),
            within_255=sum(one.white == 255 for one in floats),
            stretched=sum(one.white < 0 for one in floats),
            first_float=floats[0].name if floats else "",
        )

    @property
    def bits(self) -> int | None:
        """The fewest bits that hold the largest value; None without files of whole numbers."""
        return bits_for(self.peak) if self.integers else None

    def sentences(self, bits: int) -> list[str]:
        """What there is to say where files of whole numbers are taken for numbers of so many bits."""
        said = []
        files = counted(self.integers, "file", "files")
        if self.integers and bits != 16:
            said.append(
                f"{files} of 16 bits or more, such as {self.first}, hold values up to {self.peak:,}: taken for numbers "
                f"of {bits} bits, so that {2**bits - 1:,} is white"
            )
        if self.peak >= 2**bits:
            said.append(f"values above {2**bits - 1:,}, the largest of {bits} bits, become white: {self.first}")
        if self.negative:
            said.append(f"{counted(self.negative, 'file holds', 'files hold')} values below 0, which become black")
        kinds = (
            (self.within_1, "taken as 0 to 1"),
            (self.within_255, "taken as 0 to 255"),
            (self.stretched, f"stretched from the {_LOW} to the {_HIGH} percentile of each, for they leave both"),
        )
        floats = sum(count for count, _ in kinds)
        if floats:
            each = ", ".join(f"{count:,} {what}" for count, what in kinds if count)
            many = counted(floats, "floating-point image", "floating-point images")
            said.append(f"{many}, such as {self.first_float}: {each}")
        return said


def bits_for(peak: int) -> int:
    """The fewest of 8, 10, 12, 14, 16, 24 and 32 bits that hold a value."""
    return next((bits for bits in BITS if peak < 2**bits), 32)


def kind_of(image: Image.Image) -> Kind:
    """What an image that was opened, but not loaded, holds where that is more than eight bits a channel."""
    if image.mode == "F":
        return "floats"
    if image.mode == "I" or image.mode.startswith("I;16") or _raw_mode(image).startswith(_COLOUR):
        return "integers"
    return ""


def values_of(file: Encoded, name: str) -> Values | None:
    """What a file holds; None where that is eight bits a channel or less.

    Raises:
        Exception: what Pillow raises for a file it cannot read.
    """
    if _shallow(file):
        return None
    with open_image(file) as image:
        kind = kind_of(image)
        if kind == "floats":
            low, high = _ends(_finite(image))
            return Values(name, white=(1 if high <= 1 else 255) if low >= 0 and high <= 255 else -1)
        if kind == "":
            return None
        values = np.asarray(image) if image.mode.startswith("I") else _whole_colour(file, image)
    return Values(name, peak=max(0, int(values.max())), negative=bool(values.min() < 0))


def is_deep(file: Encoded) -> bool:
    """Whether a file holds more than eight bits a channel, by its header.

    Raises:
        Exception: what Pillow raises for a file it cannot read.
    """
    if _shallow(file):
        return False
    with open_image(file) as image:
        return kind_of(image) != ""


def _shallow(file: Encoded) -> bool:
    """Whether the first bytes say that a file has eight bits a channel: most do, and opening each takes a while."""
    if isinstance(file, bytes):
        start = file[:25]
    else:
        with file.open("rb") as stream:
            start = stream.read(25)
    png = start.startswith(b"\x89PNG\r\n\x1a\n") and start[24:] in (b"\1", b"\2", b"\4", b"\x08")
    return png or start.startswith((b"\xff\xd8", b"GIF8", b"BM", b"RIFF"))


def upright_bytes(file: Encoded, opened: Image.Image, bits: int) -> Image.Image | None:
    """The upright image with its values brought to eight bits; None where it has no more than eight.

    Args:
        file: what `opened` was opened from, opened once more where Pillow gives the high bytes of colours alone.
        opened: not loaded yet.
        bits: of whole numbers, 8 .. 32; larger values become white. Floating-point numbers see to themselves.
    """
    kind = kind_of(opened)
    if kind == "floats":
        return Image.fromarray(_bytes_of_floats(_finite(ImageOps.exif_transpose(opened))))
    if kind == "":
        return None
    if opened.mode.startswith("I"):
        values = np.asarray(ImageOps.exif_transpose(opened)).astype(np.int64)
        return Image.fromarray(_bytes_of(values, bits))
    if bits == 16:
        return ImageOps.exif_transpose(opened)  # its high bytes, as Pillow gives them
    colours = _bytes_of(_whole_colour(file, opened), bits)
    upright = ImageOps.exif_transpose(opened)
    bands = [Image.fromarray(colours[..., place]) for place in range(3)]
    return Image.merge(upright.mode, [*bands, *upright.split()[3:]])


def _bytes_of(values: np.ndarray, bits: int) -> np.ndarray:
    return (values.clip(0, 2**bits - 1) >> (bits - 8)).astype(np.uint8)


def _whole_colour(file: Encoded, opened: Image.Image) -> np.ndarray:
    """Red, green and blue in 16 bits, upright, (H, W, 3) int64, of a file whose high bytes alone Pillow gives."""
    with open_image(file) as again:
        raw = _raw_mode(again)
        assert isinstance(again, ImageFile.ImageFile)
        swapped = raw[:-1] + _SWAPPED[raw[-1]]
        again.tile = [
            tile._replace(args=(swapped, *tile.args[1:]) if isinstance(tile.args, tuple) else swapped)
            for tile in again.tile
        ]
        low = np.asarray(ImageOps.exif_transpose(again)).astype(np.int64)
    high = np.asarray(ImageOps.exif_transpose(opened)).astype(np.int64)
    return (high * 256 + low)[..., :3]


def _raw_mode(image: Image.Image) -> str:
    """How the pixels lie in the file of an image that was not loaded yet, in Pillow's words."""
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    args = tiles[0].args if tiles else ""
    first = args[0] if isinstance(args, tuple) and args else args
    return first if isinstance(first, str) else ""


def _finite(image: Image.Image) -> np.ndarray:
    values = np.asarray(image, dtype=np.float64)
    return np.where(np.isfinite(values), values, 0.0)


def _ends(values: np.ndarray) -> tuple[float, float]:
    # Values that are there, the inner ones: in few pixels a percentile between two would still feel the hot one.
    return float(np.percentile(values, _LOW, method="higher")), float(np.percentile(values, _HIGH, method="lower"))


def _bytes_of_floats(values: np.ndarray) -> np.ndarray:
    low, high = _ends(values)
    if low >= 0 and high <= 255:
        low, high = 0.0, 1.0 if high <= 1 else 255.0
    return ((values - low) * (255.0 / ((high - low) or 1.0))).round().clip(0, 255).astype(np.uint8)
