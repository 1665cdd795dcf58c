"""`run.py --against`: a second objective on the same seeds, and the comparison at the end."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.called import called
from sandbox.cli.outputs import from_here
from sandbox.cli.say import say
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from sandbox.recipe.specs import Recipe


def rival(recipe: Recipe, against: str) -> Recipe:
    """The recipe with another objective, both checked as far as that can be done before anything trains.

    The recipe's miner goes to terms of the other objective that take pairs or triplets and name none; where there are
    none, it is left out.

    Args:
        recipe: of --loss.
        against: the other objective, as --loss takes it.

    Raises:
        SandboxError: either cannot train, or both are one.
    """
    from sandbox.objectives.resolve import resolve
    from sandbox.pipeline.prepare import check

    if not against.strip():
        raise SandboxError("--against is empty; give an objective, such as contrastive")
    first = check(recipe)
    mined = any(term.loss.entry.tuples == "mined" for term in resolve(against).terms)
    other = replace(recipe, loss=against, miner=recipe.miner if mined else "none")
    second = check(other)
    if str(first) == str(second):
        raise SandboxError(f"--against '{against}' is the objective of --loss itself: {first}")
    return other


def compare_runs(ours: Sequence[Path], others: Sequence[Path]) -> None:
    """Print what the runs of two recipes, made just now with the same seeds, say; and how to see it again."""
    from sandbox.cli.table.compare import compare, put
    from sandbox.reporting.records.groups import Group, group
    from sandbox.reporting.records.read import read_run
    from sandbox.runs.folder import RunFolder

    def recipe_of(folders: Sequence[Path]) -> Group:
        return group([read_run(RunFolder(folder)) for folder in folders])[0][0]

    a, b = recipe_of(ours), recipe_of(others)
    say()
    put(compare(a, b), "terminal", "")
    place = shlex.quote(from_here(ours[0].parent))
    say(f"again: {called('table')} compare {a.runs[0].digest} {b.runs[0].digest} --in {place}")


def check_alone(against: str, *, stages: int, resume: str) -> None:
    """Refuse what a comparison has no place beside.

    Raises:
        SandboxError: stages, or a run that is gone on with.
    """
    if against and stages:
        raise SandboxError(f"--against '{against}' has no place beside a recipe of stages; compare runs of them later")
    if against and resume:
        raise SandboxError("--against has no place beside --resume, which goes on with the run's own recipe")


def announce(recipe: Recipe) -> None:
    """Say which of the two objectives trains now."""
    say(f"seed {recipe.seed}: {recipe.loss}", file=sys.stderr)
