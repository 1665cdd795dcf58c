"""Speed as ratios of two things timed alternately in one run: python experiments/benchmark.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from sandbox.called import called
from sandbox.cli import flags
from sandbox.recipe.specs import Recipe

WHAT = (
    "Time two things alternately and print the ratio of their medians. The settings of a recipe, which the benchmarks "
    f"of step and workers train, are flags here as well: {called('run')} --help lists them."
)


@dataclass(frozen=True, kw_only=True)
class Command:
    """What benchmark.py takes beside a recipe's settings, which the step benchmark trains."""

    settings: Annotated[Recipe, tyro.conf.arg(name="")] = Recipe(miner="hard")
    only: Literal[
        "", "step", "help", "verification", "retrieval", "pairs", "bootstrap", "memory", "identify", "tables", "workers"
    ] = ""
    """Run one benchmark; verification, retrieval, memory and workers are the slow ones (minutes)."""
    rounds: int = 30
    """How often the two are timed in turn; slow pairs take fewer."""
    embeddings: str = ""
    """An npz for verification and pairs; 13,233 drawn embeddings of 5,749 identities where not given."""


def main(argv: Sequence[str]) -> None:
    """Run what was asked for."""
    command = flags.parse(Command, argv, prog=called("benchmark"), description=WHAT, untold=("settings",))
    flags.quiet_libraries()
    from sandbox.benchmarks.faces import identify_against_embedding
    from sandbox.benchmarks.memory import memory_by_rows
    from sandbox.benchmarks.retrieval import bootstrap_seconds, retrieval_against_others
    from sandbox.benchmarks.rows import faces
    from sandbox.benchmarks.studies import workers_against_threads
    from sandbox.benchmarks.tables import tables_against_reading
    from sandbox.benchmarks.training import help_against_import, step_against_bare
    from sandbox.benchmarks.verification import pairs_against_gather, verification_against_others

    for name, measure in (
        ("help", lambda: [help_against_import(min(command.rounds, 10))]),
        ("step", lambda: [step_against_bare(command.settings, command.rounds)]),
        ("bootstrap", lambda: bootstrap_seconds(command.rounds)),
        ("pairs", lambda: pairs_against_gather(*faces(command.embeddings), command.rounds)),
        ("verification", lambda: verification_against_others(*faces(command.embeddings), command.rounds)),
        ("retrieval", lambda: retrieval_against_others(min(command.rounds, 3))),
        ("identify", lambda: identify_against_embedding(command.rounds)),
        ("tables", lambda: tables_against_reading(min(command.rounds, 5))),
        ("memory", memory_by_rows),
        ("workers", lambda: workers_against_threads(command.settings, min(command.rounds, 3))),
    ):
        if command.only in ("", name):
            for line in measure():
                print(line, flush=True)
