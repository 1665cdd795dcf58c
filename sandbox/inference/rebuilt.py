"""A trained network made anew out of its description and its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch

from sandbox.backbones.catalog import stem_without_weights
from sandbox.backbones.network import Network, make_network
from sandbox.backbones.weights import put_weights, refuse_misfit
from sandbox.data.images.deep import BITS
from sandbox.recipe.size import ImageSize, is_wrong, sides
from sandbox.recipe.specs import BackboneSpec

_LARGEST = 4096  # pixels; a damaged record should not ask for all memory
_LONGEST = 1 << 20  # numbers of a row, likewise


@dataclass(frozen=True)
class Takes:
    """What a network takes, and the head that it has."""

    image_size: ImageSize
    channels: int
    """1 for grey, 3 for RGB; numbers of a row where it takes those."""
    head: str
    bits: int | None = None
    rows: bool = False


def taken(known: Any) -> Takes | None:
    """What a record says a network takes; None where it does not say it, or says what cannot be."""
    match known:
        case {"image_size": int(size) | str(size), "channels": int(channels), "head": str(head), **others}:
            takes = Takes(size, channels, head, cast(int | None, others.get("bits")), others.get("rows") is True)
        case _:
            return None
    if is_wrong(size):
        return None
    shapes = 0 < min(sides(size)) <= max(sides(size)) <= _LARGEST and takes.channels in (1, 3)
    if takes.rows:
        shapes = takes.image_size == 1 and 0 < takes.channels <= _LONGEST
    return takes if shapes and takes.bits in (None, *BITS) and takes.head in ("linear", "linear_bn", "none") else None


def rebuild(named: BackboneSpec, takes: Takes, weights: Mapping[str, torch.Tensor], file: Path) -> Network:
    """The network with its weights, on the CPU.

    Args:
        named: as its recipe has it.
        takes: see `taken`.
        weights: by name.
        file: where they lie, for errors.

    Raises:
        SandboxError: they are of another network.
    """
    stem = stem_without_weights(named.name, stem=named.stem, pretrained=named.weights == "pretrained")
    spec = replace(named, head=cast(Any, takes.head), weights="", stem=cast(Any, stem), freeze=False, freeze_head=False)
    repeated = "mean" in weights and weights["mean"].shape == (1, 3, 1, 1)  # grey images for weights of colour
    inner = 3 if repeated and not takes.rows else takes.channels
    network = make_network(spec, channels=inner, image_size=takes.image_size, mean=[0.0] * inner, std=[1.0] * inner)
    refuse_misfit(str(file), network.state_dict(), weights, file)
    put_weights(network, weights)
    return network
