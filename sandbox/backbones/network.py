"""The embedding network: pixel statistics, a backbone and a head; emits raw embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from sandbox.backbones.catalog import make_backbone
from sandbox.backbones.weights import load_weights
from sandbox.errors import SandboxError
from sandbox.recipe.size import ImageSize
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
        self._held = False
        self.notes: list[str] = []
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1))

    def freeze_backbone(self) -> None:
        """Train the head alone: the backbone's weights and its batch statistics stay as they are."""
        self.frozen = True
        self.backbone.requires_grad_(False)
        self.backbone.eval()

    def hold_backbone(self, held: bool) -> None:
        """Leave the backbone for now as it is, batch statistics too, or train it again; a frozen one stays so."""
        if held != self._held:
            self._held = held
            self.train(self.training)

    def freeze_head(self) -> None:
        """Keep the head's weights and batch statistics as they are."""
        self.head_frozen = True
        self.head.requires_grad_(False)
        self.head.eval()

    def train(self, mode: bool = True) -> Network:
        """Set train or eval mode; what is frozen stays in eval mode."""
        super().train(mode)
        if self.frozen or self._held:
            self.backbone.eval()
        if self.head_frozen:
            self.head.eval()
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (N, C, H, W), uint8 or float in [0, 1], to raw embeddings (N, D); one channel may stand for three."""
        x = x.float() / 255 if x.dtype == torch.uint8 else x
        x = (x - self.mean) / self.std
        if not self._held:
            return self.head(self.backbone(x))
        with torch.no_grad():
            features = self.backbone(x)
        return self.head(features)


def make_network(
    spec: BackboneSpec, *, channels: int, image_size: ImageSize, mean: Sequence[float], std: Sequence[float]
) -> Network:
    """The network that a recipe describes, its weights drawn from torch's generator or loaded.

    Raises:
        SandboxError: an unknown backbone, images it cannot take, or weights that do not fit.

    Grey images for weights of a library's network that were learnt in colour are repeated to three channels: pixel
    statistics of three channels, taken off one, do that.
    """
    colour = channels == 1 and spec.weights == "pretrained" and ":" in spec.name
    network = _with_head(spec, 3 if colour else channels, image_size, mean, std)
    if spec.weights not in ("", "pretrained"):
        network, colour = _loaded(network, spec, channels, image_size, mean, std)
    if colour:
        network.notes.append(
            f"the images are grey and the weights of {spec.name} were learnt in colour: each is repeated to three "
            "channels"
        )
    if spec.freeze:
        network.freeze_backbone()
    if spec.freeze_head:
        if not spec.freeze:
            raise SandboxError("backbone.freeze_head keeps the head of a frozen backbone: give backbone.freeze as well")
        network.freeze_head()
    return network


def _with_head(
    spec: BackboneSpec, channels: int, image_size: ImageSize, mean: Sequence[float], std: Sequence[float]
) -> Network:
    """The network with random weights, or those that a library publishes."""
    backbone = make_backbone(
        spec.name, channels=channels, image_size=image_size, stem=spec.stem, pretrained=spec.weights == "pretrained"
    )
    features = int(backbone.features)  # type: ignore[arg-type]
    dim = features if spec.head == "none" else spec.embedding_dim
    head: nn.Module = nn.Identity()
    if spec.head != "none":
        linear = nn.Linear(features, dim)
        head = nn.Sequential(linear, nn.BatchNorm1d(dim, affine=False)) if spec.head == "linear_bn" else linear
    network = Network(backbone, head, dim, _of_channels(mean, channels), _of_channels(std, channels))
    network.notes = list(getattr(backbone, "notes", ()))
    return network


def _of_channels(values: Sequence[float], channels: int) -> list[float]:
    """Statistics of one channel for each of three, or the mean of three for one."""
    return list(values) if len(values) == channels else [sum(values) / len(values)] * channels


def _loaded(
    network: Network,
    spec: BackboneSpec,
    channels: int,
    image_size: ImageSize,
    mean: Sequence[float],
    std: Sequence[float],
) -> tuple[Network, bool]:
    """The network with the weights of a file, and whether it takes three channels where the images have one."""
    try:
        network.notes += load_weights(network, Path(spec.weights))
        return network, False
    except SandboxError:
        if channels != 1 or ":" not in spec.name:
            raise
        colour = _with_head(spec, 3, image_size, mean, std)
        try:
            colour.notes += load_weights(colour, Path(spec.weights))
        except SandboxError:
            pass  # then what is wrong with the first is the sentence to say
        else:
            return colour, True
        raise
