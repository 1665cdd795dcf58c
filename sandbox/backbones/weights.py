"""What a file of weights holds, by name: safetensors, or what torch saved, of which nothing is ever run."""

from __future__ import annotations

import re
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sandbox.errors import SandboxError
from sandbox.wording import reason

ENDINGS = (".safetensors", ".pth", ".pt")
_NESTS = ("state_dict", "model")
_PARALLEL = "module."


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file by name, on the CPU.

    A file that torch saved may hold them alone or under ``state_dict`` or ``model``, and a ``module.`` before each name
    (nn.DataParallel's) is taken off. It is read with ``weights_only``: a pickle may name any function to be called, and
    that reader calls none but those that put tensors together.

    Raises:
        SandboxError: no such file, none of these kinds, damaged, one whose pickle asks for code, or not (only) tensors.
    """
    if path.suffix not in ENDINGS:
        raise SandboxError(
            f"weights '{path}' are neither .safetensors nor .pth or .pt (other pickled checkpoints are refused: they "
            "can run code)"
        )
    if not path.is_file():
        raise SandboxError(f"no weights at {path}")
    return _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)


def with_counts(wanted: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """`state` with the counts of batches, each 0, that files from before torch 0.4.1 lack; no embedding reads them.

    Args:
        wanted: the tensors that the network has.
        state: the tensors that were read; if any count is among them, they are returned as they are.
    """
    counts = {key: torch.zeros_like(value) for key, value in wanted.items() if key.endswith(".num_batches_tracked")}
    return dict(state) if counts.keys() & state.keys() else {**counts, **state}


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise SandboxError(f"{path} is damaged or no safetensors file: {error}") from None


def _read_torch(path: Path) -> dict[str, torch.Tensor]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise SandboxError(f"cannot read {path}: {reason(error)}") from None
    with file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the format; what matters of it is said below
        try:
            found = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # a damaged pickle may raise anything
            raise SandboxError(f"{path} {_refusal(error)}") from None
    return _tensors(found, path)


def _refusal(error: Exception) -> str:
    """The rest of the sentence about a file that torch's reader of tensors would not read."""
    message = " ".join(str(error).split())
    if asked := re.search(r"GLOBAL ([\w.]+)", message):
        return (
            f"holds more than tensors: it asks for {asked[1]}, and pickled checkpoints that can run code are refused; "
            "where it comes from, save the network's state_dict() alone"
        )
    if kind := re.search(r"TorchScript|\.tar format", message):
        name = "a TorchScript program" if kind[0] == "TorchScript" else "of torch's oldest format, a tar file"
        return f"is {name}, which can run code and is refused; where it comes from, save the network's state_dict()"
    return "is damaged or nothing that torch saved, and pickled checkpoints of other kinds are refused"


def _tensors(found: Any, path: Path) -> dict[str, torch.Tensor]:
    """The state dict in what was read."""
    for _ in _NESTS:  # no deeper: a dictionary may hold itself
        if isinstance(found, dict) and (nest := next((n for n in _NESTS if isinstance(found.get(n), dict)), "")):
            found = found[nest]
    if not isinstance(found, dict) or not found:
        raise SandboxError(f"{path} holds no tensors by name (a {type(found).__name__}); save a network's state_dict()")
    for key, value in found.items():
        if not isinstance(key, str) or not _plain(value):
            named = ", ".join(f"'{nest}'" for nest in _NESTS)
            raise SandboxError(
                f"{path} holds {key!r}, which is no plain tensor; a state dict stands alone or under one of {named}"
            )
    if all(key.startswith(_PARALLEL) for key in found):
        found = {key.removeprefix(_PARALLEL): value for key, value in found.items()}
    return {key: value.detach() for key, value in found.items()}


def _plain(value: Any) -> bool:
    """Whether a value is a tensor whose numbers are all there, one by one."""
    return (
        isinstance(value, torch.Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
    )


def load_weights(network: nn.Module, path: Path) -> None:
    """Load a file strictly: .safetensors, or what torch saved (.pth, .pt); nothing that it holds is run.

    It holds the whole network, or its backbone alone under the backbone's own names, as published files do; then head
    and pixel statistics stay as they are.

    Raises:
        SandboxError: no such file, none that is read, keys that are missing, unexpected, of another shape or of another
            kind of number, or values that are not finite.
    """
    state = read_weights(path)
    module = _owner(network, state)
    wanted = module.state_dict()
    state = with_counts(wanted, state)
    refuse_misfit(str(path), wanted, state, path)
    put_weights(module, state)


def _owner(network: nn.Module, state: Mapping[str, torch.Tensor]) -> nn.Module:
    """The network, or its backbone where more of the names are the backbone's own."""
    backbone = getattr(network, "backbone", network)
    return max((network, backbone), key=lambda module: len(module.state_dict().keys() & state.keys()))


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
        parts = [
            f"{len(keys)} {kind} ({', '.join(keys[:3])}{', ...' if len(keys) > 3 else ''})"
            for kind, keys in wrong.items()
            if keys
        ]
        hint = _mend(wanted, state, path, {key for keys in wrong.values() for key in keys})
        raise SandboxError(f"{what} does not fit the network: {'; '.join(parts)}{hint}")
    broken = [key for key in both if not state[key].float().isfinite().all()]
    if broken:
        raise SandboxError(f"{what} holds NaN or infinite values in {broken[0]} ({len(broken)} tensors in all)")


def _kind(values: torch.Tensor) -> str:
    return "complex" if values.is_complex() else "float" if values.is_floating_point() else "integer"


def _mend(wanted: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor], path: Path, wrong: set[str]) -> str:
    """The clause that says what the file asks for, as far as its keys and shapes tell."""
    if all(key.startswith("head.") for key in wrong):
        if not any(key.startswith("head.") for key in state):
            return "; only the head differs, and the file has none: --backbone.head none"
        kind, key = ("linear_bn", "head.0.weight") if "head.0.weight" in state else ("linear", "head.weight")
        if key in state and state[key].ndim == 2:
            flags = f"--backbone.head {kind} --backbone.embedding_dim {len(state[key])}"
            return f"; only the head differs, and the file's is {flags}"
    for key in sorted(wrong & wanted.keys() & state.keys()):
        here, there = wanted[key].shape, state[key].shape  # of the pixel statistics, or of the first convolution
        if len(here) == 4 and here[:1] + here[2:] == there[:1] + there[2:] and {here[1], there[1]} == {1, 3}:
            return f"; the file is for images of {there[1]} channels, these have {here[1]}: see --data.colour"
    recipe = path.with_name("recipe.toml")
    return f"; {recipe} names the network it belongs to" if recipe.is_file() else ""


def put_weights(module: nn.Module, state: Mapping[str, torch.Tensor]) -> None:
    """Load tensors that went through a file, which keeps no module versions: they are of this code's version.

    Raises:
        RuntimeError: keys or shapes do not fit.
    """
    versioned = OrderedDict(state)
    versioned._metadata = module.state_dict()._metadata  # type: ignore[attr-defined]
    module.load_state_dict(versioned)
