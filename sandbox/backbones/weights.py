"""What a file of weights holds, by name: safetensors, or what torch saved, of which nothing is ever run."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

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
    said = " ".join(str(error).split())
    if asked := re.search(r"GLOBAL ([\w.]+)", said):
        return (
            f"holds more than tensors: it asks for {asked[1]}, and pickled checkpoints that can run code are refused; "
            "where it comes from, save the network's state_dict() alone"
        )
    if kind := re.search(r"TorchScript|\.tar format", said):
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
