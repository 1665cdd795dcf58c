"""A hidden layer before the head: the smallest network that is not linear, for rows of embeddings."""

from __future__ import annotations

import torch
from torch import nn

from sandbox.backbones.register import own_backbone

WIDEST = 2048
"""Units of the hidden layer at most."""


@own_backbone(
    "mlp", "one hidden layer with batch norm, twice as wide as a row is long (2,048 at most)", least=1, rows=True
)
class Mlp(nn.Module):
    """Linear, batch norm and ReLU over the numbers of a row (or of an image): D to 2 D, 2,048 at most."""

    def __init__(self, channels: int, image_size: int):
        super().__init__()
        numbers = channels * image_size**2
        self.features = min(2 * numbers, WIDEST)
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(numbers, self.features, bias=False), nn.BatchNorm1d(self.features), nn.ReLU()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (N, C, H, W) float, rows of D numbers being (N, D, 1, 1), to features (N, min(2 D, 2048))."""
        return self.layers(x)
