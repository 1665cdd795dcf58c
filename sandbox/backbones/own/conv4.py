"""Four convolution blocks: the network of much few-shot and metric-learning work on small images."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from sandbox.backbones.register import own_backbone


@own_backbone(
    "conv4",
    "four 3x3 convolutions of 32, 64, 128 and 256 channels with batch norm; 4x4 map kept",
    "after Vinyals et al., NeurIPS 2016",
)
class Conv4(nn.Module):
    """Convolution, batch norm, ReLU and pooling four times; the last map is pooled to 4x4 and flattened."""

    def __init__(self, channels: int, image_size: int):
        super().__init__()
        widths = (channels, 32, 64, 128, 256)
        layers: list[nn.Module] = []
        for inner, outer in pairwise(widths):
            layers += [nn.Conv2d(inner, outer, 3, padding=1, bias=False), nn.BatchNorm2d(outer), nn.ReLU(inplace=True)]
            if outer != widths[-1]:
                layers.append(nn.MaxPool2d(2))
        self.layers = nn.Sequential(*layers, nn.AdaptiveMaxPool2d(4))
        self.features = widths[-1] * 16

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (N, C, H, W) float, H and W at least 8, to features (N, 4096)."""
        return self.layers(x).flatten(1)
