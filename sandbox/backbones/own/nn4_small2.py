"""NN4.small2.v1, the FaceNet that OpenFace published: an Inception network for faces of 96 pixels."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.backbones.register import own_backbone


class RootOfSquares(nn.Module):
    """L2 pooling: the root of the sum of squares over 3x3 squares side by side, without padding."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, C, H // 3, W // 3), no value below 0."""
        # The root's slope at 0 is infinite, and behind a ReLU whole squares are 0: nn.LPPool2d's gradient is NaN there.
        return (9 * F.avg_pool2d(x.square(), 3, 3)).clamp_min(1e-30).sqrt()


def largest(padding: int = 0) -> nn.Module:
    """Max-pooling over 3x3 squares, each two pixels from the last."""
    return nn.MaxPool2d(3, 2, padding)


def spatial(inner: int, reduce: int, outer: int, kernel: int, stride: int) -> nn.Sequential:
    """A 1x1 convolution that narrows and a padded one of `kernel` pixels, each with batch norm and ReLU."""
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            {
                "1_conv": nn.Conv2d(inner, reduce, 1),
                "2_bn": nn.BatchNorm2d(reduce),
                "3_relu": nn.ReLU(inplace=True),
                "4_conv": nn.Conv2d(reduce, outer, kernel, stride, kernel // 2),
                "5_bn": nn.BatchNorm2d(outer),
                "6_relu": nn.ReLU(inplace=True),
            }
        )
    )


def pooled(pool: nn.Module, inner: int, outer: int) -> nn.Sequential:
    """A pooling and, where `outer` is not 0, a 1x1 convolution with batch norm and ReLU."""
    parts: OrderedDict[str, nn.Module] = OrderedDict({"1_pool": pool})
    if outer:
        parts |= {"2_conv": nn.Conv2d(inner, outer, 1), "3_bn": nn.BatchNorm2d(outer), "4_relu": nn.ReLU(inplace=True)}
    return nn.Sequential(parts)


def pointwise(inner: int, outer: int) -> nn.Sequential:
    """A 1x1 convolution with batch norm and ReLU."""
    parts = {"1_conv": nn.Conv2d(inner, outer, 1), "2_bn": nn.BatchNorm2d(outer), "3_relu": nn.ReLU(inplace=True)}
    return nn.Sequential(OrderedDict[str, nn.Module](parts))


class Inception(nn.Module):
    """Branches over one map, beside each other: those of `convolutions`, a pooling and, where given, a 1x1 convolution.

    Args:
        inner: channels of the map.
        convolutions: kernel size to (channels between, channels out) of each branch with a spatial convolution.
        pool: what the pooling branch pools with.
        projection: channels that the pooling branch is projected to; 0 leaves the pooled map as it is.
        single: channels of the 1x1 branch; 0 where there is none.
        stride: of the spatial convolutions.
    """

    def __init__(
        self,
        inner: int,
        convolutions: dict[int, tuple[int, int]],
        pool: nn.Module,
        projection: int = 0,
        single: int = 0,
        stride: int = 1,
    ):
        super().__init__()
        branches = [spatial(inner, *widths, kernel, stride) for kernel, widths in convolutions.items()]
        branches.append(pooled(pool, inner, projection))
        if single:
            branches.append(pointwise(inner, single))
        self.seq_list = nn.ModuleList(branches)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, inner, H, W) to (N, C, H / stride, W / stride): a pooled map, which is smaller, gets zeros around it."""
        maps = [branch(x) for branch in self.seq_list]
        height, width = maps[0].shape[2:]
        return torch.cat([_centred(one, height, width) for one in maps], 1)


def _centred(x: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Zeros around a map; where they are odd in number, the right and the lower side get one more."""
    down, right = height - x.shape[2], width - x.shape[3]
    return F.pad(x, (right // 2, right - right // 2, down // 2, down - down // 2)) if down or right else x


@own_backbone(
    "nn4_small2",
    "NN4.small2.v1 of OpenFace, a FaceNet for 96 pixels (65 at least): 128 features of unit length (head none)",
    "Schroff et al., CVPR 2015; Amos et al., CMU-CS-16-118, 2016",
    least=65,
)
class NN4Small2(nn.Module):
    """A stem, seven Inception layers, the average over the map, a linear layer to 128 and x / sqrt(sum x^2 + 1e-6).

    3 x 96 x 96 images in [0, 1] (``--data.normalize none``) give maps of 192x12x12 (stem), 256x12x12, 320x12x12,
    640x6x6, 640x6x6, 1024x3x3, 736x3x3 and 736x3x3, from 3,733,968 parameters. Layers have the numbers, and their
    tensors the names, of the published weights (openface.pth), which ``--backbone.weights FILE`` reads.

    The last map is averaged whole, whatever its size, so that other sizes work from 65 pixels on: a smaller image
    leaves less than the 3x3 that the last two layers pool over. Published weights are for 96.
    """

    def __init__(self, channels: int, image_size: int):
        super().__init__()
        self.layer1 = nn.Conv2d(channels, 64, 7, 2, 3)
        self.layer2 = nn.BatchNorm2d(64)
        self.layer4 = largest(padding=1)
        self.layer5 = nn.LocalResponseNorm(5, 1e-4, 0.75)
        self.layer6 = nn.Conv2d(64, 64, 1)
        self.layer7 = nn.BatchNorm2d(64)
        self.layer9 = nn.Conv2d(64, 192, 3, 1, 1)
        self.layer10 = nn.BatchNorm2d(192)
        self.layer12 = nn.LocalResponseNorm(5, 1e-4, 0.75)
        self.layer13 = largest(padding=1)
        self.layer14 = Inception(192, {3: (96, 128), 5: (16, 32)}, largest(), 32, 64)
        self.layer15 = Inception(256, {3: (96, 128), 5: (32, 64)}, RootOfSquares(), 64, 64)
        self.layer16 = Inception(320, {3: (128, 256), 5: (32, 64)}, largest(), stride=2)
        self.layer17 = Inception(640, {3: (96, 192), 5: (32, 64)}, RootOfSquares(), 128, 256)
        self.layer18 = Inception(640, {3: (160, 256), 5: (64, 128)}, largest(), stride=2)
        self.layer19 = Inception(1024, {3: (96, 384)}, RootOfSquares(), 96, 256)
        self.layer21 = Inception(736, {3: (96, 384)}, largest(), 96, 256)
        self.layer22 = nn.AdaptiveAvgPool2d(1)
        self.layer25 = nn.Linear(736, 128)
        self.features = 128

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (N, C, H, W) float in [0, 1], H and W at least 65, to features (N, 128) of (nearly) unit length."""
        x = self.layer5(self.layer4(self.layer2(self.layer1(x)).relu_()))
        x = self.layer7(self.layer6(x)).relu_()
        x = self.layer13(self.layer12(self.layer10(self.layer9(x)).relu_()))
        x = self.layer17(self.layer16(self.layer15(self.layer14(x))))
        x = self.layer21(self.layer19(self.layer18(x)))
        x = self.layer25(self.layer22(x).flatten(1))
        x = x.to(torch.promote_types(x.dtype, torch.float32))  # lengths in half precision would be off by a percent
        return x / (x.square().sum(1, keepdim=True) + 1e-6).sqrt()
