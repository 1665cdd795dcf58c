"""A network of torchvision or timm with published weights, or those of a file, without any training here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from sandbox.backbones.network import make_network
from sandbox.backbones.pixel_form import pixel_form
from sandbox.data.images.pixels import IMAGENET
from sandbox.errors import SandboxError
from sandbox.inference.trained import Trained, network_digest
from sandbox.recipe.specs import BackboneSpec
from sandbox.training.device import choose_device
from sandbox.wording import shown

_SIDE = 224  # pixels, of a network for which its library gives none
_LARGEST = 4096


def published_network(name: str, given: Mapping[str, str]) -> Trained:
    """The features of a library's network, made unit length; images are read as its library reads them.

    Args:
        name: ``timm:NAME`` or ``torchvision:NAME``.
        given: `weights` (``pretrained``, which is meant where it is not given, or a file as --backbone.weights reads
            it) and `size`, the side of the images in pixels.

    Raises:
        SandboxError: no such network, weights that cannot be fetched or do not fit, or settings of ONNX files.
    """
    if wrong := sorted(set(given) - {"weights", "size"}):
        raise SandboxError(f"{wrong[0]} is a setting of ONNX files; {name} takes weights and size")
    form = pixel_form(name)
    size = given.get("size", "")
    if size and not (size.isascii() and size.isdecimal() and len(size) < 5 and 1 <= int(size) <= _LARGEST):
        raise SandboxError(f"size of {name} is {shown(size)}, but is a whole number of pixels, 1 to {_LARGEST:,}")
    side = int(size) if size else form.image_size if form else _SIDE
    mean, std = (form.mean, form.std) if form else IMAGENET
    spec = BackboneSpec(name=name, head="none", weights=given.get("weights", "pretrained"))
    network = make_network(spec, channels=3, image_size=side, mean=list(mean), std=list(std))
    network = network.to(device := choose_device("auto")).to(memory_format=torch.channels_last)
    network.eval()
    resize = form.resize if form and not size else 0
    settings: Any = {"resize": resize, "flip": False, "device": device, "autocast": None}
    digest = network_digest(network.state_dict(), side, resize, False)
    return Trained(name=name, digest=digest, network=network, image_size=side, channels=3, **settings)
