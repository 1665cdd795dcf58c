"""The optimizer and its learning rate, a pure function of the step."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from sandbox.backbones.depth import layers_of, shares
from sandbox.errors import SandboxError
from sandbox.recipe.specs import OptimizerSpec, ScheduleSpec

_PARTS = 1_000_000
"""Of a run that ends by the clock, as if each were a step."""


def make_optimizer(
    network: nn.Module, objective: nn.Module, spec: OptimizerSpec, *, trains: bool = True
) -> torch.optim.Optimizer:
    """One optimizer, three groups: network matrices (decayed), network vectors, and the weights that losses own.

    With `layer_decay` the head's come first, and each layer of the trunk has two groups of its own, from the head down
    (`sandbox.backbones.depth`). The groups carry their peak learning rate as `peak`.

    Args:
        network: what learns.
        objective: what its losses own.
        spec: the settings.
        trains: whether a step will be taken; without one there may be nothing to train.

    Raises:
        SandboxError: nothing is left to train.
    """
    groups: list[dict[str, Any]] = []
    for weights, peak in _by_rate(network, spec):
        groups.append({"params": [p for p in weights if p.ndim > 1], "peak": peak, "weight_decay": spec.weight_decay})
        groups.append({"params": [p for p in weights if p.ndim <= 1], "peak": peak, "weight_decay": 0.0})
    groups.append({"params": list(objective.parameters()), "peak": spec.loss_lr, "weight_decay": 0.0})
    groups = [group for group in groups if group["params"]]
    if not groups and not trains:
        groups = [{"params": [nn.Parameter(torch.empty(0))], "peak": spec.lr, "weight_decay": 0.0}]
    if not groups:
        raise SandboxError("nothing is left to train: the network is frozen and the objective owns no weights")
    if spec.name == "sgd":
        return torch.optim.SGD(groups, lr=spec.lr, momentum=spec.momentum)
    kind = torch.optim.AdamW if spec.name == "adamw" else torch.optim.Adam
    return kind(groups, lr=spec.lr, amsgrad=spec.amsgrad)


def _by_rate(network: nn.Module, spec: OptimizerSpec) -> list[tuple[list[nn.Parameter], float]]:
    """The weights that learn, by their peak learning rates."""
    trained = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
    if spec.layer_decay == 1:
        return [(list(trained.values()), spec.lr)]
    trunk = network.get_submodule("backbone")
    layers = {f"backbone.{name}": layer for name, layer in layers_of(trunk).items()}
    parts = [([weight for name, weight in trained.items() if name not in layers], spec.lr)]
    for layer, share in sorted(shares(layers.values(), spec.layer_decay).items(), reverse=True):
        parts.append(([trained[name] for name, place in layers.items() if place == layer], spec.lr * share))
    return parts


def factor(step: int, total: int, steps_per_epoch: int, spec: ScheduleSpec) -> float:
    """Share of the peak learning rate at `step` (from 0) of `total`."""
    warm = max(1, round(spec.warmup * total)) if spec.warmup > 0 else 0
    if spec.name == "one_cycle":
        return _one_cycle(step, total, warm)
    if step < warm:
        return (step + 1) / warm
    if spec.name == "constant":
        return 1.0
    if spec.name == "step":
        return spec.gamma ** math.floor(step / steps_per_epoch / spec.period)
    if spec.name == "exponential":
        return spec.gamma ** (step / steps_per_epoch / spec.period)
    progress = (step - warm) / max(1, total - warm)
    return 0.5 * (1 + math.cos(math.pi * progress))


def factor_at(share: float, step: int, steps_per_epoch: int, spec: ScheduleSpec) -> float:
    """The same for a run that ends by the clock, of which `share` has passed at `step`.

    What follows the run follows its time; what follows epochs, as `step` and `exponential` do once warmed up, follows
    steps.
    """
    if spec.name in ("step", "exponential") and share >= spec.warmup:
        return factor(step, 1, steps_per_epoch, replace(spec, warmup=0.0))
    return factor(round(share * _PARTS), _PARTS, steps_per_epoch, spec)


def _one_cycle(step: int, total: int, warm: int) -> float:
    """Half a cosine from 1/25 up to 1, another down to 1/250,000 (Smith and Topin, 2019; the constants are torch's)."""
    low, end = 1 / 25, 1 / 250_000
    if step < warm:
        return low + (1 - low) * 0.5 * (1 - math.cos(math.pi * step / warm))
    return end + (1 - end) * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))


def set_learning_rate(optimizer: torch.optim.Optimizer, share: float) -> None:
    """Give every group `share` of its peak."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * share
