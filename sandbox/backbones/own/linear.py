"""No network before the head: what is given, flattened. The head makes it a linear map."""

from __future__ import annotations

import torch
from torch import nn

from sandbox.backbones.register import own_backbone


@own_backbone("linear", "nothing before the head: pixels, or rows of embeddings, as they are", least=1, rows=True)
class Linear(nn.Module):
    """The numbers of an image, or of a row, one after the other."""

    def __init__(self, channels: int, image_size: int):
        super().__init__()
        self.features = channels * image_size**2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (N, C, H, W) float to features (N, C * H * W)."""
        return x.flatten(1)
