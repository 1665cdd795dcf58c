"""`Form`: the size, the colour and the cut that images are brought to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sandbox.recipe.size import ImageSize, sides
from sandbox.recipe.specs import Colour, DataSpec


@dataclass(frozen=True)
class Form:
    """What images of any size and kind are brought to."""

    size: ImageSize
    """Side of squares, or height x width, pixels."""
    colour: Colour = "auto"
    """grey (1 channel), rgb (3), or auto: what the images are."""
    resize: int = 0
    """Pixels of the shorter side before the size is cut out of the middle; 0 squeezes the whole image in."""
    bits: int | None = None
    """That files of 16 bits or more use; None: what the files that are read together do."""

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width, pixels."""
        return sides(self.size)

    @classmethod
    def of(cls, spec: DataSpec) -> Form:
        """What a recipe asks for, its size filled in (`sandbox.data.catalog.load` does)."""
        assert spec.image_size is not None
        return cls(spec.image_size, spec.colour, spec.resize or 0)

    def like(self, pixels: np.ndarray) -> Form:
        """The same with as many channels as images (N, H, W, C) have: by itself each part would see to its own."""
        return replace(self, colour="rgb" if pixels.shape[3] == 3 else "grey")
