"""The network of a finished run, ready to embed images of any origin."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import torch

from sandbox.backbones.catalog import stem_without_weights
from sandbox.backbones.embed import ITSELF, embed
from sandbox.backbones.network import Network, make_network
from sandbox.backbones.views import Views
from sandbox.backbones.weights import put_weights, refuse_misfit
from sandbox.data.images.deep import BITS
from sandbox.errors import SandboxError
from sandbox.inference.embedder import as_channels
from sandbox.objectives.objective import Objective, build
from sandbox.objectives.resolve import resolve
from sandbox.recipe.size import ImageSize, is_wrong, sides
from sandbox.runs.folder import RunFolder
from sandbox.training.device import choose_autocast, choose_device

_LARGEST = 4096  # pixels; a damaged record should not ask for all memory


@dataclass(frozen=True)
class Trained:
    """A network with what its images must be like."""

    name: str
    """The run's folder, without what lies above it."""
    digest: str
    """12 hex characters that name the weights and how images are read for them."""
    network: Network
    image_size: ImageSize
    """Side of the square images it takes, or height x width of others, pixels."""
    channels: int
    """1 for grey, 3 for RGB."""
    resize: int
    """Pixels that a photograph's shorter side gets before its middle is cut out; 0 squeezes it in."""
    flip: bool
    """Whether the unit embeddings of an image and its mirror image are averaged."""
    device: torch.device
    autocast: torch.dtype | None
    bits: int | None = None
    """That files of 16 bits or more used among its training images; None where there were none."""
    views: Views = ITSELF
    """Versions of an image, and of its mirror image where that is asked for, whose unit embeddings are averaged."""

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self.network.dim

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        """Unit embeddings (N, D) float32 of RGB images (N, H, W, 3) uint8 of the network's size.

        Where the network takes grey images, RGB is made grey as Pillow does it (ITU-R 601-2 luma).
        """
        images = as_channels(pixels, self.channels)
        averaged: Any = {"flip": self.flip, "views": self.views}
        return embed(self.network, images, device=self.device, autocast=self.autocast, **averaged)


def load_trained(folder: RunFolder) -> Trained:
    """The network with the weights that the run chose.

    Raises:
        SandboxError: no finished run there, or one whose record lacks the network's input.
    """
    known = folder.facts_of_finished().get("input")
    match known:
        case {"image_size": int(size) | str(size), "channels": int(channels), "head": str(head), **others}:
            bits = cast(int | None, others.get("bits"))
        case _:
            size, channels, head, bits = 0, 0, "", None
    fits = (
        not is_wrong(size)
        and 0 < min(sides(size)) <= max(sides(size)) <= _LARGEST
        and channels in (1, 3)
        and bits in (None, *BITS)
    )
    if not fits or head not in ("linear", "linear_bn", "none"):
        raise SandboxError(f"{folder.path} does not say what images its network takes; train it again to embed others")
    recipe = folder.recipe()
    device = _device(recipe.device)
    named = recipe.backbone
    stem = stem_without_weights(named.name, stem=named.stem, pretrained=named.weights == "pretrained")
    spec = replace(named, head=cast(Any, head), weights="", stem=cast(Any, stem), freeze=False, freeze_head=False)
    weights, _ = folder.read_tensors("model.safetensors")
    repeated = "mean" in weights and weights["mean"].shape == (1, 3, 1, 1)  # grey images for weights of colour
    inner = 3 if repeated else channels
    network = make_network(spec, channels=inner, image_size=size, mean=[0.0] * inner, std=[1.0] * inner)
    views = Views(recipe.evaluate.views, recipe.evaluate.view_strength)
    file = folder.path / "model.safetensors"
    refuse_misfit(str(file), network.state_dict(), weights, file)
    put_weights(network, weights)
    network = network.to(device).to(memory_format=torch.channels_last)
    network.eval()
    return Trained(
        name=folder.path.resolve().name,
        digest=network_digest(weights, size, recipe.data.resize or 0, recipe.evaluate.flip, bits, views),
        network=network,
        image_size=size,
        channels=channels,
        resize=recipe.data.resize or 0,
        bits=bits,
        views=views,
        flip=recipe.evaluate.flip,
        device=device,
        autocast=choose_autocast(recipe.precision, device),
    )


def network_digest(
    weights: Mapping[str, torch.Tensor],
    image_size: ImageSize,
    resize: int,
    flip: bool,
    bits: int | None = None,
    views: Views = ITSELF,
) -> str:
    """12 hex characters that name the weights (names, kinds, shapes, values) and how an image is read for them."""
    deep = f" {bits} bits" if bits not in (None, 16) else ""
    several = f" {views.count} views {views.strength!r}" if views.count > 1 else ""
    named = hashlib.sha256(f"{image_size} {resize} {flip}{deep}{several}\0".encode())
    for key in sorted(weights):
        value = weights[key].detach().cpu().contiguous()
        named.update(f"{key} {value.dtype} {tuple(value.shape)}\0".encode())
        named.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return named.hexdigest()[:12]


def _device(name: str) -> torch.device:
    """The device it was trained on or, where this machine has none such, the fastest that it has."""
    try:
        return choose_device(name)
    except SandboxError:
        return choose_device("auto")


def load_objective(folder: RunFolder, network: Network) -> tuple[Objective, tuple[str, ...]]:
    """What a run's losses learnt, such as class weights, and the classes that they are of, in order.

    Raises:
        SandboxError: the run's losses own nothing, or what is kept does not fit its recipe.
    """
    if not (folder.path / "objective.safetensors").is_file():
        raise SandboxError(f"the losses of {folder.path} own no class weights, so that it cannot classify")
    tensors, owners = folder.read_tensors("objective.safetensors")
    try:
        classes = tuple(owners["classes"])
        objective = build(resolve(folder.recipe().loss, "none"), classes=len(classes), dim=network.dim)
        put_weights(objective, tensors)
    except (KeyError, TypeError, RuntimeError):
        raise SandboxError(f"{folder.path / 'objective.safetensors'} does not fit the run's recipe") from None
    objective.eval()
    return objective.to(next(network.parameters()).device), classes
