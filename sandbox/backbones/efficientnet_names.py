"""EfficientNets that were carried over from TensorFlow: their names in timm, and which of timm's networks they are.

The names are those of EfficientNet-PyTorch (github.com/lukemelas/EfficientNet-PyTorch, model.py) and of
EfficientNet-Lite-PyTorch, which has them from there. A block's layers are numbered there in the order in which an image
goes through them, and blocks are counted through all stages; timm counts them by stage.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from torch import nn

from sandbox.backbones.libraries import Trunk
from sandbox.errors import SandboxError

_OUTSIDE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
_EXPANDED = {
    **{"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2"},
    **{"_project_conv": "conv_pwl", "_bn2": "bn3", "_se_reduce": "se.conv_reduce", "_se_expand": "se.conv_expand"},
}
_SEPARABLE = {  # a block that does not expand
    **{"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"},
    **{"_se_reduce": "se.conv_reduce", "_se_expand": "se.conv_expand"},
}
_BLOCK = re.compile(r"_blocks\.(\d+)\.(\w+)\.(\w+)$")
_PLACE = re.compile(r"blocks\.(\d+)\.(\d+)\.")
_EPSILON = 1e-3  # of TensorFlow's batch norm


def is_carried_over(names: Collection[str]) -> bool:
    """Whether names are those of EfficientNet-PyTorch."""
    return "_conv_stem.weight" in names and any(_BLOCK.match(name) for name in names)


def timm_names_of(names: Collection[str], known: Collection[str]) -> dict[str, str]:
    """Names of timm, by those of EfficientNet-PyTorch; a name of neither stays.

    Args:
        names: of the file.
        known: names that timm's network has, which say how many blocks each of its stages has.
    """
    places = sorted({(int(found[1]), int(found[2])) for name in known if (found := _PLACE.match(name))})
    expanded = {int(found[1]) for name in names if (found := _BLOCK.match(name)) and found[2] == "_expand_conv"}
    new = {}
    for name in names:
        layer, _, kind = name.rpartition(".")
        found = _BLOCK.match(name)
        if found and int(found[1]) < len(places):
            stage, block = places[int(found[1])]
            inner = (_EXPANDED if int(found[1]) in expanded else _SEPARABLE).get(found[2], found[2])
            new[name] = f"blocks.{stage}.{block}.{inner}.{found[3]}"
        else:
            new[name] = f"{_OUTSIDE.get(layer, layer)}.{kind}"
    return new


def refuse_other_arithmetic(trunk: Trunk, path: object) -> None:
    """Refuse a network whose names and shapes are those of such a file, but not its arithmetic.

    TensorFlow pads a strided convolution on the right and below alone, and its batch norm adds 0.001. timm's networks
    of TensorFlow do so as well; its own of the same shapes do not, and would give other features.

    Raises:
        SandboxError: names the network that does.
    """
    first = next((m for m in trunk.network.modules() if isinstance(m, nn.BatchNorm2d)), None)
    if first is not None and first.eps != _EPSILON:
        inner = trunk.name.partition(":")[2]
        raise SandboxError(
            f"{path} was carried over from TensorFlow, which pads images and adds to variances in another way than "
            f"{trunk.name} does, so that its features would be others; give --backbone.name timm:tf_{inner}"
        )
