"""The seeds of a recipe together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.recipe.specs import Recipe
from sandbox.reporting.records.run import Run
from sandbox.wording import counted


@dataclass(frozen=True)
class Group:
    """The runs of one recipe on one split, a run for each seed."""

    runs: tuple[Run, ...]
    """By seed, at least one."""

    @property
    def recipe(self) -> Recipe:
        """The recipe, with the seed of the first run."""
        return self.runs[0].recipe

    @property
    def objective(self) -> str:
        """As --loss takes it."""
        return self.recipe.loss

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of the runs, rising."""
        return tuple(run.seed for run in self.runs)

    def by_seed(self, key: str) -> dict[int, float]:
        """Seed -> a figure (``test/retrieval/map@r``), of the runs that have it."""
        return {run.seed: run.figures[key] for run in self.runs if key in run.figures}


def group(runs: Sequence[Run]) -> tuple[list[Group], list[str]]:
    """Runs of one recipe on one split together, and sentences on what is left out.

    Of a seed that ran twice the later run stays.
    """
    by_name: dict[tuple[str, str], dict[int, Run]] = {}
    twice = 0
    for run in runs:
        seeds = by_name.setdefault((run.digest, run.split), {})
        twice += run.seed in seeds
        seeds[run.seed] = run
    groups = [Group(tuple(seeds[seed] for seed in sorted(seeds))) for seeds in by_name.values()]
    count = counted(
        twice, "older run of a recipe and seed that ran again is", "older runs of a seed that ran again are"
    )
    return groups, [f"{count} left out."] if twice else []
