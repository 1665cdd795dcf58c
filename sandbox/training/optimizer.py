"""The optimizer and its learning rate, a pure function of the step."""

from __future__ import annotations

import math

import torch
from torch import nn

from sandbox.errors import SandboxError
from sandbox.recipe.specs import OptimizerSpec, ScheduleSpec


def make_optimizer(network: nn.Module, objective: nn.Module, spec: OptimizerSpec) -> torch.optim.Optimizer:
    """One optimizer, three groups: network matrices (decayed), network vectors, and the weights that losses own.

    The groups carry their peak learning rate as `peak`.

    Raises:
        SandboxError: nothing is left to train.
    """
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "peak": spec.lr, "weight_decay": spec.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "peak": spec.lr, "weight_decay": 0.0},
        {"params": list(objective.parameters()), "peak": spec.loss_lr, "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if not groups:
        raise SandboxError("nothing is left to train: the network is frozen and the objective owns no weights")
    if spec.name == "sgd":
        return torch.optim.SGD(groups, lr=spec.lr, momentum=spec.momentum)
    kind = torch.optim.AdamW if spec.name == "adamw" else torch.optim.Adam
    return kind(groups, lr=spec.lr, amsgrad=spec.amsgrad)


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
