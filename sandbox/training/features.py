"""A frozen trunk's features: where no augmentation changes the images, they are computed once and then looked up."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from sandbox.backbones.embed import Pixels, raw_embeddings
from sandbox.backbones.network import Network
from sandbox.data.augment import Augment

_MOST_BYTES = 4 * 2**30


def computed_once(network: Network, augment: Augment, *, images: int, shown: int) -> tuple[bool, list[str]]:
    """Whether the features are computed once and, of a frozen trunk, the sentence that says which and why.

    Args:
        network: what trains.
        augment: what happens to a training image.
        images: training images.
        shown: images of all steps together.
    """
    if not network.frozen:
        return False, []
    size = images * _features(network) * 4
    why_not = ""
    if augment.mirror or any(value for value in vars(augment.spec).values() if isinstance(value, int | float)):
        why_not = "augmentation changes the images"
    elif shown < images:
        why_not = f"fewer images are shown ({shown:,}) than there are ({images:,})"
    elif size > _MOST_BYTES:
        why_not = f"its features would take {size / 2**30:.0f} GiB of memory"
    if why_not:
        return False, [f"the frozen trunk runs at every step: {why_not}"]
    return True, ["the frozen trunk's features are computed once: no augmentation changes the images"]


def trunk_features(
    network: Network, pixels: Pixels, *, device: torch.device, autocast: torch.dtype | None
) -> torch.Tensor:
    """What the trunk makes of images (N, H, W, C) uint8, in eval mode: (N, F) float32, kept on the CPU."""
    mean, std = (values.flatten().tolist() for values in (network.mean, network.std))
    trunk = Network(network.backbone, nn.Identity(), _features(network), mean, std).to(device)
    trunk.freeze_backbone()
    features = torch.empty(pixels.shape[0], trunk.dim)
    start = 0
    for rows in raw_embeddings(trunk, pixels, device=device, autocast=autocast):
        features[start : start + len(rows)] = rows.cpu()
        start += len(rows)
    return features


def over_features(network: Network) -> Network:
    """The head alone, as a network over `as_pixels`; its weights are those of the network that it came from."""
    over = Network(nn.Flatten(), network.head, network.dim, [0.0], [1.0]).to(network.mean.device)
    if network.head_frozen:
        over.freeze_head()
    return over


def as_pixels(features: torch.Tensor) -> np.ndarray:
    """Features (N, F) as images of one pixel and F channels, (N, 1, 1, F) float32, which `embed` takes."""
    return features.numpy()[:, None, None, :]


def _features(network: Network) -> int:
    return int(network.backbone.features)  # type: ignore[arg-type]
