"""`Watch`: what training has shown so far, and whether it is to go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import torch

from sandbox.evaluation.figures import lower_is_better
from sandbox.objectives.expression import Expression
from sandbox.runs.folder import RunFolder
from sandbox.training import checkpoint
from sandbox.training.health import collapsed
from sandbox.training.loop import Step, Training

_COLLAPSED = 3  # looks in a row at one embedding for all, before it is said
_LOOKS = 8  # of which the losses are compared
_JUMP = 1.0  # of the least loss among them, between two looks


@dataclass
class Watch:
    """The best validation so far with its weights, how long ago it was, and signs of collapse."""

    monitor: str
    """Report key of the validation split that is to get better."""
    patience: int
    """Validations without a better value after which training ends; 0 never ends it."""
    miners: tuple[str, ...] = ()
    """Those that the objective has, as they are spelt in it."""
    value: float | None = None
    """The best value, of validation `step`; None before the first."""
    step: int = 0
    since: int = 0
    """Validations since the best one."""
    weights: dict[str, torch.Tensor] = field(default_factory=dict, repr=False)
    """Of the network at the best validation, on the CPU."""
    objective: dict[str, torch.Tensor] = field(default_factory=dict, repr=False)
    """What the losses owned then."""
    _collapsed: int = 0
    _losses: list[float] = field(default_factory=list, repr=False)
    """Of the looks so far."""

    def see(self, value: float, done: int, training: Training) -> bool:
        """Take note of a validation, and keep the weights if it is the best."""
        sign = -1 if lower_is_better(self.monitor) else 1
        if self.value is not None and sign * value <= sign * self.value:
            self.since += 1
            return False
        self.value, self.step, self.since = value, done, 0
        self.weights, self.objective = checkpoint.kept(training.network), checkpoint.kept(training.objective)
        return True

    @property
    def enough(self) -> bool:
        """Whether validation has gone without a better value for as long as its patience."""
        return 0 < self.patience <= self.since

    def remember(self, rows: Sequence[Mapping[str, Any]], total: int) -> None:
        """Take note of the looks that a run's log has, so that a run that goes on says what it would have said."""
        for row in rows:
            if "mean_cosine" in row:
                self._look(row["step"], total, row["loss"], collapsed(row["mean_cosine"]))

    def collapse(self, step: Step, total: int) -> str:
        """A sentence, once, where all images have come to have nearly one embedding; else nothing."""
        if not step.health:
            return ""
        self._look(step.done, total, step.loss, step.health.collapsed)
        if step.done <= total // 4 or self._collapsed != _COLLAPSED:
            return ""
        return (
            f"at step {step.done} all images have nearly one embedding (mean cosine {step.health.mean_cosine:.3f}); "
            + cause(step, self._losses, self.miners)
        )

    def _look(self, done: int, total: int, loss: float, alike: bool) -> None:
        self._losses = [*self._losses, loss][-_LOOKS:]
        if done > total // 4:  # hard miners often pass through such a state early on
            self._collapsed = self._collapsed + 1 if alike else 0


def health_of(folder: RunFolder) -> dict[str, list[str]]:
    """What was noticed so far, by the log, as run.json holds it: nothing where there was nothing."""
    said = [str(row["health"]) for row in folder.read_log() if "health" in row]
    return {"health": said} if said or "health" in folder.read_json("run.json") else {}


def miners_of(expression: Expression) -> tuple[str, ...]:
    """The miners of an objective, as they are spelt in it."""
    found = (term.loss.values.get("miner") for term in expression.terms)
    return tuple(str(miner) for miner in found if miner)


def cause(step: Step, losses: Sequence[float], miners: Sequence[str]) -> str:
    """What made the embeddings collapse, as far as the last steps show, and what to change.

    Args:
        step: with its health.
        losses: of the last looks, this one included.
        miners: of the objective.
    """
    if step.health is not None and (step.health.active == 0 or (step.health.still and step.loss == 0)):
        return (
            f"nothing pulls classes apart, since no tuple has a loss above zero any more (loss {step.loss:.4g}): "
            "a larger margin or another miner is wanted, not another learning rate"
        )
    if step.health is not None and step.health.still:
        return (
            "no gradient reaches the network: a frozen one stays so, and needs other weights or another layer trained"
        )
    jumps = [abs(after - before) for before, after in pairwise(losses)]
    if jumps and max(jumps) > _JUMP * max(min(losses), 1e-12):
        return f"the loss jumps ({min(losses):.4g} to {max(losses):.4g}): a lower --optimizer.lr, or --optimizer.clip 1"
    if not miners:
        return "the loss stands still: --backbone.head linear_bn may help"
    milder = "none" if any("semihard" in miner for miner in miners) else "semihard or none"
    return (
        f"the loss stands still: hard tuples keep it there early on, so --miner {milder}, or "
        "--backbone.head linear_bn, may help"
    )
