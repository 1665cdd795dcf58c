"""The training loop. A step is a function of (seed, step) and of the state before it, and of nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from sandbox.backbones.network import Network, Pixels, to_tensor
from sandbox.data.augment import Augment
from sandbox.data.batches import Batches
from sandbox.errors import SandboxError
from sandbox.objectives.objective import Objective, seed_draws
from sandbox.recipe import ScheduleSpec
from sandbox.training.health import Health, examine
from sandbox.training.optimizer import factor, set_learning_rate


class Diverged(SandboxError):
    """Training stopped because the loss is no number any more."""


@dataclass
class Training:
    """Everything a step needs, and the state that it changes."""

    network: Network
    objective: Objective
    optimizer: torch.optim.Optimizer
    pixels: Pixels
    labels: np.ndarray
    batches: Batches
    augment: Augment
    schedule: ScheduleSpec
    total: int
    seed: int
    device: torch.device
    autocast: torch.dtype | None
    clip: float
    steps_per_epoch: int


@dataclass(frozen=True)
class Step:
    """One step that was taken."""

    done: int
    """Steps taken so far, this one included."""
    loss: float
    terms: dict[str, torch.Tensor]
    lr: float
    health: Health | None


def train(t: Training, start: int = 0, *, health_every: int = 50) -> Iterator[Step]:
    """Take the steps from `start` to `t.total`, yielding each.

    Raises:
        Diverged: the loss is not finite; the weights are still those of the step before.
    """
    labels = torch.from_numpy(np.ascontiguousarray(t.labels))
    for step in range(start, t.total):
        seed_step(t.seed, step)
        index = t.batches.take(step)
        x = t.augment(to_tensor(t.pixels[index]).to(t.device), step)
        y = labels[index].to(t.device)
        set_learning_rate(t.optimizer, factor(step, t.total, t.steps_per_epoch, t.schedule))

        with torch.autocast(t.device.type, dtype=t.autocast, enabled=t.autocast is not None):
            embeddings = t.network(x)
        outcome = t.objective(embeddings, y)
        loss = outcome.total.item()
        if not np.isfinite(loss):
            raise Diverged(_reason(step, outcome.terms, embeddings))

        t.optimizer.zero_grad(set_to_none=True)
        if outcome.total.requires_grad:  # an objective without active tuples may have nothing to say
            outcome.total.backward()
        health = None
        if (step + 1) % health_every == 0 or step == start:
            health = examine(embeddings, t.network, t.objective.active())
        if t.clip > 0:
            torch.nn.utils.clip_grad_norm_(t.network.parameters(), t.clip)
        t.optimizer.step()
        yield Step(step + 1, loss, outcome.terms, t.optimizer.param_groups[0]["lr"], health)


def seed_step(seed: int, step: int) -> None:
    """Fix torch's and the miners' generators for one step (dropout, random miners)."""
    torch.manual_seed((seed * 1_000_003 + step) & 0x7FFF_FFFF_FFFF_FFFF)
    seed_draws(seed, step)


def _reason(step: int, terms: dict[str, torch.Tensor], embeddings: torch.Tensor) -> str:
    parts = ", ".join(f"{name} {float(value):g}" for name, value in terms.items())
    finite = "finite" if bool(embeddings.isfinite().all()) else "not finite either"
    return (
        f"the loss is not finite at step {step + 1} ({parts}; the embeddings are {finite}); "
        "try a lower --optimizer.lr or --optimizer.clip 1"
    )
