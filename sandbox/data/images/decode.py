"""One image file, or one photograph, to uint8 pixels of one size."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from sandbox.data.images.deep import bits_for, upright_bytes, values_of
from sandbox.data.images.files import Encoded, open_image
from sandbox.data.images.picture import Box
from sandbox.errors import SandboxError
from sandbox.recipe.size import ImageSize, sides
from sandbox.wording import reason

_COLOUR_SPREAD = 10  # grey photographs saved as RGB differ by a few grey levels between channels at most


def decode(
    path: Encoded, size: ImageSize, channels: int, resize: int = 0, bits: int = 16, box: Box | None = None
) -> np.ndarray:
    """Read, turn upright, convert and resize one image.

    The camera's orientation mark is obeyed. Animations give their first frame. Transparent parts become white,
    palettes and CMYK become RGB. The whole image is resized to the size, which changes the proportions of one that
    has others; or, with `resize`, its shorter side is resized, and the size is cut out of its middle. Bilinear, with
    antialiasing.

    Whole numbers of more than eight bits keep the highest eight of `bits` (grey with transparency, of which Pillow
    gives no more, those of 16). Floating-point grey within 0 and 1, or else within 0 and 255, is taken as such, but for
    the thousandth of its pixels at either end, which may be hot or dead; other floating-point grey is stretched from
    the 0.1 to the 99.9 percentile of the file. What is not finite becomes 0.

    Args:
        path: the file, or its bytes.
        size: side of a square, or height x width, pixels.
        channels: 1 for grey, 3 for RGB.
        resize: pixels, at least each side, that the shorter side gets before the size is cut out; 0 cuts nothing.
        bits: that files of 16 bits or more use, 8 to 32 (`sandbox.data.images.deep`).
        box: the part that is taken for the whole image.

    Returns:
        (height, width, channels) uint8.

    Raises:
        OutsideError: the box is not inside the image.
        Exception: what Pillow raises for a file it cannot read, which has no common type below Exception.
    """
    with open_image(path) as opened:
        # JPEG decodes at a half, quarter or eighth for less work; twice the side leaves the resize its antialiasing.
        least = 2 * max(*sides(size), resize)
        if box is None:
            opened.draft("L" if channels == 1 else "RGB", (least, least))
        image = _eight_bits(path, opened, bits)
    if box is not None:
        image = _cut(image, box)
    return fitted(image, size, channels, resize)


def read_photograph(path: Path, bits: int | None = None) -> Image.Image:
    """The whole image, upright, 8 bits a channel in RGB; odd kinds are treated as `decode` says.

    Args:
        path: the file.
        bits: as for `decode`; what the file itself uses where not given.

    Raises:
        SandboxError: there is no such file, or it is no image that can be read.
    """
    if not path.is_file():
        raise SandboxError(f"{path} is no file" if path.exists() else f"there is no file {path}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if bits is None:
                values = values_of(path, "")
                bits = bits_for(values.peak) if values else 16
            with open_image(path) as opened:
                return _eight_bits(path, opened, bits).convert("RGB")
    except Image.UnidentifiedImageError:
        raise SandboxError(f"{path} is no image") from None
    except Exception as error:  # what Pillow raises for damaged files has no common type
        raise SandboxError(f"{path} cannot be read as an image: {reason(error, 160)}") from None


class OutsideError(Exception):
    """A box that is not inside its image; says how large that is."""


def _cut(image: Image.Image, box: Box) -> Image.Image:
    left, top, right, bottom = box
    width, height = image.size
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise OutsideError(f"{width} x {height} pixels")
    return image.crop(box)


def fitted(image: Image.Image, size: ImageSize, channels: int, resize: int = 0) -> np.ndarray:
    """What `decode` makes of a file, of an image of 8 bits a channel that is at hand: (height, width, channels)."""
    height, width = sides(size)
    image = image.convert("L" if channels == 1 else "RGB")
    box = _middle(image.size, width / resize, height / resize) if resize else None
    image = image.resize((width, height), Image.Resampling.BILINEAR, box=box, reducing_gap=3.0)
    return np.asarray(image, dtype=np.uint8).reshape(height, width, channels)


def _middle(whole: tuple[int, int], across: float, down: float) -> tuple[float, float, float, float]:
    """The central part whose width and height are those shares of the image's shorter side."""
    width, height = min(whole) * across, min(whole) * down
    left, top = (whole[0] - width) / 2, (whole[1] - height) / 2
    return left, top, left + width, top + height


def has_colour(path: Encoded, size: int = 32, bits: int = 16) -> bool:
    """Whether the image is more than grey: an RGB file of a grey photograph is grey.

    Raises:
        Exception: as `decode`.
    """
    pixels = decode(path, size, 3, bits=bits).astype(np.int16)
    return bool((pixels.max(axis=2) - pixels.min(axis=2)).max() > _COLOUR_SPREAD)


def _eight_bits(path: Encoded, opened: Image.Image, bits: int) -> Image.Image:
    """The image upright, in a mode that `convert` brings to L or RGB without clipping or losing transparency."""
    deep = upright_bytes(path, opened, bits)
    image = ImageOps.exif_transpose(opened) if deep is None else deep
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode in ("1", "L", "RGB") else image.convert("RGB")
