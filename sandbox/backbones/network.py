"""The embedding network: pixel statistics, a backbone and a head; emits raw embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from sandbox.backbones.catalog import make_backbone
from sandbox.backbones.weights import load_weights
from sandbox.errors import SandboxError
from sandbox.recipe.specs import BackboneSpec


class Network(nn.Module):
    """Pixels to raw embeddings; who compares embeddings normalises them."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, backbone: nn.Module, head: nn.Module, dim: int, mean: Sequence[float], std: Sequence[float]):
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.dim = dim
        self.frozen = False
        self.head_frozen = False
        self.notes: list[str] = []
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1))

    def freeze_backbone(self) -> None:
        """Train the head alone: the backbone's weights and its batch statistics stay as they are."""
        self.frozen = True
        self.backbone.requires_grad_(False)
        self.backbone.eval()

    def freeze_head(self) -> None:
        """Keep the head's weights and batch statistics as they are."""
        self.head_frozen = True
        self.head.requires_grad_(False)
        self.head.eval()

    def train(self, mode: bool = True) -> Network:
        """Set train or eval mode; what is frozen stays in eval mode."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        if self.head_frozen:
            self.head.eval()
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (N, C, H, W), uint8 or float in [0, 1], to raw embeddings (N, D)."""
        x = x.float() / 255 if x.dtype == torch.uint8 else x
        return self.head(self.backbone((x - self.mean) / self.std))


def make_network(
    spec: BackboneSpec, *, channels: int, image_size: int, mean: Sequence[float], std: Sequence[float]
) -> Network:
    """The network that a recipe describes, its weights drawn from torch's generator or loaded.

    Raises:
        SandboxError: an unknown backbone, images it cannot take, or weights that do not fit.
    """
    backbone = make_backbone(
        spec.name, channels=channels, image_size=image_size, stem=spec.stem, pretrained=spec.weights == "pretrained"
    )
    features = int(backbone.features)  # type: ignore[arg-type]
    dim = features if spec.head == "none" else spec.embedding_dim
    head: nn.Module = nn.Identity()
    if spec.head != "none":
        linear = nn.Linear(features, dim)
        head = nn.Sequential(linear, nn.BatchNorm1d(dim, affine=False)) if spec.head == "linear_bn" else linear
    network = Network(backbone, head, dim, mean, std)
    if spec.weights not in ("", "pretrained"):
        network.notes = load_weights(network, Path(spec.weights))
    if spec.freeze:
        network.freeze_backbone()
    if spec.freeze_head:
        if not spec.freeze:
            raise SandboxError("backbone.freeze_head keeps the head of a frozen backbone: give backbone.freeze as well")
        network.freeze_head()
    return network
