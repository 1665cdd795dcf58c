"""ShuffleNetV2 cut down for face thumbnails of 32 pixels: no pooling, two stages, wider than the original."""

from __future__ import annotations

import torch
from torch import nn

from sandbox.backbones.register import own_backbone


def shuffle_channels(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Two halves (N, C/2, H, W) to (N, C, H, W), a channel of each by turns: left 0, right 0, left 1, right 1, ..."""
    return torch.stack((left, right), 2).flatten(1, 2)


def convolution(inner: int, outer: int, kernel: int, *, relu: bool = True) -> list[nn.Module]:
    """Convolution without padding and bias, batch norm and, unless told otherwise, ReLU."""
    layers = [nn.Conv2d(inner, outer, kernel, bias=False), nn.BatchNorm2d(outer)]
    return [*layers, nn.ReLU(inplace=True)] if relu else layers


def depthwise(width: int, *, stride: int, padding: int) -> list[nn.Module]:
    """A 3x3 convolution of each channel by itself, and batch norm; no ReLU follows."""
    return [nn.Conv2d(width, width, 3, stride, padding, groups=width, bias=False), nn.BatchNorm2d(width)]


class DownUnit(nn.Module):
    """Two branches that both halve the map; each puts out half of the channels."""

    def __init__(self, inner: int, outer: int):
        super().__init__()
        half = outer // 2
        self.left = nn.Sequential(*depthwise(inner, stride=2, padding=0), *convolution(inner, half, 1))
        self.right = nn.Sequential(
            *convolution(inner, inner, 1), *depthwise(inner, stride=2, padding=0), *convolution(inner, half, 1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, inner, H, W) to (N, outer, (H - 1) // 2, (W - 1) // 2)."""
        return shuffle_channels(self.left(x), self.right(x))


class BasicUnit(nn.Module):
    """The first half of the channels passes through, the second goes through 1x1, 3x3 depthwise and 1x1."""

    def __init__(self, width: int):
        super().__init__()
        half = width // 2
        self.right = nn.Sequential(
            *convolution(half, half, 1), *depthwise(half, stride=1, padding=1), *convolution(half, half, 1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, width, H, W) to the same shape."""
        left, right = x.chunk(2, 1)
        return shuffle_channels(left, self.right(right))


def stage(inner: int, outer: int) -> nn.Sequential:
    """A down unit and three basic units."""
    return nn.Sequential(DownUnit(inner, outer), *(BasicUnit(outer) for _ in range(3)))


@own_backbone(
    "shufflenet_thumbnail",
    "ShuffleNetV2 for 32 pixels: 2x2 stem, stages of 224 and 976 channels, 2048 features, average-pooled",
    "after Ma et al., ECCV 2018",
)
class ShuffleNetThumbnail(nn.Module):
    """Stem, two stages of a down unit and three basic units, a 1x1 convolution and the average over the map.

    3 x 32 x 32 images give maps of 24x31x31, 224x15x15, 976x7x7 and 2048x7x7, from 3,817,512 parameters. Nothing but
    the basic units pads: eight pixels (maps of 7, 3 and 1) are the fewest that leave a last map. The right branch of a
    down unit widens in its last convolution, where the paper's does in its first.
    """

    def __init__(self, channels: int, image_size: int):
        super().__init__()
        self.conv1 = nn.Sequential(*convolution(channels, 24, 2))
        self.stage2 = stage(24, 224)
        self.stage3 = stage(224, 976)
        self.conv5 = nn.Sequential(*convolution(976, 2048, 1))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.features = 2048

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (N, C, H, W) float, H and W at least 8, to features (N, 2048), none of them negative."""
        return self.pool(self.conv5(self.stage3(self.stage2(self.conv1(x))))).flatten(1)
