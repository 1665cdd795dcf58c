"""More steps than were planned, for a run that was cut off or that kept its last training state.

The schedule is laid anew over the new total: from the step that was reached, the learning rate is that of a run of as
many steps. Such a run is no run of that total from the start, so its recipe says where it was gone on with, and so does
its digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.called import called
from sandbox.errors import SandboxError
from sandbox.recipe.specs import Recipe, digest
from sandbox.recipe.text import to_toml
from sandbox.runs.checkpoints import read_checkpoint
from sandbox.runs.folder import RunFolder
from sandbox.wording import counted


def with_more(folder: RunFolder, recipe: Recipe, recorded: Mapping[str, Any], steps: int) -> Recipe:
    """The recipe of a run with more steps; as it is where it has as many already and is not over.

    Args:
        folder: of the run.
        recipe: of the run.
        recorded: its run.json.
        steps: of the whole run, those that were taken among them.

    Raises:
        SandboxError: the run ends by the clock, kept no state to go on from, or has taken or planned as many steps.
    """
    over = recorded.get("status") == "done"
    if recipe.max_steps == steps and recipe.epochs is None and not over:
        return recipe
    if recipe.max_seconds is not None:
        raise SandboxError(
            f"the run {folder.path} ends after {recipe.max_seconds:g} seconds of training (max_seconds), so it cannot "
            "be given steps"
        )
    held = read_checkpoint(folder)
    if held is None and over:
        raise SandboxError(
            f"the run {folder.path} is finished and kept no training state to go on from (--keep_checkpoint keeps it); "
            f"--resume_from {folder.path} starts a new run from its weights"
        )
    done = 0 if held is None else held[1].get("step")
    planned = recorded.get("planned_steps", recipe.max_steps)
    if type(done) is not int or type(planned) is not int:
        raise SandboxError(f"{folder.path} does not say how many steps it planned or took; start a new run")
    if steps <= done:
        taken = counted(done, "step", "steps")
        raise SandboxError(f"--max_steps is {steps:,}, but the run {folder.path} has taken {taken}: give more")
    if steps <= planned:
        raise SandboxError(
            f"--max_steps is {steps:,}, but the run {folder.path} plans {planned:,}: give more, or leave it out to go "
            "on as planned"
        )
    places = [*filter(None, recipe.went_on.split(", ")), str(done)]
    return replace(recipe, epochs=None, max_steps=steps, went_on=", ".join(places))


def record(folder: RunFolder, recipe: Recipe, recorded: Mapping[str, Any]) -> None:
    """Keep in the run's folder that more steps are planned.

    Args:
        folder: of the run.
        recipe: as `with_more` gave it.
        recorded: its run.json as it was.
    """
    at, command = int(recipe.went_on.split(", ")[-1]), recorded.get("command", "")
    stretch = {"at": at, "planned": recorded.get("planned_steps"), "to": recipe.max_steps}
    # The digest first: where the process ends in between, the same command finds the recipe still to be written.
    folder.update(digest=digest(recipe), went_on=[*recorded.get("went_on", []), stretch])
    then = f"{called('run')} --resume RUN --max_steps {recipe.max_steps}"
    folder.write_text("recipe.toml", to_toml(recipe, f"again: {command}; then, at step {at}: {then}"))


def notes_on_more(recipe: Recipe) -> list[str]:
    """A sentence on a run that was given more steps than it had planned; none on others."""
    if not recipe.went_on:
        return []
    *before, last = recipe.went_on.split(", ")
    also = f" (before, at step {' and '.join(before)})" if before else ""
    return [
        f"more steps were planned at step {last}{also}: from there on the learning rate is that of a run of "
        f"{recipe.max_steps:,} steps, so that the run is not one of as many from the start"
    ]
