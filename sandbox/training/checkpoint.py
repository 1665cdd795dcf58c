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
    if t.average is not None:
        tensors |= {f"average/{key}": value for key, value in t.average.state_dict().items()}
    state: dict[str, Any] = {"optimizer": {}}
    for index, entries in t.optimizer.state_dict()["state"].items():
        for key, value in entries.items():
            if torch.is_tensor(value):
                tensors[f"optimizer/{index}/{key}"] = value
            elif value is not None:
                state["optimizer"].setdefault(str(index), {})[key] = value
    if t.clock is not None:
        state["training_seconds"] = t.clock.spent
    hidden, state["hidden"] = _hidden_state(t.objective)
    tensors |= {f"hidden/{key}": value for key, value in hidden.items()}
    state["tensors"] = sorted(tensors)  # an optimizer would take a moment that is missing for one that is still 0
    return {
        key: value.detach().cpu().clone(memory_format=torch.contiguous_format) for key, value in tensors.items()
    }, state


def restore(t: Training, tensors: Tensors, state: dict[str, Any]) -> None:
    """Put a captured state back.

    A file may come from anywhere: what does not fit the network, the objective or the optimizer is refused.

    Raises:
        SandboxError: the checkpoint belongs to another network or objective, or holds what no training wrote.
    """
    try:
        if lost := set(state.get("tensors", ())) - tensors.keys():
            raise KeyError(f"{min(lost)} is missing")
        for part, module in (("network", t.network), ("objective", t.objective)):
            put_weights(module, under(tensors, f"{part}/"))
        if t.average is not None:
            t.average.load(under(tensors, "average/"))
        saved: dict[int, dict[str, Any]] = {}
        for key, value in under(tensors, "optimizer/").items():
            index, _, name = key.partition("/")
            saved.setdefault(int(index), {})[name] = value
        for index, entries in state["optimizer"].items():
            saved.setdefault(int(index), {}).update(entries)
        _check_moments(t.optimizer, saved)
        t.optimizer.load_state_dict({"state": saved, "param_groups": t.optimizer.state_dict()["param_groups"]})
        if t.clock is not None:
            t.clock.spent = _seconds(state["training_seconds"])
        _put_hidden_state(t.objective, under(tensors, "hidden/"), state["hidden"])
    except (RuntimeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise SandboxError(f"the checkpoint does not fit this recipe: {reason(error, 200)}") from None


def _seconds(value: object) -> float:
    if type(value) not in (int, float) or not 0 <= float(value) < float("inf"):  # type: ignore[arg-type]
        raise ValueError(f"{value!r} is no number of seconds")
    return float(value)  # type: ignore[arg-type]


def _check_moments(optimizer: torch.optim.Optimizer, saved: dict[int, dict[str, Any]]) -> None:
    """What the optimizer keeps of a weight has its shape, or is one number."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    for index, entries in saved.items():
        if not 0 <= index < len(weights):
            raise ValueError(f"the optimizer has {len(weights)} weights, and none of number {index}")
        for name, value in entries.items():
            fits = value.shape in (weights[index].shape, ()) if torch.is_tensor(value) else type(value) in _PLAIN
            if not fits:
                raise ValueError(f"{name} of weight {index} has another shape than it")


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
    known = [set(part) for part in _hidden_state(module)]
    lost = [address for kind, found in zip(known, (tensors, values), strict=True) for address in kind - found.keys()]
    if lost:
        raise KeyError(f"{lost[0]} is missing")
    for address, value in {**values, **{key: tensor.to(device) for key, tensor in tensors.items()}}.items():
        path, _, key = address.rpartition(":")
        part = module.get_submodule(path)
        # Nothing becomes an attribute here that was none, or did something.
        before = vars(part).get(key)
        known_type = before is None or torch.is_tensor(before) or isinstance(before, _PLAIN)
        if not known_type or isinstance(before, nn.Parameter) or (before is None and hasattr(type(part), key)):
            raise AttributeError(f"{address} is no number or tensor of the objective")
        if before is not None and not _alike(before, value):
            raise TypeError(f"{address} is of another type or shape")
        setattr(part, key, value)


def _alike(before: Any, value: Any) -> bool:
    """Whether a kept value may stand in for the one of a fresh objective; None is what the first step fills."""
    if torch.is_tensor(before) or torch.is_tensor(value):
        both = torch.is_tensor(before) and torch.is_tensor(value)
        return both and before.dtype == value.dtype and before.shape == value.shape
    kinds = [bool if isinstance(x, bool) else float if isinstance(x, int | float) else type(x) for x in (before, value)]
    return kinds[0] is kinds[1]
