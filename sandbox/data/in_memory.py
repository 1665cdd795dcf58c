"""Small embedded images brought to the size and channels a recipe asks for."""

from __future__ import annotations

import numpy as np
from PIL import Image


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
