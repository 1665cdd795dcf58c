"""What a file of weights holds: safetensors, or what torch saved, of which nothing is ever run."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from sandbox.errors import SandboxError
from sandbox.wording import reason

ENDINGS = (".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".tar")
"""The last is of `model.pth.tar`, which torch saved like any other."""
AVERAGES = ("state_dict_ema", "model_ema", "ema_state_dict", "params_ema", "ema_model", "ema")
"""Words for weights averaged over training, which are published beside the last ones and score better."""
_NESTS = (
    *AVERAGES,
    *("state_dict", "model", "model_state_dict", "model_state", "module", "net", "network", "weights", "params"),
    *("backbone", "encoder", "student", "teacher"),
)


@dataclass(frozen=True)
class Held:
    """Tensors that lie together in a file."""

    nest: tuple[str, ...]
    """Keys of the dictionaries around them, outermost first."""
    tensors: dict[str, torch.Tensor]
    """By name, on the CPU."""


def read_weights(path: Path) -> list[Held]:
    """What a file holds of tensors by name: one state dict, or several where nests lie side by side.

    A file that torch saved may hold its state dict alone or in dictionaries of the usual names, at any depth; what is
    no tensor there (epochs, optimizers) is passed over. Averaged weights come first, as timm takes them. The file is
    read with ``weights_only``: a pickle may name any function to be called, and that reader calls none but those that
    put tensors together.

    Raises:
        SandboxError: no such file, none of these kinds, damaged, one whose pickle asks for code, or one without
            tensors.
    """
    if path.suffix.lower() not in ENDINGS:
        raise SandboxError(_other_kind(path))
    if not path.is_file():
        raise SandboxError(f"no weights at {path}")
    return [Held((), _read_safetensors(path))] if path.suffix.lower() == ".safetensors" else _read_torch(path)


def _other_kind(path: Path) -> str:
    """The sentence about a file whose ending is of something else."""
    if path.name.endswith(".index.json"):
        return f"{path} lists the parts of weights that lie in several files; save them as one"
    if path.suffix.lower() == ".onnx":
        return f"{path} is a network in ONNX, which cannot be trained on; give what torch saved of it"
    return (
        f"weights '{path}' are neither .safetensors nor .pth or .pt, .bin, .ckpt or .pth.tar (other pickled "
        "checkpoints are refused: they can run code)"
    )


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise SandboxError(f"{path} {_by_its_start(path) or f'is damaged or no safetensors file: {error}'}") from None


def _read_torch(path: Path) -> list[Held]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise SandboxError(f"cannot read {path}: {reason(error)}") from None
    with file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the format; what matters of it is said below
        try:
            found = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # a damaged pickle may raise anything
            raise SandboxError(f"{path} {_by_its_start(path) or _refusal(error)}") from None
    return _states(found, path)


def _by_its_start(path: Path) -> str:
    """The rest of the sentence about a file that stands where the weights should; empty where nothing shows."""
    with path.open("rb") as file:
        start = file.read(200).lstrip().lower()
    if start.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer, not the weights it stands for; fetch them with: git lfs pull"
    if start.startswith((b"<!doctype", b"<html")):
        return "is a page of a web site that was saved in place of the weights; download them again"
    return ""


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


def _states(found: Any, path: Path) -> list[Held]:
    """The state dicts in what was read, in the order of `_NESTS` at each depth."""
    states: list[Held] = []
    ahead: list[tuple[tuple[str, ...], Any]] = [((), found)]
    seen = set()  # a dictionary may hold itself
    while ahead:
        nest, held = ahead.pop(0)
        if not isinstance(held, dict) or id(held) in seen:
            continue
        seen.add(id(held))
        if tensors := _tensors(held, path):
            states.append(Held(nest, tensors))
        ahead = [((*nest, word), held[word]) for word in _NESTS if word in held] + ahead
    if states:
        return states
    if not isinstance(found, dict) or not found:
        raise SandboxError(f"{path} holds no tensors by name (a {type(found).__name__}); save a network's state_dict()")
    key, value = next(iter(found.items()))
    if value == {}:
        raise SandboxError(f"{path} holds no tensors by name ({key!r} is empty); save a network's state_dict()")
    raise _no_tensor(path, key)


def _tensors(held: Mapping[Any, Any], path: Path) -> dict[str, torch.Tensor]:
    """The tensors that lie right in a dictionary."""
    tensors = {key: value for key, value in held.items() if isinstance(value, torch.Tensor)}
    for key, value in tensors.items():
        if not isinstance(key, str) or not _plain(value):
            raise _no_tensor(path, key)
    return {key: value.detach() for key, value in tensors.items()}


def _no_tensor(path: Path, key: Any) -> SandboxError:
    named = ", ".join(f"'{nest}'" for nest in _NESTS)
    return SandboxError(
        f"{path} holds {repr(key)[:80]}, which is no plain tensor; a state dict stands alone or under one of {named}"
    )


def _plain(value: torch.Tensor) -> bool:
    """Whether a tensor's numbers are all there, one by one."""
    return value.layout == torch.strided and value.device.type == "cpu" and not value.is_quantized
