"""What is said and refused of how a run trains: by the clock, not at all, head first, layers at rates of their own."""

from __future__ import annotations

from torch import nn

from sandbox.backbones.depth import layers_of
from sandbox.backbones.network import Network
from sandbox.errors import SandboxError
from sandbox.pipeline.watch import Watch
from sandbox.recipe.specs import Recipe
from sandbox.training.distributed import Ranks
from sandbox.training.loop import Training
from sandbox.wording import counted


def notes_on_training(recipe: Recipe, network: Network, objective: nn.Module, ranks: Ranks) -> list[str]:
    """Sentences that a person should read of a training that is not the usual one.

    Raises:
        SandboxError: several processes would each go by a clock of their own, or nothing is trained before the trunk
            is.
    """
    notes, spec = [], recipe.optimizer
    if recipe.max_seconds is not None:
        if ranks.count > 1:
            raise SandboxError(
                f"max_seconds is {recipe.max_seconds:g}, but {ranks.count} processes have {ranks.count} clocks: "
                "with torchrun, give max_steps"
            )
        notes.append(
            f"training ends after {recipe.max_seconds:g} seconds of it, and the learning rate follows the time: the "
            "run is not a function of its seed alone, and another machine takes other steps"
        )
    if recipe.max_steps == 0:
        notes.append("nothing is trained (max_steps is 0): the figures are those of the network as it begins")
    if spec.head_first:
        if not any(True for module in (network.head, objective) for _ in module.parameters()):
            raise SandboxError(
                f"optimizer.head_first is {spec.head_first}, but there is no head and the objective owns no weights, "
                "so that nothing would be trained in these steps: give backbone.head linear"
            )
        steps = counted(spec.head_first, "step", "steps")
        notes.append(f"the head is trained alone for {steps}, then all layers are")
    if spec.layer_decay != 1:
        count = len(set(layers_of(network.backbone).values()))
        low = spec.lr * spec.layer_decay**count
        notes.append(
            f"the trunk has {counted(count, 'layer', 'layers')} of blocks, and its learning rates go from "
            f"{spec.lr * spec.layer_decay:.3g} at the last to {low:.3g} at the first"
        )
    return notes


def judged_untrained(training: Training, watch: Watch) -> bool:
    """Whether the first weights are to be validated, since there will be no others."""
    return training.total == 0 and watch.value is None


def time_left(training: Training) -> str:
    """How a run that ends by the clock goes on, in words; empty for others."""
    if training.clock is None:
        return ""
    left = max(0.0, training.clock.limit - training.clock.spent)
    return f"a run by the clock, with {left:.1f} of {training.clock.limit:g} seconds left"
