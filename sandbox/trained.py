"""The network of a finished run, ready to embed images of any origin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import torch

from sandbox.backbones.network import Network, embed, make_network, put_weights
from sandbox.errors import SandboxError
from sandbox.objectives.objective import Objective, build
from sandbox.objectives.resolve import resolve
from sandbox.record import RunFolder
from sandbox.training.precision import choose_autocast, choose_device

_LARGEST = 4096  # pixels; a damaged record should not ask for all memory


@dataclass(frozen=True)
class Trained:
    """A network with what its images must be like."""

    network: Network
    image_size: int
    channels: int
    flip: bool
    device: torch.device
    autocast: torch.dtype | None

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        """Unit embeddings (N, D) float32 of RGB images (N, S, S, 3) uint8 of the network's size.

        Where the network takes grey images, RGB is made grey as Pillow does it (ITU-R 601-2 luma).
        """
        if self.channels == 1 and pixels.shape[-1] == 3:
            luma = pixels.astype(np.uint32) @ np.array([19595, 38470, 7471], np.uint32) + 0x8000
            pixels = (luma >> 16).astype(np.uint8)[..., None]
        return embed(self.network, pixels, device=self.device, autocast=self.autocast, flip=self.flip)


def load_trained(folder: RunFolder) -> Trained:
    """The network with the weights that the run chose.

    Raises:
        SandboxError: no finished run there, or one whose record lacks the network's input.
    """
    known = folder.finished().get("input")
    match known:
        case {"image_size": int(size), "channels": int(channels), "head": str(head)}:
            pass
        case _:
            size, channels, head = 0, 0, ""
    if not 0 < size <= _LARGEST or channels not in (1, 3) or head not in ("linear", "linear_bn", "none"):
        raise SandboxError(f"{folder.path} does not say what images its network takes; train it again to embed others")
    recipe = folder.recipe()
    device = _device(recipe.device)
    spec = replace(recipe.backbone, head=cast(Any, head), weights="", freeze=False)
    network = make_network(spec, channels=channels, image_size=size, mean=[0.0] * channels, std=[1.0] * channels)
    weights, _ = folder.read_tensors("model.safetensors")
    try:
        put_weights(network, weights)
    except RuntimeError:
        raise SandboxError(f"{folder.path / 'model.safetensors'} does not fit the network of its recipe") from None
    network = network.to(device).to(memory_format=torch.channels_last)
    network.eval()
    return Trained(network, size, channels, recipe.evaluate.flip, device, choose_autocast(recipe.precision, device))


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
    tensors, said = folder.read_tensors("objective.safetensors")
    try:
        classes = tuple(said["classes"])
        objective = build(resolve(folder.recipe().loss, "none"), classes=len(classes), dim=network.dim)
        put_weights(objective, tensors)
    except (KeyError, TypeError, RuntimeError):
        raise SandboxError(f"{folder.path / 'objective.safetensors'} does not fit the run's recipe") from None
    objective.eval()
    return objective.to(next(network.parameters()).device), classes
