"""ResNet-18 whose every shortcut is a projection, where the usual one projects only where the shape changes."""

from __future__ import annotations

import torch
from torch import nn

from sandbox.backbones.register import own_backbone


class ProjectedBlock(nn.Module):
    """Two 3x3 convolutions, and beside them a 1x1 convolution with batch norm (option C of He et al., section 4.1)."""

    def __init__(self, inner: int, outer: int, stride: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inner, outer, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outer),
            nn.ReLU(inplace=True),
            nn.Conv2d(outer, outer, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outer),
        )
        self.shortcut = nn.Sequential(nn.Conv2d(inner, outer, 1, stride, bias=False), nn.BatchNorm2d(outer))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, inner, H, W) to (N, outer, ceil(H / stride), ceil(W / stride))."""
        return (self.body(x) + self.shortcut(x)).relu_()


@own_backbone(
    "resnet18_projected",
    "ResNet-18 for 224 pixels with a 1x1 convolution in every shortcut; 512 features, average-pooled",
    "after He et al., CVPR 2016, option C",
)
class ResNet18Projected(nn.Module):
    """The 7x7 stem with max-pool, eight blocks in four stages of 64 to 512 channels, and the average over the map.

    3 x 224 x 224 images give maps of 64x56x56 (stem and stage 1), 128x28x28, 256x14x14 and 512x7x7, from 11,530,816
    parameters: 354,304 more than the usual ResNet-18. It divides the side by 32, so that 32 pixels leave a map of 1x1.
    """

    def __init__(self, channels: int, image_size: int):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(channels, 64, 7, 2, 3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),
        )
        self.stages = nn.Sequential(
            *(
                nn.Sequential(ProjectedBlock(inner, outer, stride), ProjectedBlock(outer, outer, 1))
                for inner, outer, stride in ((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2))
            )
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.features = 512

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (N, C, H, W) float, H and W at least 8, to features (N, 512), none of them negative."""
        return self.pool(self.stages(self.stem(x))).flatten(1)
