"""What a network costs: weights, multiply-adds of one image, the smallest image, and images in a second here."""

from __future__ import annotations

import time
from functools import cache

import torch
from torch import nn

from sandbox.backbones.catalog import make_backbone, own_backbones
from sandbox.backbones.libraries import Trunk, made_for_one_side
from sandbox.backbones.pixel_form import pixel_form
from sandbox.backbones.sides import smallest_side
from sandbox.errors import SandboxError
from sandbox.recipe.size import ImageSize, sides

_SIDE = 224  # pixels
_IMAGES, _SECONDS = 8, 0.5
_MOST_WEIGHTS = 200_000_000
"""Of a network that is timed; larger ones take gigabytes and minutes."""


def own_side(name: str) -> int:
    """The side of the images that a network is measured at: what its library gives for it, 224, or 32 and more."""
    if own := own_backbones().get(name):
        return max(own.least, 32)
    form = pixel_form(name)
    return form.image_size if form else _SIDE


@cache
def outline(name: str, size: ImageSize, stem: str = "auto", channels: int = 3) -> nn.Module:
    """A network for images of a size on torch's `meta` device, where its library can make it there.

    Raises:
        SandboxError: no such network, or it does not take such images.
    """
    try:
        with torch.device("meta"):  # shapes alone: nothing is drawn or held
            return make_backbone(name, channels=channels, image_size=size, stem=stem, pretrained=False)
    except SandboxError:  # some libraries read values while they build
        made = make_backbone(name, channels=channels, image_size=size, stem=stem, pretrained=False)
        return made.to("meta")


def multiply_adds(network: nn.Module, size: ImageSize, channels: int = 3) -> int:
    """Multiply-adds of convolutions, linear layers and attention for one image, by torch's own counter.

    It counts what is multiplied and what is added apart, so half of it is taken.
    """
    from torch.utils.flop_counter import FlopCounterMode

    device = next(network.parameters()).device
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(torch.zeros(1, channels, *sides(size), device=device))
    return counter.get_total_flops() // 2


def least_side(name: str, stem: str) -> int | None:
    """The smallest side of colour images that a network of a library takes with a stem; None where none is found."""
    if made_for_one_side(name):
        return smallest_side(lambda side: _inner(outline(name, side, stem)), 3, sized=True)
    network = _inner(outline(name, _SIDE, stem))
    return smallest_side(lambda side: network, 3)


def _inner(network: nn.Module) -> nn.Module:
    """The library's own network, which knows its patches."""
    return network.network if isinstance(network, Trunk) else network


def images_per_second(name: str, side: int, device: torch.device) -> float | None:
    """Colour images of a side that go through a network in a second, forward alone, in a try of half a second.

    Returns:
        A rough number, which is not the same twice; None for a network that is too large to try.
    """
    if sum(weights.numel() for weights in outline(name, side).parameters()) > _MOST_WEIGHTS:
        return None
    network = make_backbone(name, channels=3, image_size=side, stem="auto", pretrained=False).to(device).eval()
    images, done = torch.zeros(_IMAGES, 3, side, side, device=device), 0
    with torch.no_grad():
        network(images).sum().item()  # the first call loads what the others have at hand
        began = time.perf_counter()
        while time.perf_counter() - began < _SECONDS:
            network(images).sum().item()
            done += _IMAGES
        return done / (time.perf_counter() - began)
