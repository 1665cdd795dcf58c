"""One image file, or one photograph, to one square of uint8 pixels."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from sandbox.errors import SandboxError
from sandbox.wording import reason

_COLOUR_SPREAD = 10  # grey photographs saved as RGB differ by a few grey levels between channels at most


def decode(path: Path, size: int, channels: int, resize: int = 0) -> np.ndarray:
    """Read, turn upright, convert and resize one image.

    The camera's orientation mark is obeyed. Animations give their first frame. 16-bit grey keeps its high byte,
    floating-point grey is stretched from its own least to its own largest value, transparent parts become white,
    palettes and CMYK become RGB. The whole image is resized to the square, which changes the proportions of one that
    is not square; or, with `resize`, its shorter side is, and the square is cut out of its middle. Bilinear, with
    antialiasing.

    Args:
        path: the file.
        size: side of the square, pixels.
        channels: 1 for grey, 3 for RGB.
        resize: pixels, at least `size`, that the shorter side gets before the square is cut out; 0 cuts nothing.

    Returns:
        (size, size, channels) uint8.

    Raises:
        Exception: what Pillow raises for a file it cannot read, which has no common type below Exception.
    """
    with Image.open(path) as opened:
        # JPEG decodes at a half, quarter or eighth for less work; twice the side leaves the resize its antialiasing.
        least = 2 * max(size, resize)
        opened.draft("L" if channels == 1 else "RGB", (least, least))
        image = _eight_bits(ImageOps.exif_transpose(opened))
    return square(image, size, channels, resize)


def read_photograph(path: Path) -> Image.Image:
    """The whole image, upright, 8 bits a channel in RGB; odd kinds are treated as `decode` says.

    Raises:
        SandboxError: there is no such file, or it is no image that can be read.
    """
    if not path.is_file():
        raise SandboxError(f"there is no file {path}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as opened:
                return _eight_bits(ImageOps.exif_transpose(opened)).convert("RGB")
    except Image.UnidentifiedImageError:
        raise SandboxError(f"{path} is no image") from None
    except Exception as error:  # what Pillow raises for damaged files has no common type
        raise SandboxError(f"{path} cannot be read as an image: {reason(error, 160)}") from None


def square(image: Image.Image, size: int, channels: int, resize: int = 0) -> np.ndarray:
    """What `decode` makes of a file, of an image of 8 bits a channel that is at hand: (size, size, channels) uint8."""
    image = image.convert("L" if channels == 1 else "RGB")
    box = _middle(image.size, size / resize) if resize else None
    image = image.resize((size, size), Image.Resampling.BILINEAR, box=box, reducing_gap=3.0)
    return np.asarray(image, dtype=np.uint8).reshape(size, size, channels)


def _middle(sides: tuple[int, int], share: float) -> tuple[float, float, float, float]:
    """The central square whose side is that share of the shorter one."""
    side = min(sides) * share
    left, top = (sides[0] - side) / 2, (sides[1] - side) / 2
    return left, top, left + side, top + side


def has_colour(path: Path, size: int = 32) -> bool:
    """Whether the image is more than grey: an RGB file of a grey photograph is grey.

    Raises:
        Exception: as `decode`.
    """
    pixels = decode(path, size, 3).astype(np.int16)
    return bool((pixels.max(axis=2) - pixels.min(axis=2)).max() > _COLOUR_SPREAD)


def _eight_bits(image: Image.Image) -> Image.Image:
    """The image in a mode that `convert` brings to L or RGB without clipping or losing transparency."""
    if image.mode == "F":
        values = np.nan_to_num(np.asarray(image, dtype=np.float64))
        spread = values.max() - values.min()
        return Image.fromarray(((values - values.min()) * (255.0 / (spread or 1.0))).round().astype(np.uint8))
    if image.mode == "I" or image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image).astype(np.int64).clip(0, 65535) >> 8).astype(np.uint8))
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode in ("1", "L", "RGB") else image.convert("RGB")
