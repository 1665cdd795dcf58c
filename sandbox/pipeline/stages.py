"""A recipe with stages: several runs, each going on from the one before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from sandbox.pipeline.prepare import check
from sandbox.recipe.specs import Recipe


def in_stages(stages: Sequence[tuple[str, Recipe]], train: Callable[[int, str, Recipe], Path | None]) -> Path | None:
    """Train stage after stage; the folder of the last.

    Args:
        stages: name and recipe of each; one without a name where there are no stages.
        train: called with a stage's place, name and recipe, which goes on from the run before; gives its run's folder,
            or None where it left none.

    Raises:
        SandboxError: any stage cannot be trained, said before the first is; or what `train` raises.
    """
    for _, recipe in stages if len(stages) > 1 else ():
        check(recipe)  # a mistake in the last stage should not wait for the first to be trained
    folder: Path | None = None
    for place, (name, recipe) in enumerate(stages):
        folder = train(place, name, replace(recipe, resume_from=str(folder)) if folder else recipe)
    return folder
