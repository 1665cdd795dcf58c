"""The training loop. A step is a function of (seed, step) and of the state before it, and of nothing else.

So it is on any number of processes, but for rounding, dropout and batch norm (see `sandbox.training.distributed`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from sandbox.backbones.embed import Pixels, to_tensor
from sandbox.backbones.network import Network
from sandbox.data.augment import Augment
from sandbox.data.batches import Batches
from sandbox.errors import SandboxError
from sandbox.objectives.objective import Objective, seed_draws
from sandbox.recipe.specs import ScheduleSpec
from sandbox.training.average import Average
from sandbox.training.clock import Clock
from sandbox.training.distributed import Ranks
from sandbox.training.features import trunk_features
from sandbox.training.health import Health, examine
from sandbox.training.optimizer import factor, factor_at, set_learning_rate

_APART = 0x1E37_79B9_7F4A_7C15  # keeps the draws of two processes apart


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
    trunk_once: bool = False
    """Whether a frozen trunk's features are computed before the first step (`sandbox.training.features`)."""
    average: Average | None = None
    """What is validated and kept in the place of the last weights, where that is asked for."""
    ranks: Ranks = Ranks()
    """The processes that share each batch."""
    head_first: int = 0
    """Steps, from the first, in which the trunk stays as it is."""
    clock: Clock | None = None
    """What ends the training, where that is not `total`."""

    def planned(self, done: int) -> int:
        """Steps of the whole training: `total`, or what the speed of those that are done lets expect of its time."""
        if self.clock is None:
            return self.total
        return done if self.clock.over else round(max(done, 1) / max(self.clock.share, 1e-6))

    def ends(self, done: int) -> bool:
        """Whether no step follows the one that was the last of `done`."""
        return done == self.total or (self.clock is not None and self.clock.over)

    def reached(self, done: int, every: int, parts: int) -> bool:
        """Whether a multiple of `every` steps is done or, where time ends the training, one more of `parts` of it."""
        return done % every == 0 if self.clock is None else self.clock.passed(parts)


@dataclass(frozen=True)
class Step:
    """One step that was taken."""

    done: int
    """Steps taken so far, this one included."""
    loss: float
    terms: dict[str, torch.Tensor]
    lr: float
    health: Health | None


HEALTH_PARTS = 40
"""Looks at a training's health that are spread over it."""


def train(t: Training, start: int = 0, *, health_every: int = 50) -> Iterator[Step]:
    """Take the steps from `start` to `t.total`, or to the end of `t.clock`, yielding each.

    Raises:
        Diverged: the loss is not finite; the weights are still those of the step before.
        SandboxError: another process that shares the batches is gone.
    """
    if t.clock is not None:
        if t.clock.over:
            return
        t.clock.start()
    labels = torch.from_numpy(np.ascontiguousarray(t.labels))
    t.ranks.spread(t.network, t.objective, *([] if t.average is None else [t.average]))
    features = _features(t) if t.trunk_once else None
    for step in range(start, t.total):
        seed_step(t.seed, step, t.ranks.rank)
        index = t.batches.take(step)
        x = _images(t, index, step) if features is None else features[index[t.ranks.share(len(index))]].to(t.device)
        y = labels[index].to(t.device)
        set_learning_rate(t.optimizer, _rate(t, step))
        t.network.hold_backbone(step < t.head_first)

        with torch.autocast(t.device.type, dtype=t.autocast, enabled=t.autocast is not None):
            embeddings = t.network(x) if features is None else t.network.head(x)
        embeddings = t.ranks.gather(embeddings, len(index))
        if t.ranks.count > 1:
            seed_step(t.seed, step)  # dropout drew for a share each; losses and miners draw the same everywhere
        outcome = t.objective(embeddings, y)
        loss = outcome.total.item()
        if not np.isfinite(loss):
            raise Diverged(_reason(step, outcome.terms, embeddings))

        t.optimizer.zero_grad(set_to_none=True)
        if outcome.total.requires_grad:  # an objective without active tuples may have nothing to say
            outcome.total.backward()
        t.ranks.add_up(t.network)
        health = None
        if t.reached(step + 1, health_every, HEALTH_PARTS) or step == 0:
            health = examine(embeddings, t.network, t.objective.active())
        if t.clip > 0:
            torch.nn.utils.clip_grad_norm_(t.network.parameters(), t.clip)
        t.optimizer.step()
        if t.average is not None:
            t.average.update(step)
        if t.clock is not None:
            t.clock.stop()
        yield Step(step + 1, loss, outcome.terms, t.optimizer.param_groups[0]["lr"], health)
        if t.clock is not None:
            if t.clock.over:
                return
            t.clock.start()


def _rate(t: Training, step: int) -> float:
    """Share of the peak learning rates."""
    if t.clock is None:
        return factor(step, t.total, t.steps_per_epoch, t.schedule)
    return factor_at(t.clock.share, step, t.steps_per_epoch, t.schedule)


def _images(t: Training, index: np.ndarray, step: int) -> torch.Tensor:
    """This process's share of a step's images, each changed as its place in the whole batch says."""
    share = t.ranks.share(len(index))
    if t.ranks.count > 1 and t.augment.mixes:  # then the images of the others are needed as well
        return t.augment(to_tensor(t.pixels[index]).to(t.device), step)[share]
    x = to_tensor(t.pixels[index[share]]).to(t.device)
    if t.ranks.count == 1:
        return t.augment(x, step)
    whole = x.new_zeros(len(index), *x.shape[1:]).contiguous(memory_format=torch.channels_last)
    whole[share] = x  # the images of the others are not read
    return t.augment(whole, step)[share]


def _features(t: Training) -> torch.Tensor:
    """The frozen trunk's features (N, F) of all training images, of which each process computes its share."""
    mine = t.pixels if t.ranks.count == 1 else np.asarray(t.pixels)[t.ranks.share(len(t.labels))]
    return t.ranks.gather(trunk_features(t.network, mine, device=t.device, autocast=t.autocast), len(t.labels))


def seed_step(seed: int, step: int, rank: int = 0) -> None:
    """Fix torch's and the miners' generators for one step (dropout, random miners); torch's differs by process."""
    torch.manual_seed((seed * 1_000_003 + step + rank * _APART) & 0x7FFF_FFFF_FFFF_FFFF)
    seed_draws(seed, step)


def _reason(step: int, terms: dict[str, torch.Tensor], embeddings: torch.Tensor) -> str:
    parts = ", ".join(f"{name} {float(value):g}" for name, value in terms.items())
    finite = "finite" if bool(embeddings.isfinite().all()) else "not finite either"
    return (
        f"the loss is not finite at step {step + 1} ({parts}; the embeddings are {finite}); "
        "try a lower --optimizer.lr or --optimizer.clip 1"
    )
