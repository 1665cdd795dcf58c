"""What images a library's network was published with: the statistics taken off them, their side, crop and resampling.

torchvision says it in the transforms of a network's default weights, timm in its `pretrained_cfg`, read as timm's own
`create_transform` reads it: the shorter side becomes floor(side / crop_pct), and the middle is cut out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.backbones.libraries import pretrained_form


@dataclass(frozen=True)
class PixelForm:
    """The images that published weights were made for."""

    mean: tuple[float, ...]
    """Of the three channels, black to white being 0 to 1."""
    std: tuple[float, ...]
    image_size: int
    """Side of the square, pixels."""
    resize: int
    """Pixels of the shorter side before the square is cut out of the middle; 0 where the whole image is squeezed in."""
    interpolation: str
    """What images are resampled by, such as bilinear or bicubic."""

    @property
    def facts(self) -> dict[str, Any]:
        """As run.json holds it."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @property
    def statistics(self) -> str:
        """In words."""
        return f"mean {_numbers(self.mean)}, deviation {_numbers(self.std)}"


def pixel_form(name: str) -> PixelForm | None:
    """The form that the library itself gives for a network; None where it publishes none, and for ours.

    Args:
        name: one of ours, ``torchvision:NAME`` or ``timm:NAME``.
    """
    if (given := pretrained_form(name)) is None:
        return None
    if name.startswith("torchvision:"):
        size, resize = given.crop_size[0], given.resize_size[0]
        return PixelForm(tuple(given.mean), tuple(given.std), size, resize, given.interpolation.value)
    size = given.input_size[-1]
    squeezed = given.crop_mode == "squash"
    resize = 0 if squeezed else math.floor(size / (given.crop_pct or 1.0))
    return PixelForm(tuple(given.mean), tuple(given.std), size, resize, given.interpolation)


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
