"""Augmentation of a whole batch at once, a pure function of (seed, step)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from sandbox.recipe.specs import AugmentSpec

_STREAM = 7919  # keeps these draws apart from other uses of (seed, step)


@dataclass(frozen=True)
class Augment:
    """What may happen to a training image; see `AugmentSpec` for the ranges."""

    spec: AugmentSpec
    mirror: bool
    seed: int

    def __call__(self, x: torch.Tensor, step: int) -> torch.Tensor:
        """Images (N, C, H, W) uint8 to (N, C, H, W) float in [0, 1], changed as (seed, step) says, on any device."""
        draw = torch.Generator().manual_seed((self.seed * 1_000_003 + step) * 31 + _STREAM)
        images = x.float() / 255
        spec, n = self.spec, len(x)
        if spec.rotate or spec.scale or spec.shear or spec.translate or self.mirror:
            grid = F.affine_grid(self._affine(n, draw).to(x.device), list(x.shape), align_corners=False)
            images = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
        if spec.contrast:
            gain = 1 + spec.contrast * _symmetric(n, draw).to(x.device).view(-1, 1, 1, 1)
            shift = spec.contrast * 0.5 * _symmetric(n, draw).to(x.device).view(-1, 1, 1, 1)
            images = (images * gain + shift).clamp_(0, 1)
        if spec.erase:
            images = _erase(images, spec.erase, draw)
        return images.contiguous(memory_format=torch.channels_last)

    def _affine(self, n: int, draw: torch.Generator) -> torch.Tensor:
        """(N, 2, 3) maps from output to input coordinates, which run from -1 to 1."""
        spec = self.spec
        angle = _symmetric(n, draw) * math.radians(spec.rotate)
        zoom_x = 1 + _symmetric(n, draw) * spec.scale
        zoom_y = 1 + _symmetric(n, draw) * spec.scale
        shear = _symmetric(n, draw) * spec.shear
        shift = _symmetric(2 * n, draw).view(n, 2) * 2 * spec.translate
        side = torch.where(torch.rand(n, generator=draw) < 0.5, -1.0, 1.0) if self.mirror else torch.ones(n)
        cos, sin = angle.cos(), angle.sin()
        rows = torch.stack(
            [cos * zoom_x * side, (shear - sin) * zoom_y, shift[:, 0], sin * zoom_x * side, cos * zoom_y, shift[:, 1]],
            1,
        )
        return rows.view(n, 2, 3)


def _symmetric(n: int, draw: torch.Generator) -> torch.Tensor:
    return torch.rand(n, generator=draw) * 2 - 1


def _erase(images: torch.Tensor, probability: float, draw: torch.Generator) -> torch.Tensor:
    n, _, height, width = images.shape
    size = torch.rand(n, 2, generator=draw) * 0.4 + 0.1
    corner = torch.rand(n, 2, generator=draw) * (1 - size)
    hit = torch.rand(n, generator=draw) < probability
    size, corner, hit = size.to(images.device), corner.to(images.device), hit.to(images.device)
    y = torch.linspace(0, 1, height, device=images.device)
    x = torch.linspace(0, 1, width, device=images.device)
    rows = (y >= corner[:, :1]) & (y <= corner[:, :1] + size[:, :1])
    columns = (x >= corner[:, 1:]) & (x <= corner[:, 1:] + size[:, 1:])
    hole = rows[:, :, None] & columns[:, None, :] & hit[:, None, None]
    return images.masked_fill(hole[:, None], 0.5)
