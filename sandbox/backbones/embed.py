"""Images through a network in eval mode, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from torch.nn import functional as F

from sandbox.backbones.network import Network


class Pixels(Protocol):
    """Images as an array (N, H, W, C) uint8, which may be a memory map."""

    shape: tuple[int, ...]

    def __getitem__(self, key: np.ndarray) -> np.ndarray: ...


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
        unit = _unit(raw)
        rows[start : start + len(unit)] = unit.cpu().numpy()
        start += len(unit)
    if flip:
        start = 0
        for raw in raw_embeddings(network, pixels, device=device, autocast=autocast, mirror=True, batch=batch):
            both = _unit(raw).cpu() + torch.from_numpy(rows[start : start + len(raw)])
            rows[start : start + len(raw)] = _unit(both).numpy()
            start += len(raw)
    return rows


def _unit(rows: torch.Tensor) -> torch.Tensor:
    """Rows (N, D) float32 scaled to unit length, those too whose squares float32 does not hold; zeros stay zero."""
    unit, length = F.normalize(rows), rows.norm(dim=1, keepdim=True)
    largest = rows.abs().amax(1, keepdim=True)
    beyond = ((length < 1e-12) | ~length.isfinite()) & (largest > 0) & largest.isfinite()
    return torch.where(beyond, F.normalize(rows / largest), unit) if beyond.any() else unit


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
