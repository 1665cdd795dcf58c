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
from sandbox.runs.folder import RunFolder
from sandbox.training.device import choose_autocast, choose_device

_LARGEST = 4096  # pixels; a damaged record should not ask for all memory
_LONGEST = 1 << 20  # numbers of a row, likewise


@dataclass(frozen=True)
class Trained:
    """A network with what its images must be like."""

    name: str
    """The run's folder, without what lies above it."""
    digest: str
    """12 hex characters that name the weights and how images are read for them."""
    network: Network
    image_size: int
    """Side of the square images it takes, pixels."""
    channels: int
    """1 for grey, 3 for RGB; numbers of a row where it takes those."""
    resize: int
    """Pixels that a photograph's shorter side gets before the square is cut out of its middle; 0 squeezes it in."""
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
        """Unit embeddings (N, D) float32 of RGB images (N, S, S, 3) uint8 of the network's size.

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
    known = folder.facts_of_finished().get("input")
    of_rows = isinstance(known, dict) and known.get("rows") is True
    if isinstance(known, dict) and of_rows and not rows:
        raise SandboxError(
            f"{folder.path} is a head over rows of {known.get('channels')} numbers, so it takes no images; "
            "python experiments/embed.py embeds a file of rows with it"
        )
    match known:
        case {"image_size": int(size), "channels": int(channels), "head": str(head), **others}:
            bits = cast(int | None, others.get("bits"))
        case _:
            size, channels, head, bits = 0, 0, "", None
    shapes = size == 1 and 0 < channels <= _LONGEST if of_rows else 0 < size <= _LARGEST and channels in (1, 3)
    fits = shapes and bits in (None, *BITS)
    if not fits or head not in ("linear", "linear_bn", "none"):
        raise SandboxError(f"{folder.path} does not say what images its network takes; train it again to embed others")
    recipe = folder.recipe()
    device = _device(recipe.device)
    named = recipe.backbone
    stem = stem_without_weights(named.name, stem=named.stem, pretrained=named.weights == "pretrained")
    spec = replace(named, head=cast(Any, head), weights="", stem=cast(Any, stem), freeze=False, freeze_head=False)
    weights, _ = folder.read_tensors("model.safetensors")
    repeated = "mean" in weights and weights["mean"].shape == (1, 3, 1, 1)  # grey images for weights of colour
    inner = 3 if repeated and not of_rows else channels
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
        of_rows=of_rows,
        device=device,
        autocast=choose_autocast(recipe.precision, device),
    )


def network_digest(
    weights: Mapping[str, torch.Tensor],
    image_size: int,
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
