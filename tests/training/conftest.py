"""A training that takes milliseconds: eight classes of noise, a network of two layers with batch norm and dropout."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from sandbox.backbones.network import Network
from sandbox.data.augment import Augment
from sandbox.data.batches import make_batches
from sandbox.objectives.objective import build
from sandbox.objectives.resolve import resolve
from sandbox.recipe.specs import AugmentSpec, BatchSpec, OptimizerSpec, ScheduleSpec
from sandbox.training.average import Average
from sandbox.training.loop import Training
from sandbox.training.optimizer import make_optimizer

CLASSES, DIM, SIDE = 8, 16, 8


class Small(nn.Module):
    """A layer with state that moves (batch norm) and one that draws (dropout)."""

    features = 24

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(SIDE * SIDE, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Dropout(0.2)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


def make(
    loss: str,
    *,
    seed: int = 0,
    total: int = 12,
    optimizer: OptimizerSpec | None = None,
    clip: float = 0.0,
    autocast: torch.dtype | None = None,
    schedule: ScheduleSpec | None = None,
    augment: AugmentSpec | None = None,
    frozen: str = "",
    ema: float = 0.0,
) -> Training:
    """A training; `frozen` names the head ("linear", "none") of one with a frozen trunk, whose images may be still."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(CLASSES), 6)
    pixels = rng.integers(0, 256, (CLASSES, SIDE, SIDE, 1))[labels] // 2 + rng.integers(0, 128, (48, SIDE, SIDE, 1))
    expression = resolve(loss)
    batches, _ = make_batches(
        labels, BatchSpec(classes=4, samples=4), repeats_needed=expression.takes_tuples, seed=seed
    )
    torch.manual_seed(seed)
    head, dim = (nn.Identity(), 24) if frozen == "none" else (nn.Linear(24, DIM), DIM)
    network = Network(Small(), head, dim, [0.5], [0.25])
    if frozen:
        network.freeze_backbone()
    objective = build(expression, classes=CLASSES, dim=dim)
    return Training(
        network=network,
        objective=objective,
        optimizer=make_optimizer(network, objective, optimizer or OptimizerSpec()),
        pixels=pixels.astype(np.uint8),
        labels=labels,
        batches=batches,
        augment=Augment(augment or AugmentSpec(erase=0.2), not frozen, seed),
        schedule=schedule or ScheduleSpec(),
        total=total,
        seed=seed,
        device=torch.device("cpu"),
        autocast=autocast,
        clip=clip,
        steps_per_epoch=batches.steps_per_epoch,
        average=Average(network, objective, ema) if ema else None,
    )


@pytest.fixture
def training() -> Callable[..., Training]:
    """Builds a training from nothing: the same arguments give the same one."""
    return make


def state_of(t: Training) -> dict[str, torch.Tensor]:
    state = {f"network.{key}": value for key, value in t.network.state_dict().items()}
    state |= {f"objective.{key}": value for key, value in t.objective.state_dict().items()}
    for index, entries in t.optimizer.state_dict()["state"].items():
        state |= {f"optimizer.{index}.{key}": value for key, value in entries.items() if torch.is_tensor(value)}
    if t.average is not None:
        state |= {f"average.{key}": value for key, value in t.average.state_dict().items()}
    return {key: value.clone() for key, value in state.items()}


@pytest.fixture
def weights() -> Callable[[Training], dict[str, torch.Tensor]]:
    """Every tensor that a training changes, by name."""
    return state_of
