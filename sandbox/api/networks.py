"""`load`: a trained network that embeds files and arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sandbox.api.given import place
from sandbox.errors import SandboxError
from sandbox.inference.embedder import Embedder
from sandbox.inference.load import load_network
from sandbox.recipe.size import sides
from sandbox.recognition.reader import Reader


@dataclass(frozen=True)
class Network:
    """A network that is done training."""

    embedder: Embedder
    """What is asked of it: `name`, `dim`, `image_size`, `channels`."""

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self.embedder.dim

    @property
    def image_size(self) -> int | str:
        """Side of the square images it takes, or height x width such as ``256x128``, pixels."""
        return self.embedder.image_size

    def embed(self, images: str | Path | np.ndarray | Sequence[str | Path]) -> np.ndarray:
        """Unit embeddings (N, D) float32, a row for each image in its order.

        Args:
            images: an image file, several, or an array (N, H, W, C) uint8, (N, H, W) for grey, of `image_size`. Files
                are read, cut and resized as the training images were.

        Raises:
            SandboxError: a file cannot be read, or an array is of another size or type.
        """
        if isinstance(images, np.ndarray):
            return self.embedder.embed(self._checked(images))
        files = [Path(images)] if isinstance(images, str | Path) else [Path(file) for file in images]
        rows = [np.empty((0, self.dim), np.float32)]
        for one in Reader(self.embedder, "whole").embedded(files):
            if one.refused:
                raise SandboxError(f"{one.file} {one.refused}")
            rows.append(one.x)
        return np.concatenate(rows)

    def _checked(self, pixels: np.ndarray) -> np.ndarray:
        high, wide = sides(self.image_size)
        whole = pixels[..., None] if pixels.ndim == 3 else pixels
        fits = whole.ndim == 4 and whole.shape[1:3] == (high, wide) and whole.shape[3] in (1, 3)
        if not fits or whole.dtype != np.uint8:
            raise SandboxError(
                f"an array of {pixels.dtype} {pixels.shape} is no images for this network: it takes uint8 "
                f"(N, {high}, {wide}, 1 or 3), or (N, {high}, {wide}) for grey"
            )
        return whole


def load(path: str | Path) -> Network:
    """The network of a finished run, or of an ONNX file that one was exported to.

    Raises:
        SandboxError: it is neither, or no path.
    """
    return Network(load_network(place("path", path)))
