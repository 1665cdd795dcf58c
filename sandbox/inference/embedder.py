"""What turns face crops into embeddings, wherever its weights came from: a run of this project or an ONNX file."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from sandbox.recipe.size import ImageSize


class Embedder(Protocol):
    """A network that is done training, with what its images must be like."""

    @property
    def name(self) -> str:
        """What a person calls it."""
        ...

    @property
    def digest(self) -> str:
        """12 hex characters that name the weights and how images are read; an exported network keeps its run's."""
        ...

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        ...

    @property
    def image_size(self) -> ImageSize:
        """Side of the square images it takes, or height x width of others, pixels."""
        ...

    @property
    def channels(self) -> int:
        """1 for grey, 3 for RGB."""
        ...

    @property
    def resize(self) -> int:
        """Pixels of a photograph's shorter side before its middle is cut out; 0 squeezes it in."""
        ...

    @property
    def bits(self) -> int | None:
        """That files of 16 bits or more used among its training images; None where there were none."""
        ...

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        """Unit embeddings (N, D) float32 of images (N, H, W, 3 or `channels`) uint8."""
        ...


def as_channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    """Images (N, H, W, C) uint8 with the channels that a network takes.

    RGB is made grey as Pillow does it (ITU-R 601-2 luma); grey is repeated in all three.
    """
    if channels == 1 and pixels.shape[-1] == 3:
        luma = pixels.astype(np.uint32) @ np.array([19595, 38470, 7471], np.uint32) + 0x8000
        return (luma >> 16).astype(np.uint8)[..., None]
    if channels == 3 and pixels.shape[-1] == 1:
        return np.repeat(pixels, 3, axis=-1)
    return pixels
