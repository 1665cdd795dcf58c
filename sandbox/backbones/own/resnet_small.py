"""A small residual network for images of 32 to 64 pixels."""

from __future__ import annotations

import torch
from torch import nn

from sandbox.backbones.register import own_backbone


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut, which is a 1x1 convolution where the shape changes."""

    def __init__(self, inner: int, outer: int, stride: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inner, outer, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outer),
            nn.ReLU(inplace=True),
            nn.Conv2d(outer, outer, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outer),
        )
        self.shortcut = (
            nn.Identity()
            if stride == 1 and inner == outer
            else nn.Sequential(nn.Conv2d(inner, outer, 1, stride, bias=False), nn.BatchNorm2d(outer))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, inner, H, W) to (N, outer, H/stride, W/stride)."""
        return (self.body(x) + self.shortcut(x)).relu_()


@own_backbone(
    "resnet_small",
    "ten layers, 32-64-128-256 channels, 4x4 (or average-pooled to 4x4) map kept",
    "after He et al., CVPR 2016",
)
class ResNetSmall(nn.Module):
    """Stem, four residual blocks, and the last map pooled to 4x4 and flattened: position matters in small images."""

    def __init__(self, channels: int, image_size: int):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(channels, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(inplace=True), nn.MaxPool2d(2)
        )
        self.blocks = nn.Sequential(Block(32, 64, 1), Block(64, 128, 2), Block(128, 256, 2), Block(256, 256, 1))
        self.pool = nn.AdaptiveAvgPool2d(4)
        self.features = 256 * 16

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (N, C, H, W) float, H and W at least 8, to features (N, 4096)."""
        return self.pool(self.blocks(self.stem(x))).flatten(1)
