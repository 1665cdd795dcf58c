"""The embedding network: pixel statistics, a backbone and a head; emits raw embeddings."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from sandbox.backbones.catalog import make_backbone
from sandbox.errors import SandboxError
from sandbox.recipe import BackboneSpec

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


class Pixels(Protocol):
    """Images as an array (N, H, W, C) uint8, which may be a memory map."""

    shape: tuple[int, ...]

    def __getitem__(self, key: np.ndarray) -> np.ndarray: ...


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
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1))

    def freeze_backbone(self) -> None:
        """Train the head alone: the backbone's weights and its batch statistics stay as they are."""
        self.frozen = True
        self.backbone.requires_grad_(False)
        self.backbone.eval()

    def train(self, mode: bool = True) -> Network:
        """Set train or eval mode; a frozen backbone stays in eval mode."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
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
        load_weights(network, Path(spec.weights))
    if spec.freeze:
        if spec.head == "none":
            raise SandboxError("backbone.freeze leaves nothing to train with backbone.head none; choose a linear head")
        network.freeze_backbone()
    return network


def load_weights(network: nn.Module, path: Path) -> None:
    """Load a .safetensors file strictly.

    Raises:
        SandboxError: no such file, not safetensors, or keys that are missing, unexpected or of another shape.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if path.suffix != ".safetensors":
        raise SandboxError(
            f"weights '{path}' are no .safetensors file (pickled checkpoints are refused: they can run code)"
        )
    if not path.is_file():
        raise SandboxError(f"no weights at {path}")
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise SandboxError(f"{path} is damaged or no safetensors file: {error}") from None
    wanted = network.state_dict()
    missing, extra = sorted(wanted.keys() - state.keys()), sorted(state.keys() - wanted.keys())
    shaped = [key for key in wanted.keys() & state.keys() if wanted[key].shape != state[key].shape]
    if missing or extra or shaped:
        parts = [
            f"{len(keys)} {what} ({', '.join(keys[:3])}{', ...' if len(keys) > 3 else ''})"
            for what, keys in (("missing", missing), ("unexpected", extra), ("of another shape", sorted(shaped)))
            if keys
        ]
        raise SandboxError(f"{path} does not fit the network: {'; '.join(parts)}")
    put_weights(network, state)


def put_weights(module: nn.Module, state: Mapping[str, torch.Tensor]) -> None:
    """Load tensors that went through a file, which keeps no module versions: they are of this code's version.

    Raises:
        RuntimeError: keys or shapes do not fit.
    """
    versioned = OrderedDict(state)
    versioned._metadata = module.state_dict()._metadata  # type: ignore[attr-defined]
    module.load_state_dict(versioned)


def pixel_statistics(pixels: Pixels, labels: np.ndarray, kind: str) -> tuple[list[float], list[float]]:
    """Mean and standard deviation per channel, in [0, 1]: of up to 2,000 evenly spaced images, ImageNet's, or none."""
    channels = pixels.shape[-1]
    if kind == "none":
        return [0.0] * channels, [1.0] * channels
    if kind == "imagenet":
        mean, std = IMAGENET
        return (list(mean), list(std)) if channels == 3 else ([sum(mean) / 3], [sum(std) / 3])
    some = pixels[np.unique(np.linspace(0, len(labels) - 1, 2000).astype(np.int64))].astype(np.float64) / 255
    std_of = some.std(axis=(0, 1, 2))
    return some.mean(axis=(0, 1, 2)).tolist(), np.maximum(std_of, 1e-3).tolist()


@torch.no_grad()
def embed(
    network: Network, pixels: Pixels, *, device: torch.device, autocast: torch.dtype | None = None, batch: int = 512
) -> np.ndarray:
    """Unit embeddings (N, D) float32 of images (N, H, W, C) uint8.

    The network runs in eval mode, so that an image's embedding depends on no other image of its batch; its mode is put
    back afterwards. An embedding of length zero stays zero.
    """
    was_training = network.training
    network.eval()
    rows = np.empty((pixels.shape[0], network.dim), dtype=np.float32)
    for start in range(0, len(rows), batch):
        index = np.arange(start, min(start + batch, len(rows)))
        x = to_tensor(pixels[index]).to(device)
        with torch.autocast(device.type, dtype=autocast, enabled=autocast is not None):
            raw = network(x)
        rows[index] = F.normalize(raw.float()).cpu().numpy()
    network.train(was_training)
    return rows


def to_tensor(images: np.ndarray) -> torch.Tensor:
    """(N, H, W, C) uint8 array to (N, C, H, W) uint8 tensor in channels-last order, without a copy."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
