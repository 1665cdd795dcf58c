"""The network of a finished run, ready to embed images of any origin."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch

from sandbox.backbones.embed import ITSELF, embed
from sandbox.backbones.network import Network
from sandbox.backbones.views import Views
from sandbox.backbones.weights import put_weights
from sandbox.called import called
from sandbox.errors import SandboxError
from sandbox.inference.embedder import as_channels
from sandbox.inference.rebuilt import Takes, rebuild, taken
from sandbox.objectives.objective import Objective, build
from sandbox.objectives.resolve import resolve
from sandbox.recipe.size import ImageSize
from sandbox.recipe.specs import Recipe
from sandbox.runs.folder import RunFolder
from sandbox.training.device import choose_autocast, choose_device


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
    """1 for grey, 3 for RGB; numbers of a row where it takes those."""
    resize: int
    """Pixels that a photograph's shorter side gets before its middle is cut out; 0 squeezes it in."""
    flip: bool
    """Whether the unit embeddings of an image and its mirror image are averaged."""
    device: torch.device
    autocast: torch.dtype | None
    bits: int | None = None
    """That files of 16 bits or more used among its training images; None where there were none."""
    of_rows: bool = False
    """Whether it takes rows of numbers, (N, 1, 1, `channels`) float32, in the place of images."""
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
        images = pixels if self.of_rows else as_channels(pixels, self.channels)
        averaged: Any = {"flip": self.flip, "views": self.views}
        return embed(self.network, images, device=self.device, autocast=self.autocast, **averaged)


def load_trained(folder: RunFolder, *, rows: bool = False) -> Trained:
    """The network with the weights that the run chose.

    Args:
        folder: of the run.
        rows: whether a head over rows of numbers will do; the caller has no images then.

    Raises:
        SandboxError: no finished run there, or one whose record lacks the network's input, or that takes rows.
    """
    takes = taken(folder.facts_of_finished().get("input"))
    if takes is None:
        raise SandboxError(f"{folder.path} does not say what images its network takes; train it again to embed others")
    if takes.rows and not rows:
        raise SandboxError(
            f"{folder.path} is a head over rows of {takes.channels:,} numbers, so it takes no images; "
            f"{called('embed')} embeds a file of rows with it"
        )
    recipe = folder.recipe()
    weights, _ = folder.read_tensors("model.safetensors")
    network = rebuild(recipe.backbone, takes, weights, folder.path / "model.safetensors")
    size, resize, views = takes.image_size, recipe.data.resize or 0, views_of(recipe)
    return Trained(
        name=folder.path.resolve().name,
        digest=network_digest(weights, size, resize, recipe.evaluate.flip, takes.bits, views),
        resize=resize,
        views=views,
        flip=recipe.evaluate.flip,
        **placed(network, takes, recipe.device, recipe.precision),
    )


def views_of(recipe: Recipe) -> Views:
    """The versions of an image whose embeddings are averaged."""
    return Views(recipe.evaluate.views, recipe.evaluate.view_strength)


def placed(network: Network, takes: Takes, device: str, precision: str) -> dict[str, Any]:
    """A network on its device, ready to embed, and what `Trained` holds of it."""
    where = _device(device)
    network = network.to(where).to(memory_format=torch.channels_last)
    network.eval()
    return {
        "network": network,
        "image_size": takes.image_size,
        "channels": takes.channels,
        "bits": takes.bits,
        "of_rows": takes.rows,
        "device": where,
        "autocast": choose_autocast(cast(Any, precision), where),
    }


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
