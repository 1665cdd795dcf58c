"""What run.py does with a recipe: trains it, stage by stage, watches it, and says what came of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.called import called, results, typed
from sandbox.cli.outputs import from_here
from sandbox.cli.progress import watch_run
from sandbox.cli.report_table import Shown, print_report
from sandbox.cli.say import say
from sandbox.tracking.tracker import check as check_programs

if TYPE_CHECKING:
    from sandbox.cli.commands.run import Command
    from sandbox.pipeline.events import Done, Event
    from sandbox.recipe.specs import Recipe


def train(
    commands: list[Command],
    names: list[str],
    seed: int,
    *,
    hint: bool = True,
    trials: int = 0,
    typed: str = "",
    again: str = "",
) -> Done | None:
    """One run, or one for each stage, each going on from the one before; the last of them.

    Args:
        commands: of each stage, or one.
        names: of the stages.
        seed: of all of them.
        hint: say what to type next, once the last seed is over.
        trials: of the study that found the values.
        typed: what a person types to do it again; this command where not given.
        again: what to type to go on after an interrupt; --resume with the folder where not given.
    """
    from sandbox.pipeline.run import run
    from sandbox.pipeline.stages import in_stages
    from sandbox.training.distributed import here

    done: Done | None = None

    def stage(place: int, name: str, recipe: Recipe) -> Path | None:
        nonlocal done
        command = commands[place]
        if len(commands) > 1:
            say(f"stage {place + 1} of {len(commands)}: {name}", file=sys.stderr)
        last = place == len(commands) - 1 and seed == command.settings.seed + command.seeds - 1
        events = run(
            recipe,
            out=Path(command.out) if command.out else results() / "runs",
            command=typed or typed_here(),
            pictures=command.pictures,
            stage=name,
            save_every=command.save_every,
            tags=command.tag,
            trials=trials,
            keep_checkpoint=command.keep_checkpoint,
        )
        done = finish(events, command, hint=hint and last, again=again)
        left = here().tell(str(done.folder.path) if done else "")
        return Path(left) if left else None

    recipes = [replace(command.settings, seed=seed) for command in commands]
    in_stages(list(zip(names or [""], recipes, strict=True)), stage)
    return done


def finish(events: Iterator[Event], command: Command, hint: bool = True, again: str = "") -> Done | None:
    """Watch a run to its end; then its figures, where everything lies, and what to type next."""
    resume = f"{called('run', launcher())} --resume"
    if command.log:
        from sandbox.tracking.follow import followed

        events = followed(events, check_programs(command.log))
    done = watch_run(events, again=lambda folder: again or f"{resume} {from_here(folder)}")
    if done is None:
        return None
    print_report(_shown(done), every=command.all)
    page = done.folder.path / "page.html"
    say(f"run folder: {from_here(done.folder.path)}")
    if page.is_file():
        say(f"page: {from_here(page)}")
    if hint:
        from sandbox.cli.table.hint import next_table

        folder = done.folder.path
        say(f"next: {next_table(folder.parent, results() / 'runs', done.folder.read_json('run.json')['digest'])}")
    return done


def _shown(done: Done) -> Shown:
    from sandbox.reporting.records.spelling import short_objective

    recipe, facts = done.folder.recipe(), done.folder.read_json("run.json")
    return Shown(
        short_objective(recipe.loss),
        done.report,
        done.folder.read_json("baselines.json"),
        facts.get("judged_on", ""),
        facts.get("health", ()),
        begins_trained=bool(recipe.backbone.weights or recipe.resume_from),
    )


def launcher() -> str:
    """What stands before the name of this command: python, or torchrun with its processes."""
    count = os.environ.get("LOCAL_WORLD_SIZE")  # torchrun says it
    return f"torchrun --nproc_per_node {count}" if count else "python"


def typed_here() -> str:
    """This whole command as a person types it again."""
    return typed(launcher())
