"""Every network by name: ours from their files, torchvision's and timm's through their own lists."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any

import torch
from torch import nn

import sandbox.backbones.own as package
from sandbox.backbones.register import OWN, Own
from sandbox.called import called
from sandbox.errors import SandboxError, unknown
from sandbox.recipe.size import ImageSize, sides

SMALL_PATCH = 4
"""Pixels: 8 x 8 patches of an image of 32, as vision transformers have on CIFAR."""

PATCHED = ("vit_", "deit_")
"""How the names of timm's networks begin that may be made with other patches."""


@cache
def own_backbones() -> dict[str, Own]:
    """Networks of our own by name, sorted."""
    for found in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{found.name}")
    return dict(sorted(OWN.items()))


def make_backbone(name: str, *, channels: int, image_size: ImageSize, stem: str, pretrained: bool) -> nn.Module:
    """The network behind a name, with random weights or published ones.

    Args:
        name: one of ours, ``torchvision:NAME`` or ``timm:NAME``.
        channels: 1 (grey) or 3 (RGB).
        image_size: side of the images, or height x width, pixels.
        stem: ``small`` keeps the resolution of the first layer, or gives one of timm's vision transformers patches of 4
            pixels; ``auto`` does the former up to 64 pixels, but leaves a pretrained first layer and patches alone.
            Ours have the one first layer that they have: ``auto``.
        pretrained: fetch what the library publishes.

    Raises:
        SandboxError: no such network, it cannot take such images, or it has no such stem or published weights.
    """
    source, _, inner = name.partition(":")
    if source in ("torchvision", "timm") and inner:
        small = stem == "small" or (stem == "auto" and max(sides(image_size)) <= 64 and not pretrained)
        return _library_trunk(name, channels, image_size, small, stem == "small", pretrained)
    if name not in own_backbones():
        hint = f"torchvision:NAME and timm:NAME reach every network of those; {called('run')} --list backbones"
        raise unknown("backbone", name, own_backbones(), hint)
    own = own_backbones()[name]
    if pretrained:
        raise SandboxError(
            f"no library fetches weights for {name}; give a file (.safetensors, .pth or .pt), or leave "
            "--backbone.weights out (where a recipe has it: --backbone.weights '')"
        )
    if stem != "auto":
        raise SandboxError(
            f"--backbone.stem {stem} has nothing to change: the first layer of {name} is fixed; leave it out (networks "
            "of torchvision:NAME and timm:NAME have stems)"
        )
    height, width = sides(image_size)
    if min(height, width) < own.least:
        raise SandboxError(
            f"{name} takes images of at least {own.least} pixels, not {image_size}; raise --data.image_size"
        )
    network = own.make(channels=channels, image_size=min(height, width))
    if height != width:
        _check_oblong(network, name, channels, height, width)
    return network


def _check_oblong(network: nn.Module, name: str, channels: int, height: int, width: int) -> None:
    """Refuse images that are not square for a network of ours that was written for squares.

    Raises:
        SandboxError: it fails on them, or puts out other features than it says.
    """
    was_training = network.training
    try:
        with torch.no_grad():
            found = tuple(network.eval()(torch.zeros(1, channels, height, width)).shape)
    except (RuntimeError, ValueError, AssertionError, IndexError):
        found = ()
    network.train(was_training)
    if found != (1, network.features):
        raise SandboxError(
            f"{name} takes square images alone, not {height} x {width}: give --data.image_size {min(height, width)}, "
            "or a network of torchvision or timm that averages its map, such as torchvision:resnet50"
        )


def _library_trunk(
    name: str, channels: int, image_size: ImageSize, small: bool, asked: bool, pretrained: bool
) -> nn.Module:
    """A library's network; one whose small stem was asked for and that has none says so in its notes."""
    from sandbox.backbones.libraries import timm_trunk, torchvision_trunk

    source, _, inner = name.partition(":")
    given: Any = {"channels": channels, "image_size": image_size, "small": small, "pretrained": pretrained}
    if source == "torchvision":
        trunk = torchvision_trunk(inner, **given)
    else:
        patched = asked and not pretrained and inner.startswith(PATCHED)
        trunk = timm_trunk(inner, **given, patch=SMALL_PATCH if patched else None)
    if asked and not trunk.small:
        trunk.notes.append(f"--backbone.stem small changes nothing of {name}, whose first layers it leaves as they are")
    return trunk


def stem_without_weights(name: str, *, stem: str, pretrained: bool) -> str:
    """The stem that gives a network the layers it has with published weights, where it is made without them.

    Args:
        name: of the network.
        stem: that its recipe has.
        pretrained: whether that asks for published weights, which keep their first layer where it says ``auto``, and
            their patches.
    """
    if not pretrained or ":" not in name:
        return stem
    patches = name.partition(":")[2].startswith(PATCHED)
    return "standard" if stem == "auto" or patches else stem
