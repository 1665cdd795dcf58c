"""The state between two steps as tensors and plain values, and back."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from sandbox.backbones.weights import put_weights
from sandbox.errors import SandboxError
from sandbox.training.loop import Training
from sandbox.wording import reason

Tensors = dict[str, torch.Tensor]
_PLAIN = (bool, int, float, str)


def capture(t: Training) -> tuple[Tensors, dict[str, Any]]:
    """Tensors by name and plain values (JSON) that, put back, let the next step give the same bits."""
    tensors: Tensors = {}
    for part, module in (("network", t.network), ("objective", t.objective)):
        tensors |= {f"{part}/{key}": value for key, value in module.state_dict().items()}
    state: dict[str, Any] = {"optimizer": {}}
    for index, entries in t.optimizer.state_dict()["state"].items():
        for key, value in entries.items():
            if torch.is_tensor(value):
                tensors[f"optimizer/{index}/{key}"] = value
            elif value is not None:
                state["optimizer"].setdefault(str(index), {})[key] = value
    hidden, state["hidden"] = _hidden_state(t.objective)
    tensors |= {f"hidden/{key}": value for key, value in hidden.items()}
    return {
        key: value.detach().cpu().clone(memory_format=torch.contiguous_format) for key, value in tensors.items()
    }, state


def restore(t: Training, tensors: Tensors, state: dict[str, Any]) -> None:
    """Put a captured state back.

    Raises:
        SandboxError: the checkpoint belongs to another network or objective.
    """
    try:
        for part, module in (("network", t.network), ("objective", t.objective)):
            put_weights(module, under(tensors, f"{part}/"))
        saved: dict[int, dict[str, Any]] = {}
        for key, value in under(tensors, "optimizer/").items():
            index, _, name = key.partition("/")
            saved.setdefault(int(index), {})[name] = value
        for index, entries in state["optimizer"].items():
            saved.setdefault(int(index), {}).update(entries)
        t.optimizer.load_state_dict({"state": saved, "param_groups": t.optimizer.state_dict()["param_groups"]})
        _put_hidden_state(t.objective, under(tensors, "hidden/"), state["hidden"])
    except (RuntimeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise SandboxError(f"the checkpoint does not fit this recipe: {reason(error, 200)}") from None


def kept(module: nn.Module) -> Tensors:
    """Copies of a module's tensors on the CPU, as they are now."""
    return {
        key: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for key, tensor in module.state_dict().items()
    }


def under(tensors: Tensors, prefix: str) -> Tensors:
    """The tensors whose names start with `prefix`, without it."""
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _hidden_state(module: nn.Module) -> tuple[Tensors, dict[str, Any]]:
    """What losses keep in plain attributes and so leave out of their state dict: a queue's position, a histogram."""
    tensors: Tensors = {}
    values: dict[str, Any] = {}
    for path, part in module.named_modules():
        for key, value in vars(part).items():
            if key.startswith("_") or key == "training":
                continue
            if torch.is_tensor(value):
                tensors[f"{path}:{key}"] = value
            elif isinstance(value, _PLAIN):
                values[f"{path}:{key}"] = value
    return tensors, values


def _put_hidden_state(module: nn.Module, tensors: Tensors, values: dict[str, Any]) -> None:
    device = next((tensor.device for tensor in [*module.parameters(), *module.buffers()]), torch.device("cpu"))
    for address, value in {**values, **{key: tensor.to(device) for key, tensor in tensors.items()}}.items():
        path, _, key = address.rpartition(":")
        setattr(module.get_submodule(path), key, value)
