"""Six convolutions for small images: the default, and the best of those tried on 32-pixel letters for its time."""

from __future__ import annotations

import torch
from torch import nn

from sandbox.backbones.register import own_backbone


@own_backbone("conv6", "3x3 convolutions of 32 | 64, 64 | 128, 128 | 256 channels with batch norm; 4x4 map kept")
class Conv6(nn.Module):
    """Convolution, batch norm and ReLU six times, halved three times; the last map is pooled to 4x4 and flattened."""

    def __init__(self, channels: int, image_size: int):
        super().__init__()
        layers: list[nn.Module] = []
        inner = channels
        for stage in ((32,), (64, 64), (128, 128), (256,)):
            for outer in stage:
                layers += [
                    nn.Conv2d(inner, outer, 3, padding=1, bias=False),
                    nn.BatchNorm2d(outer),
                    nn.ReLU(inplace=True),
                ]
                inner = outer
            if inner < 256:
                layers.append(nn.MaxPool2d(2))
        self.layers = nn.Sequential(*layers, nn.AdaptiveMaxPool2d(4))
        self.features = inner * 16

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (N, C, H, W) float, H and W at least 8, to features (N, 4096)."""
        return self.layers(x).flatten(1)
