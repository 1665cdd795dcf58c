"""Slightly different versions of an image, by a fixed design, whose unit embeddings are averaged."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch.nn import functional as F

ROTATE, SHEAR, ZOOM, SHIFT = 5.0, 0.15, 0.1, 0.04
"""How far a view of strength 1 may go, in degrees, as a slope, as a share of the size and of the side: as far as the
augmentation of training goes by default."""
_NUMBERS = 6  # of an affine map: rotation, shear, zoom across and down, shift across and down


@dataclass(frozen=True)
class Views:
    """How many versions of an image there are, and how far they go; alike for every image and every network.

    The first is the image itself. The others come in pairs of opposite changes, +p and -p, so that an odd number
    favours no side. The p are points of an additive recurrence in (-1, 1)^6, p_k = 2 frac(1/2 + k a) - 1 with
    a_j = g^-j and g^7 = g + 1, which fills it evenly whatever the number of points (Roberts, "The Unreasonable
    Effectiveness of Quasirandom Sequences", 2018).
    """

    count: int = 1
    """Versions, the image itself among them; 1 is that alone."""
    strength: float = 1.0
    """Factor of `ROTATE`, `SHEAR`, `ZOOM` and `SHIFT`."""

    def maps(self, tall: float = 1.0) -> torch.Tensor:
        """(count - 1, 2, 3) float32 maps from output to input coordinates, which run from -1 to 1 on either side.

        Args:
            tall: height over width, by which a turn in pixels is one in these coordinates.
        """
        return torch.tensor([self._map(place, tall) for place in range(1, self.count)]).reshape(-1, 2, 3)

    def grids(self, height: int, width: int) -> torch.Tensor:
        """(count - 1, H, W, 2) float32: where each pixel of a changed version is read, as `grid_sample` takes it."""
        if self.count == 1:
            return torch.empty(0, height, width, 2)
        return F.affine_grid(self.maps(height / width), [self.count - 1, 1, height, width], align_corners=False)

    def _map(self, place: int, tall: float) -> list[list[float]]:
        root = _root(_NUMBERS + 1)
        pair, side = (place + 1) // 2, 1 if place % 2 else -1
        point = [2 * ((0.5 + pair * root**-j) % 1) - 1 for j in range(1, _NUMBERS + 1)]
        turn, slope, across, down, right, low = (side * self.strength * p for p in point)
        angle, shear = math.radians(ROTATE * turn), SHEAR * slope
        zoom_x, zoom_y = 1 + ZOOM * across, 1 + ZOOM * down
        return [
            [math.cos(angle) * zoom_x, (shear - math.sin(angle)) * zoom_y * tall, 2 * SHIFT * right],
            [math.sin(angle) * zoom_x / tall, math.cos(angle) * zoom_y, 2 * SHIFT * low],
        ]


def _root(power: int) -> float:
    """The g above 1 of g^power = g + 1."""
    g = 1.5
    for _ in range(64):  # a contraction by 1/power or more at each turn
        g = (1 + g) ** (1 / power)
    return g


def versions(images: torch.Tensor, grids: torch.Tensor, *, flip: bool) -> Iterator[torch.Tensor]:
    """Each version of a batch, one at a time, so that memory does not grow with their number.

    Args:
        images: (N, C, H, W) uint8.
        grids: (V - 1, H, W, 2) of `Views.grids`, on the images' device; none gives the images as they are.
        flip: also those of their mirror images.

    Yields:
        (N, C, H, W): the images uint8 as they are, their mirror images, then changed ones, float in [0, 1].
    """
    sides = [images, images.flip(-1)] if flip else [images]
    yield from sides
    for side in sides if len(grids) else ():
        pixels = side.float() / 255
        for grid in grids:
            yield sampled(pixels, grid.expand(len(pixels), -1, -1, -1)).contiguous(memory_format=torch.channels_last)


def sampled(pixels: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """Images (N, C, H, W) float read at a grid (N, H, W, 2); beyond their edge they go on as they end there."""
    return F.grid_sample(pixels, grid, mode="bilinear", padding_mode="border", align_corners=False)
