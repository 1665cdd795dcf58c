"""Augmentation of a whole batch at once, a pure function of (seed, step)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from sandbox.data.distortions import change_strokes, elastic_field
from sandbox.data.erasing import erase
from sandbox.recipe.specs import AugmentSpec

_STREAM = 7919  # keeps these draws apart from other uses of (seed, step)
_ELASTIC, _STROKE, _FILL = 1, 2, 3  # each with draws of its own, so that none moves those of another


@dataclass(frozen=True)
class Augment:
    """What may happen to a training image; see `AugmentSpec` for the ranges."""

    spec: AugmentSpec
    mirror: bool
    seed: int

    def __call__(self, x: torch.Tensor, step: int) -> torch.Tensor:
        """Images (N, C, H, W) uint8 to (N, C, H, W) float in [0, 1], changed as (seed, step) says, on any device.

        Floats are no pixels, but rows of numbers, and stay as they are.
        """
        if x.is_floating_point():
            return x
        draw = self._draws(step)
        images = x.float() / 255
        spec, n = self.spec, len(x)
        if spec.stroke:
            images = change_strokes(images, spec.stroke, self._draws(step, _STROKE))
        if spec.rotate or spec.scale or spec.shear or spec.translate or spec.elastic or self.mirror:
            grid = F.affine_grid(
                self._affine(n, draw, x.shape[2] / x.shape[3]).to(x.device), list(x.shape), align_corners=False
            )
            if spec.elastic:  # in the same sampling; a side is 2 long
                field = elastic_field(n, x.shape[2], x.shape[3], self._draws(step, _ELASTIC), x.device)
                grid = grid + 2 * spec.elastic * field
            images = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
        if spec.contrast:
            gain = 1 + spec.contrast * _symmetric(n, draw).to(x.device).view(-1, 1, 1, 1)
            shift = spec.contrast * 0.5 * _symmetric(n, draw).to(x.device).view(-1, 1, 1, 1)
            images = (images * gain + shift).clamp_(0, 1)
        if spec.erase:
            images = erase(images, spec.erase, spec.erase_fill, draw, self._draws(step, _FILL))
        return images.contiguous(memory_format=torch.channels_last)

    @property
    def mixes(self) -> bool:
        """Whether an image may get a part of another one of its batch."""
        return self.spec.erase > 0 and self.spec.erase_fill == "mixed"

    def _draws(self, step: int, stream: int = 0) -> torch.Generator:
        return torch.Generator().manual_seed((self.seed * 1_000_003 + step) * 31 + _STREAM + stream)

    def _affine(self, n: int, draw: torch.Generator, tall: float) -> torch.Tensor:
        """(N, 2, 3) maps from output to input coordinates, which run from -1 to 1 on either side.

        Args:
            n: images.
            draw: of the CPU.
            tall: height over width, by which a turn in pixels is one in these coordinates.
        """
        spec = self.spec
        angle = _symmetric(n, draw) * math.radians(spec.rotate)
        zoom_x = 1 + _symmetric(n, draw) * spec.scale
        zoom_y = 1 + _symmetric(n, draw) * spec.scale
        shear = _symmetric(n, draw) * spec.shear
        shift = _symmetric(2 * n, draw).view(n, 2) * 2 * spec.translate
        side = torch.where(torch.rand(n, generator=draw) < 0.5, -1.0, 1.0) if self.mirror else torch.ones(n)
        cos, sin = angle.cos(), angle.sin()
        rows = torch.stack(
            [
                cos * zoom_x * side,
                (shear - sin) * zoom_y * tall,
                shift[:, 0],
                sin * zoom_x * side / tall,
                cos * zoom_y,
                shift[:, 1],
            ],
            1,
        )
        return rows.view(n, 2, 3)


def _symmetric(n: int, draw: torch.Generator) -> torch.Tensor:
    return torch.rand(n, generator=draw) * 2 - 1
