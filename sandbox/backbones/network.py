"""The embedding network: pixel statistics, a backbone and a head; emits raw embeddings."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from sandbox.backbones.catalog import make_backbone
from sandbox.backbones.weights import read_weights, with_counts
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
        self.head_frozen = False
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
        load_weights(network, Path(spec.weights))
    if spec.freeze:
        network.freeze_backbone()
    if spec.freeze_head:
        if not spec.freeze:
            raise SandboxError("backbone.freeze_head keeps the head of a frozen backbone: give backbone.freeze as well")
        network.freeze_head()
    return network


def load_weights(network: nn.Module, path: Path) -> None:
    """Load a file strictly: .safetensors, or what torch saved (.pth, .pt); nothing that it holds is run.

    It holds the whole network, or its backbone alone under the backbone's own names, as published files do; then head
    and pixel statistics stay as they are.

    Raises:
        SandboxError: no such file, none that is read, keys that are missing, unexpected, of another shape or of another
            kind of number, or values that are not finite.
    """
    state = read_weights(path)
    module = _owner(network, state)
    wanted = module.state_dict()
    state = with_counts(wanted, state)
    refuse_misfit(str(path), wanted, state, path)
    put_weights(module, state)


def _owner(network: nn.Module, state: Mapping[str, torch.Tensor]) -> nn.Module:
    """The network, or its backbone where more of the names are the backbone's own."""
    backbone = getattr(network, "backbone", network)
    return max((network, backbone), key=lambda module: len(module.state_dict().keys() & state.keys()))


def refuse_misfit(what: str, wanted: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor], path: Path) -> None:
    """Refuse weights that are not those of a network.

    Args:
        what: where they came from, for the error.
        wanted: the tensors that the network has.
        state: the tensors that were read.
        path: the file they lie in, beside which a recipe may say more.

    Raises:
        SandboxError: keys that are missing, unexpected, of another shape or of another kind of number, or values that
            are not finite.
    """
    both = sorted(wanted.keys() & state.keys())
    wrong = {
        "missing": sorted(wanted.keys() - state.keys()),
        "unexpected": sorted(state.keys() - wanted.keys()),
        "of another shape": [key for key in both if wanted[key].shape != state[key].shape],
        "of another kind of number": [key for key in both if _kind(wanted[key]) != _kind(state[key])],
    }
    if any(wrong.values()):
        parts = [
            f"{len(keys)} {kind} ({', '.join(keys[:3])}{', ...' if len(keys) > 3 else ''})"
            for kind, keys in wrong.items()
            if keys
        ]
        hint = _mend(wanted, state, path, {key for keys in wrong.values() for key in keys})
        raise SandboxError(f"{what} does not fit the network: {'; '.join(parts)}{hint}")
    broken = [key for key in both if not state[key].float().isfinite().all()]
    if broken:
        raise SandboxError(f"{what} holds NaN or infinite values in {broken[0]} ({len(broken)} tensors in all)")


def _kind(values: torch.Tensor) -> str:
    return "complex" if values.is_complex() else "float" if values.is_floating_point() else "integer"


def _mend(wanted: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor], path: Path, wrong: set[str]) -> str:
    """The clause that says what the file asks for, as far as its keys and shapes tell."""
    if all(key.startswith("head.") for key in wrong):
        if not any(key.startswith("head.") for key in state):
            return "; only the head differs, and the file has none: --backbone.head none"
        kind, key = ("linear_bn", "head.0.weight") if "head.0.weight" in state else ("linear", "head.weight")
        if key in state and state[key].ndim == 2:
            flags = f"--backbone.head {kind} --backbone.embedding_dim {len(state[key])}"
            return f"; only the head differs, and the file's is {flags}"
    for key in sorted(wrong & wanted.keys() & state.keys()):
        here, there = wanted[key].shape, state[key].shape  # of the pixel statistics, or of the first convolution
        if len(here) == 4 and here[:1] + here[2:] == there[:1] + there[2:] and {here[1], there[1]} == {1, 3}:
            return f"; the file is for images of {there[1]} channels, these have {here[1]}: see --data.colour"
    recipe = path.with_name("recipe.toml")
    return f"; {recipe} names the network it belongs to" if recipe.is_file() else ""


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
    network: Network,
    pixels: Pixels,
    *,
    device: torch.device,
    autocast: torch.dtype | None = None,
    flip: bool = False,
    batch: int = 512,
) -> np.ndarray:
    """Unit embeddings (N, D) float32 of images (N, H, W, C) uint8; with `flip`, of an image and its mirror image.

    The network runs in eval mode, so that an image's embedding depends on no other image of its batch; its mode is put
    back afterwards. An embedding of length zero stays zero. With `flip`, the unit embeddings of both are added and the
    sum is made unit length.
    """
    rows = np.empty((pixels.shape[0], network.dim), dtype=np.float32)
    start = 0
    for raw in raw_embeddings(network, pixels, device=device, autocast=autocast, batch=batch):
        unit = F.normalize(raw)
        rows[start : start + len(unit)] = unit.cpu().numpy()
        start += len(unit)
    if flip:
        start = 0
        for raw in raw_embeddings(network, pixels, device=device, autocast=autocast, mirror=True, batch=batch):
            both = F.normalize(raw).cpu() + torch.from_numpy(rows[start : start + len(raw)])
            rows[start : start + len(raw)] = F.normalize(both).numpy()
            start += len(raw)
    return rows


@torch.no_grad()
def raw_embeddings(
    network: Network,
    pixels: Pixels,
    *,
    device: torch.device,
    autocast: torch.dtype | None = None,
    mirror: bool = False,
    batch: int = 512,
) -> Iterator[torch.Tensor]:
    """What the network emits for images (N, H, W, C) uint8, a batch (n, D) float32 at a time, in eval mode.

    Args:
        network: its mode is put back afterwards.
        pixels: the images.
        device: where the network is.
        autocast: precision to run it in.
        mirror: turn each image about its vertical axis first.
        batch: images at a time.
    """
    was_training = network.training
    network.eval()
    for start in range(0, pixels.shape[0], batch):
        x = to_tensor(pixels[np.arange(start, min(start + batch, pixels.shape[0]))]).to(device)
        with torch.autocast(device.type, dtype=autocast, enabled=autocast is not None):
            raw = network(x.flip(-1) if mirror else x)
        yield raw.float()
    network.train(was_training)


def to_tensor(images: np.ndarray) -> torch.Tensor:
    """(N, H, W, C) uint8 array to (N, C, H, W) uint8 tensor in channels-last order, without a copy."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
