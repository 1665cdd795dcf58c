"""Images of one size that lie in memory, brought to the size and channels that a recipe asks for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from sandbox.data.decode import square
from sandbox.data.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe import DataSpec


def fitted(splits: Splits, size: int, spec: DataSpec) -> Splits:
    """The same split with its images resized as `decode` does; done last, so that each is held once in its new size.

    Args:
        splits: train, val and test, as the data set has them.
        size: side in pixels.
        spec: says whether a middle is cut out (`data.resize`) and in which colour; auto keeps the channels there are.

    Raises:
        SandboxError: more memory is needed than there is.
    """
    channels = {"grey": 1, "rgb": 3, "auto": splits.train.pixels.shape[3]}[spec.colour]
    sets = (splits.train, splits.val, splits.test)
    train, val, test = (replace(part, pixels=squares(part.pixels, size, channels, spec.resize or 0)) for part in sets)
    return replace(splits, train=train, val=val, test=test)


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
