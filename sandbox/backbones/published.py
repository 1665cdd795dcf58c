"""What the networks that torchvision and timm publish are called inside: classifiers, and names of older versions."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Mapping
from functools import cache

import torch

from sandbox.backbones.efficientnet_names import is_carried_over, timm_names_of
from sandbox.backbones.libraries import Trunk, timm_filter, whole_network

_OLDER = (
    (re.compile(r"(\.denselayer\d+\.(?:norm|conv))\.([12]\.\w+)$"), r"\1\2"),  # DenseNet before torch 0.4
    (re.compile(r"\.mlp\.linear_1\.(\w+)$"), r".mlp.0.\1"),  # vision transformers before torchvision 0.14
    (re.compile(r"\.mlp\.linear_2\.(\w+)$"), r".mlp.3.\1"),
)


def renewed(names: Collection[str], known: Collection[str]) -> dict[str, str]:
    """Names as torchvision writes them today, by the names of a file of any of its versions, and timm's EfficientNets.

    Args:
        names: of the file; files were published once, and some networks were renamed since.
        known: names that the network has; no other is made.
    """
    if "conv_stem.weight" in known and is_carried_over(names):
        return timm_names_of(names, known)
    new = {}
    for name in names:
        changed = [pattern.sub(today, name) for pattern, today in _OLDER] if name not in known else []
        new[name] = next((each for each in changed if each in known and each not in names), name)
    return new


def left_out_names(trunk: Trunk, names: Collection[str]) -> list[str]:
    """Those of some names that belong to what the library's whole network has beyond the trunk: its classifiers.

    The library itself is asked, which builds the network once more with them. What stands in a classifier's place,
    such as layers that were put there by somebody else, has names that begin like it and counts as well.
    """
    with torch.random.fork_rng(devices=[]):  # where the library draws weights, a run's own draws stay as they were
        whole = _names_of_whole(trunk.name)
    beyond = whole - trunk.network.state_dict().keys()
    places = {name.rpartition(".")[0] for name in beyond}
    return [name for name in names if name in beyond or any(name.startswith(f"{place}.") for place in places if place)]


@cache
def _names_of_whole(name: str) -> frozenset[str]:
    """Names of the tensors of a library's network as it is published."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about initial weights, which nobody will use
        try:
            with torch.device("meta"):  # names and shapes alone
                network = whole_network(name)
        except (RuntimeError, NotImplementedError):  # some read values while they are built
            network = whole_network(name)
    return frozenset(network.state_dict())


def filtered(trunk: Trunk, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor] | None:
    """Tensors as timm itself brings a published file of this network into its names; None where it has no way to.

    Most of its files have them already; those that others published are renamed each time they are read.
    """
    change = timm_filter(trunk.name)
    if change is None:
        return None
    try:
        return dict(change(dict(tensors), trunk.network))
    except Exception:  # it was written for one file, and meets any
        return None
