"""`Watch`: what training has shown so far, and whether it is to go on."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from sandbox.evaluation.figures import lower_is_better
from sandbox.training import checkpoint
from sandbox.training.loop import Step, Training

_COLLAPSED = 3  # looks in a row at one embedding for all, before it is said


@dataclass
class Watch:
    """The best validation so far with its weights, how long ago it was, and signs of collapse."""

    monitor: str
    """Report key of the validation split that is to get better."""
    patience: int
    """Validations without a better value after which training ends; 0 never ends it."""
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

    def collapse(self, step: Step, total: int) -> str:
        """A sentence, once, where all images have come to have nearly one embedding; else nothing."""
        if not step.health or step.done <= total // 4:  # hard miners often pass through such a state early on
            return ""
        self._collapsed = self._collapsed + 1 if step.health.collapsed else 0
        if self._collapsed != _COLLAPSED:
            return ""
        return (
            f"at step {step.done} all images have nearly one embedding (mean cosine {step.health.mean_cosine:.3f});"
            " a lower --optimizer.lr, --backbone.head linear_bn or another miner may help"
        )
