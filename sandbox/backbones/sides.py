"""Which sides of images a network takes, found by trying them on torch's `meta` device: shapes alone, no numbers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

LEAST, _MOST, _NEAR = 4, 512, 64
"""Pixels: the smallest side of images here, the largest that is tried, and how far above a side another is sought."""
Make = Callable[[int], nn.Module]
"""The network for images of a side, pixels."""


def takes(make: Make, channels: int, side: int) -> bool:
    """Whether the network that is made for images of a side puts something out for one."""
    try:
        with torch.device("meta"), torch.no_grad():
            out = make(side).to("meta").eval()(torch.zeros(1, channels, side, side))
        return out.numel() > 0
    except Exception:  # whatever a library raises: the side is not one that it takes
        return False


def smallest_side(make: Make, channels: int, *, sized: bool = False) -> int | None:
    """The smallest side that works.

    Args:
        make: the network.
        channels: of the images.
        sized: whether it is made for one side alone, as vision transformers are: not every larger side works then, so
            each up to `_NEAR` is tried. Else what is left is halved: one pixel less does not work. Where there are
            patches, one of them is the smallest image.

    Returns:
        Pixels, at least `LEAST`; None where none is found.
    """
    if (patch := _patch(make)) and takes(make, channels, patch):
        return max(patch, LEAST)
    if sized:
        return next((side for side in range(LEAST, _NEAR + 1) if takes(make, channels, side)), None)
    if not takes(make, channels, _MOST):
        return None
    low, high = LEAST - 1, _MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if takes(make, channels, middle) else (middle, high)
    return high


def _patch(make: Make) -> int:
    """Side of the patches of a vision transformer, pixels; 0 where none is known."""
    try:
        with torch.device("meta"):
            network = make(_NEAR)
    except Exception:  # 64 pixels may not be a side that it is made for
        return 0
    found = getattr(getattr(network, "patch_embed", None), "patch_size", getattr(network, "patch_size", 0))
    side = found[0] if isinstance(found, tuple) else found
    return side if isinstance(side, int) else 0


def what_it_takes(make: Make, channels: int, side: int, *, sized: bool) -> str:
    """The clause that says which side works where one does not; empty where none is found."""
    least = smallest_side(make, channels, sized=sized)
    if least is None or least > side:
        return f"; it takes images of at least {least} pixels: raise --data.image_size" if least else ""
    following = next((s for s in range(side + 1, side + _NEAR) if takes(make, channels, s)), None)
    also = f", and {following} is the next side above {side} that works" if following else ""
    return f"; it takes images of at least {least} pixels{also}: see --data.image_size"
