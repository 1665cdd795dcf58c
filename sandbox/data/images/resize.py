"""Images that lie in memory, brought to the form that a recipe asks for."""

from __future__ import annotations

import numpy as np
from PIL import Image

from sandbox.data.images.decode import fitted
from sandbox.data.images.form import Form
from sandbox.data.memory import available_memory
from sandbox.errors import SandboxError


def resized(pixels: np.ndarray, form: Form) -> np.ndarray:
    """Resize and convert images, as `decode` does files.

    Args:
        pixels: (N, h, w, 1 or 3) uint8.
        form: what they are brought to; auto keeps the channels there are, grey is repeated for RGB, and RGB is weighed
            for grey (ITU-R 601).

    Returns:
        (N, H, W, C) uint8; `pixels` itself where there is nothing to do.

    Raises:
        SandboxError: more memory is needed than there is.
    """
    (height, width), channels = form.sides, {"grey": 1, "rgb": 3, "auto": pixels.shape[3]}[form.colour]
    if pixels.shape[1:] == (height, width, channels) and not form.resize:
        return pixels
    try:
        if len(pixels) * height * width * channels > available_memory():
            raise MemoryError
        out = np.empty((len(pixels), height, width, channels), np.uint8)
    except (MemoryError, ValueError):
        raise SandboxError(
            f"{len(pixels):,} images of {height} x {width} pixels do not fit into memory; give a smaller "
            "data.image_size"
        ) from None
    grey = pixels.shape[3] == 1
    for place, image in enumerate(pixels):
        out[place] = fitted(Image.fromarray(image[..., 0] if grey else image), form.size, channels, form.resize)
    return out
