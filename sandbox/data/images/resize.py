"""Images of one size that lie in memory, brought to the size and channels that a recipe asks for."""

from __future__ import annotations

import numpy as np
from PIL import Image

from sandbox.data.images.decode import square
from sandbox.errors import SandboxError


def squares(pixels: np.ndarray, size: int, channels: int, resize: int = 0) -> np.ndarray:
    """Resize and convert images.

    Args:
        pixels: (N, h, w, 1 or 3) uint8.
        size: side in pixels.
        channels: 1 for grey, 3 for RGB; grey is repeated, RGB is weighed (ITU-R 601).
        resize: pixels that the shorter side gets before the square is cut out; 0 cuts nothing.

    Returns:
        (N, size, size, channels) uint8; `pixels` itself where there is nothing to do.

    Raises:
        SandboxError: more memory is needed than there is.
    """
    if pixels.shape[1:] == (size, size, channels) and not resize:
        return pixels
    try:
        out = np.empty((len(pixels), size, size, channels), np.uint8)
    except (MemoryError, ValueError):
        raise SandboxError(
            f"{len(pixels):,} images of {size} x {size} pixels do not fit into memory; give a smaller data.image_size"
        ) from None
    grey = pixels.shape[3] == 1
    for place, image in enumerate(pixels):
        out[place] = square(Image.fromarray(image[..., 0] if grey else image), size, channels, resize)
    return out


def fit(pixels: np.ndarray, size: int, colour: str) -> np.ndarray:
    """Resize grey images and give them channels.

    Args:
        pixels: (N, h, w) uint8.
        size: side in pixels; bilinear, with antialiasing where it shrinks.
        colour: ``rgb`` repeats the grey three times; anything else leaves one channel.

    Returns:
        (N, size, size, C) uint8.
    """
    if pixels.shape[1:] != (size, size):
        resized = (Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR) for image in pixels)
        pixels = np.stack([np.asarray(image) for image in resized])
    return np.repeat(pixels[..., None], 3 if colour == "rgb" else 1, axis=3)
