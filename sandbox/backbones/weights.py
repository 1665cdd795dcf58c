"""Weights out of a file and into a network, or a sentence on why they do not fit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from sandbox.backbones.fit import best_fit
from sandbox.backbones.weights_file import read_weights
from sandbox.errors import SandboxError
from sandbox.wording import shown


def load_weights(network: nn.Module, path: Path) -> list[str]:
    """Load a file strictly: .safetensors, or what torch saved (.pth, .pt, .bin, .ckpt); nothing that it holds is run.

    It holds the whole network, or its backbone alone under the backbone's own names, as published files do; then head
    and pixel statistics stay as they are. Of torchvision's and timm's networks the classifier is left out. Wrappers'
    prefixes and nests are seen through; where a file holds several, averaged weights go first.

    Returns:
        Sentences on what was chosen of it and what was left out.

    Raises:
        SandboxError: no such file, none that is read, keys that are missing, unexpected, of another shape or of another
            kind of number, or values that are not finite.
    """
    fit, notes = best_fit(network, read_weights(path), path)
    refuse_misfit(str(path), fit.module.state_dict(), fit.tensors, path)
    put_weights(fit.module, fit.tensors)
    return notes


def refuse_misfit(what: str, wanted: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor], path: Path) -> None:
    """Refuse weights that are not those of a network.

    Args:
        what: where they came from, for the error.
        wanted: the tensors that the network has.
        state: the tensors that were read.
        path: the file they lie in, beside which a recipe may say more.

    Raises:
        SandboxError: keys that are missing, unexpected, of another shape or of another kind of number, or values that
            are not finite.
    """
    both = sorted(wanted.keys() & state.keys())
    wrong = {
        "missing": sorted(wanted.keys() - state.keys()),
        "unexpected": sorted(state.keys() - wanted.keys()),
        "of another shape": [key for key in both if wanted[key].shape != state[key].shape],
        "of another kind of number": [key for key in both if _kind(wanted[key]) != _kind(state[key])],
    }
    if any(wrong.values()):
        parts = [f"{len(keys)} {kind} ({_names(keys)})" for kind, keys in wrong.items() if keys]
        hint = _mend(wanted, state, path, {key for keys in wrong.values() for key in keys})
        if wrong["missing"] and wrong["unexpected"]:
            parts.append(f"the network knows {len(both):,} of its {len(state):,} names")
        raise SandboxError(f"{what} does not fit the network: {'; '.join(parts)}{hint}")
    broken = [key for key in both if not state[key].float().isfinite().all()]
    if broken:
        raise SandboxError(f"{what} holds NaN or infinite values in {broken[0]} ({len(broken)} tensors in all)")


def _kind(values: torch.Tensor) -> str:
    return "complex" if values.is_complex() else "float" if values.is_floating_point() else "integer"


def _names(keys: Sequence[str]) -> str:
    """The first three, which a stranger may have chosen."""
    plain = [key if key.isprintable() and len(key) <= 80 else shown(key) for key in keys[:3]]
    return ", ".join(plain) + (", ..." if len(keys) > 3 else "")


def _mend(wanted: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor], path: Path, wrong: set[str]) -> str:
    """The clause that says what the file asks for, as far as its keys and shapes tell."""
    if "mean" in wanted and all(key.startswith("head.") for key in wrong):
        if not any(key.startswith("head.") for key in state):
            return "; only the head differs, and the file has none: --backbone.head none"
        kind, key = ("linear_bn", "head.0.weight") if "head.0.weight" in state else ("linear", "head.weight")
        if key in state and state[key].ndim == 2:
            flags = f"--backbone.head {kind} --backbone.embedding_dim {len(state[key])}"
            return f"; only the head differs, and the file's is {flags}"
    shapes = {
        key: (tuple(wanted[key].shape), tuple(state[key].shape)) for key in sorted(wrong & wanted.keys() & state.keys())
    }
    sizes = next(
        (
            f"; {_names([key])} is {_by(there)} in the file, {_by(here)} in the network"
            for key, (here, there) in shapes.items()
            if here != there
        ),
        "",
    )
    first = next((key for key, value in wanted.items() if value.ndim == 4 and key not in ("mean", "std")), "")
    for key, (here, there) in shapes.items():
        if hint := _mend_shape(key, here, there, stem=key == first):
            return f"{sizes}; {hint}"
    recipe = path.with_name("recipe.toml")
    return sizes + (f"; {recipe} names the network it belongs to" if recipe.is_file() else "")


def _mend_shape(key: str, here: tuple[int, ...], there: tuple[int, ...], *, stem: bool) -> str:
    """What the network would have to be like for a tensor of another shape, where that is plain."""
    if len(here) == len(there) == 4 and here[0] == there[0]:  # pixel statistics, or the first convolution
        if here[2:] == there[2:] and {here[1], there[1]} == {1, 3}:
            return f"the file is for images of {there[1]} channels, these have {here[1]}: see --data.colour"
        if stem and here[1] == there[1] and here[2:] == (3, 3) and there[2] > 3:
            return "the first layer keeps the resolution of small images, the file's does not: --backbone.stem standard"
    if key.rpartition(".")[2] in ("pos_embed", "pos_embedding"):
        return "the file's places are those of images of another size: see --data.image_size"
    return ""


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "one number"


def put_weights(module: nn.Module, state: Mapping[str, torch.Tensor]) -> None:
    """Load tensors that went through a file, which keeps no module versions: they are of this code's version.

    Raises:
        RuntimeError: keys or shapes do not fit.
    """
    versioned = OrderedDict(state)
    versioned._metadata = module.state_dict()._metadata  # type: ignore[attr-defined]
    module.load_state_dict(versioned)
