"""How long a run trains, and which of its layers: settings that contradict each other."""

from __future__ import annotations

from sandbox.errors import SandboxError
from sandbox.recipe.specs import Recipe


def check_length(recipe: Recipe) -> None:
    """Refuse two lengths, and settings of layers that are never trained.

    Raises:
        SandboxError: names both settings.
    """
    if recipe.max_seconds is not None:
        for name in ("epochs", "max_steps"):
            if (given := getattr(recipe, name)) is not None:
                raise SandboxError(
                    f"max_seconds is {recipe.max_seconds:g} and {name} is {given}, but each says when training ends: "
                    "give one of them"
                )
    if recipe.max_steps == 0 and recipe.epochs is not None:
        raise SandboxError(
            f"max_steps is 0, which trains nothing, and epochs is {recipe.epochs}, which does: give one of them"
        )
    _check_layers(recipe)


def _check_layers(recipe: Recipe) -> None:
    optimizer, backbone = recipe.optimizer, recipe.backbone
    given = {"layer_decay": optimizer.layer_decay != 1, "head_first": optimizer.head_first > 0}
    for name in (name for name, is_given in given.items() if is_given):
        if backbone.freeze:
            raise SandboxError(
                f"optimizer.{name} is {getattr(optimizer, name)}, which is about how the trunk is trained, but "
                "backbone.freeze never trains it: give one of them"
            )
    if optimizer.head_first and recipe.max_steps is not None and optimizer.head_first >= recipe.max_steps:
        raise SandboxError(
            f"optimizer.head_first is {optimizer.head_first}, but is below max_steps ({recipe.max_steps}): to train "
            "the head alone all the time, give backbone.freeze"
        )
