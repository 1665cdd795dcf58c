"""Images through a network in eval mode, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from torch.nn import functional as F

from sandbox.backbones.network import Network
from sandbox.backbones.views import Views, versions

ITSELF = Views()
_AT_A_TIME, _PIXELS_AT_A_TIME = 512, 512 * 32 * 32  # images; and on a CPU, whose caches overflow beyond


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
    views: Views = ITSELF,
    batch: int | None = None,
) -> np.ndarray:
    """Unit embeddings (N, D) float32 of images (N, H, W, C) uint8, or of several versions of each.

    The network runs in eval mode, so that an image's embedding depends on no other image of its batch; its mode is put
    back afterwards. An embedding of length zero stays zero. With `flip` and `views`, the unit embeddings of an image's
    versions (itself, its mirror image, affine changes of either) are added and the sum is made unit length. `batch`
    images go through it at a time; where that is not given 512, and on a CPU the fewer the larger they are.
    """
    rows = np.empty((pixels.shape[0], network.dim), dtype=np.float32)
    grids = views.grids(pixels.shape[1], pixels.shape[2]).to(device)
    start = 0
    for images in _batches(network, pixels, device, batch):
        units = (_unit(_forward(network, x, autocast)).cpu() for x in versions(images, grids, flip=flip))
        total = next(units)
        for other in units:
            total += other
        rows[start : start + len(total)] = (_unit(total) if flip or len(grids) else total).numpy()
        start += len(total)
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
    batch: int | None = None,
) -> Iterator[torch.Tensor]:
    """What the network emits for images (N, H, W, C) uint8, a batch (n, D) float32 at a time, in eval mode.

    Args:
        network: its mode is put back afterwards.
        pixels: the images.
        device: where the network is.
        autocast: precision to run it in.
        batch: images at a time; where not given 512, and on a CPU the fewer the larger they are.
    """
    for images in _batches(network, pixels, device, batch):
        yield _forward(network, images, autocast)


def _batches(network: Network, pixels: Pixels, device: torch.device, batch: int | None) -> Iterator[torch.Tensor]:
    """Images (n, C, H, W) uint8 at a time; the network is in eval mode between the first and the last."""
    was_training = network.training
    network.eval()
    step = batch or _at_a_time(pixels.shape[1] * pixels.shape[2], device)
    for start in range(0, pixels.shape[0], step):
        yield to_tensor(pixels[np.arange(start, min(start + step, pixels.shape[0]))]).to(device)
    network.train(was_training)


def _at_a_time(pixels: int, device: torch.device) -> int:
    return _AT_A_TIME if device.type != "cpu" else min(_AT_A_TIME, max(8, _PIXELS_AT_A_TIME // pixels))


def _forward(network: Network, x: torch.Tensor, autocast: torch.dtype | None) -> torch.Tensor:
    with torch.autocast(x.device.type, dtype=autocast, enabled=autocast is not None):
        raw = network(x)
    return raw.float()


def to_tensor(images: np.ndarray) -> torch.Tensor:
    """(N, H, W, C) uint8 array to (N, C, H, W) uint8 tensor in channels-last order, without a copy."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
