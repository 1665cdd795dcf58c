"""Random erasing: a rectangle of an image is filled with something else.

Zhong et al., "Random Erasing Data Augmentation", AAAI 2020. Their best filling is a random value for each pixel
('noise'). A patch of another image ('mixed') is what CutMix puts there (Yun et al., ICCV 2019), without its labels: the
image stays one of its class.
"""

from __future__ import annotations

from typing import Literal

import torch

Fill = Literal["grey", "noise", "mixed"]


def erase(
    images: torch.Tensor, probability: float, fill: Fill, draw: torch.Generator, filling: torch.Generator
) -> torch.Tensor:
    """Images (N, C, H, W) of which some have a rectangle, up to half of each side, filled.

    Args:
        images: in float, 0 to 1.
        probability: that an image has one.
        fill: 'grey' (0.5), 'noise' (0 to 1, for each pixel and channel), or 'mixed' (what another image of the batch
            has there).
        draw: of the CPU; which images, and which rectangles.
        filling: of the CPU; what they are filled with.
    """
    n, _, height, width = images.shape
    size = torch.rand(n, 2, generator=draw) * 0.4 + 0.1
    corner = torch.rand(n, 2, generator=draw) * (1 - size)
    hit = torch.rand(n, generator=draw) < probability
    other = _filling(images, hit, fill, filling)
    size, corner, hit = size.to(images.device), corner.to(images.device), hit.to(images.device)
    y = torch.linspace(0, 1, height, device=images.device)
    x = torch.linspace(0, 1, width, device=images.device)
    rows = (y >= corner[:, :1]) & (y <= corner[:, :1] + size[:, :1])
    columns = (x >= corner[:, 1:]) & (x <= corner[:, 1:] + size[:, 1:])
    hole = rows[:, :, None] & columns[:, None, :] & hit[:, None, None]
    return images.masked_fill(hole[:, None], 0.5) if other is None else torch.where(hole[:, None], other, images)


def _filling(images: torch.Tensor, hit: torch.Tensor, fill: Fill, draw: torch.Generator) -> torch.Tensor | None:
    """What stands behind each image (N, C, H, W); None for grey."""
    n = len(images)
    if fill == "mixed":  # a single image has no other, and stays as it is
        return images[(torch.arange(n) + torch.randint(1, max(n, 2), (n,), generator=draw)).remainder(n)]
    if fill == "noise":
        other = torch.zeros_like(images)
        own = hit.nonzero()[:, 0]  # noise is drawn for those alone
        other[own] = torch.rand(len(own), *images.shape[1:], generator=draw).to(images.device)
        return other
    return None
