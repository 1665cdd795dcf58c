"""Which layer of a trunk a weight belongs to, counted in blocks from the image.

For its own networks timm says it (`group_matcher`, the finest grouping, which its `param_groups_layer_decay` takes).
For all others their names do, by the rule that timm's own follow: a block is what stands under a number, or under two
in a row, such as ``layer1.0`` or ``features.denseblock1.denselayer2``; what comes before the first block is layer 0,
and what follows a block without a number of its own, or has no matrix, belongs to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from torch import nn

from sandbox.backbones.libraries import Trunk, timm_layers

_NUMBERED = re.compile(r"\d+$")


def layers_of(backbone: nn.Module) -> dict[str, int]:
    """The layer, from 0 at the image, of each weight of a backbone, by its name there."""
    if isinstance(backbone, Trunk):
        found = timm_layers(backbone.network) if backbone.name.startswith("timm:") else None
        inner = found if found is not None else layers_by_name(backbone.network)
        return {f"network.{name}": layer for name, layer in _without_gaps(inner).items()}
    return layers_by_name(backbone)


def layers_by_name(network: nn.Module) -> dict[str, int]:
    """The same by names alone, in the order in which the network holds its weights."""
    weights = dict(network.named_parameters())
    matrices = {_block(name) for name, weight in weights.items() if weight.ndim > 1}
    layers: dict[str, int] = {}
    places: dict[str, int] = {}
    last = -1
    for name in weights:
        block = _block(name)
        if block in places:
            layers[name] = places[block]
            continue
        last = last + 1 if block in matrices and block else max(last, 0)
        layers[name] = last
        if block:
            places[block] = last
    return layers


def _block(name: str) -> str:
    """The block that a weight's name says it is in; empty where it says none.

    A number at the end of the innermost module's name is that of a layer in a block (``conv1``), unless it is the whole
    name.
    """
    path = name.split(".")[:-1]
    inner = len(path) - 1
    numbered = [bool(_NUMBERED.search(word)) and (place < inner or word.isdigit()) for place, word in enumerate(path)]
    if True not in numbered:
        return ""
    first = numbered.index(True)
    return ".".join(path[: first + 1 + (first < inner and numbered[first + 1])])


def _without_gaps(layers: Mapping[str, int]) -> dict[str, int]:
    """The same layers, numbered from 0 without a gap."""
    order = {layer: place for place, layer in enumerate(sorted(set(layers.values())))}
    return {name: order[layer] for name, layer in layers.items()}


def shares(layers: Iterable[int], decay: float) -> dict[int, float]:
    """The share of the learning rate that each layer gets: the last one `decay` of it, each before it that times more.

    The head, which is no layer of the trunk, gets all of it (Bao et al., BEiT, ICLR 2022; Clark et al., ELECTRA, ICLR
    2020, whose decay goes back to Howard and Ruder, ULMFiT, ACL 2018).
    """
    found = set(layers)
    return {layer: decay ** (max(found) + 1 - layer) for layer in found}
