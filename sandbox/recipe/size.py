"""Height and width of images as one value: 64 is a square, '256x128' is height x width."""

from __future__ import annotations

import re
from typing import Any

from sandbox.errors import SandboxError
from sandbox.wording import printable

ImageSize = int | str
"""A side of square images, or height x width of others, in pixels."""
LEAST, MOST = 4, 4096
"""Pixels of a side."""


def sides(size: ImageSize) -> tuple[int, int]:
    """Height and width, pixels.

    >>> sides(64), sides("256x128")
    ((64, 64), (256, 128))

    Raises:
        ValueError: a text that is no height x width.
    """
    if isinstance(size, int):
        return size, size
    height, _, width = size.partition("x")
    return int(height), int(width)


def size_of(height: int, width: int) -> ImageSize:
    """The one spelling of a height and a width: a square is a number.

    >>> size_of(64, 64), size_of(256, 128)
    (64, '256x128')
    """
    return height if height == width else f"{height}x{width}"


def spelt(given: Any) -> Any:
    """A size in its one spelling, so that recipes that ask for the same have one name; what is none as it was given.

    >>> spelt("256 X 128"), spelt("64x64"), spelt("64"), spelt("wide")
    ('256x128', 64, 64, 'wide')
    """
    if not isinstance(given, str):
        return given
    if found := re.fullmatch(r"\s*([0-9]{1,9})\s*(?:[xX\u00d7]\s*([0-9]{1,9})\s*)?", given):
        return size_of(int(found[1]), int(found[2] or found[1]))
    return given


def check_size(size: ImageSize | None, resize: int | None) -> None:
    """Refuse images of a size that cannot be, or that cannot be cut out of what they are resized to.

    Raises:
        SandboxError: says what is allowed.
    """
    if size is None:
        if resize is not None:
            raise SandboxError(f"data.resize is {resize}, but what is cut out of that needs data.image_size")
        return
    if is_wrong(size):
        raise SandboxError(
            f"data.image_size is '{printable(str(size))[:60]}', but is a number of pixels, or height x width as in "
            "256x128"
        )
    if not all(LEAST <= side <= MOST for side in sides(size)):
        raise SandboxError(f"data.image_size is {size}, but lies between {LEAST} and {MOST}")
    if resize is not None and resize < max(sides(size)):
        raise SandboxError(f"data.resize is {resize}, but is at least data.image_size ({max(sides(size))})")


def is_wrong(size: Any) -> bool:
    """Whether a value is no size in its one spelling."""
    if isinstance(size, str):
        return not re.fullmatch(r"[1-9][0-9]{0,8}x[1-9][0-9]{0,8}", size) or spelt(size) != size
    return type(size) is not int


def times(size: ImageSize) -> str:
    """As sentences have it.

    >>> times(64), times("256x128")
    ('64 x 64', '256 x 128')
    """
    height, width = sides(size)
    return f"{height} x {width}"
