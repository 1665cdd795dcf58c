"""Distortions of handwriting, a whole batch at once: a smooth random warp, and strokes made thicker or thinner.

Their draws come from a generator on the CPU, whatever the device of the images, so that all devices draw the same.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch

_CELLS = 4  # of the warp's grid to a side: about as smooth as the Gaussian of 4 pixels in 29 of Simard et al.


def elastic_field(n: int, height: int, width: int, draw: torch.Generator, device: torch.device) -> torch.Tensor:
    """Smooth random displacements (N, H, W, 2) of x and y, within -1 and 1.

    In the spirit of Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural Networks Applied to Visual
    Document Analysis", ICDAR 2003, who blur a random field. Here uniform draws on a coarse grid of 4 x 4 cells are
    brought to every pixel by cubic B-splines (Rueckert et al., "Nonrigid registration using free-form deformations",
    IEEE TMI 1999): as smooth, for less work, and never more than the largest draw. Displaced by less than 0.12 of the
    side, nothing folds over (Choi and Lee, 2000: 0.48 of a cell).

    Args:
        n: images.
        height: pixels.
        width: pixels.
        draw: of the CPU.
        device: where the field is wanted.
    """
    knots = _CELLS + 3
    points = (torch.rand(n, 2, knots, knots, generator=draw) * 2 - 1).to(device)
    down, across = _spline(height).to(device), _spline(width).to(device)
    return (down @ points @ across.T).permute(0, 2, 3, 1)


def change_strokes(images: torch.Tensor, largest: float, draw: torch.Generator) -> torch.Tensor:
    """Images (N, C, H, W) whose bright strokes are thicker or thinner at each edge, by an amount drawn for each image.

    Dilation and erosion over a square, which is what the brightest and the darkest value within so many pixels are;
    between whole pixels the two next to it are blended. A stroke narrower than twice the amount fades. Each channel is
    changed by itself. Of dark strokes on a bright ground the thicker become thinner and the other way round, which is
    the same over many images.

    Args:
        images: in float.
        largest: share of the shorter side, at which an edge moves at most.
        draw: of the CPU.
    """
    amount = ((torch.rand(len(images), generator=draw) * 2 - 1) * largest * min(images.shape[2:])).to(images.device)
    sign = torch.where(amount < 0, -1.0, 1.0).view(-1, 1, 1, 1)
    radius = amount.abs().view(-1, 1, 1, 1)
    before = images * sign  # the least value is the largest of what is negated
    changed = before.clone()
    for ring in range(math.ceil(largest * min(images.shape[2:]))):
        after = _spread(before)
        changed.addcmul_((radius - ring).clamp(0, 1), after - before)
        before = after
    return changed * sign


def _spread(images: torch.Tensor) -> torch.Tensor:
    """The largest value of each 3 x 3 pixels; `F.max_pool2d` gives the same many times slower on a CPU."""
    for axis in (2, 3):
        widened, inner = images.clone(), images.shape[axis] - 1
        for place, beside in ((1, 0), (0, 1)):
            here = widened.narrow(axis, place, inner)
            torch.maximum(here, images.narrow(axis, beside, inner), out=here)
        images = widened
    return images


@lru_cache(maxsize=8)
def _spline(pixels: int) -> torch.Tensor:
    """(pixels, cells + 3) what each point of the grid weighs at the middle of each pixel; rows sum to 1."""
    place = (torch.arange(pixels) + 0.5) / pixels * _CELLS
    away = (place[:, None] - torch.arange(-1, _CELLS + 2)).abs()
    near, far = 2 / 3 - away**2 + away**3 / 2, (2 - away) ** 3 / 6
    return torch.where(away < 1, near, torch.where(away < 2, far, 0.0))
