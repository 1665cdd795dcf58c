"""The run.py commands that a line with --sweep stands for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.cli import flags
from sandbox.data.catalog import data_kinds
from sandbox.errors import SandboxError
from sandbox.recipe.sweep import Combination, check_settings, combinations, count, read_sweep

MOST = 10_000
"""Combinations, a run or more for each."""


@dataclass(frozen=True)
class Asked:
    """One combination of a sweep."""

    combination: Combination
    words: tuple[str, ...]
    """What follows run.py where one asks for it alone, with all of the sweep's seeds."""


def asked(argv: Sequence[str]) -> list[Asked]:
    """The command of each combination, in their order; none where --sweep is not given.

    Raises:
        SandboxError: --sweep is empty or not of its grammar, a setting of it does not exist or is given as a flag too,
            or there are too many combinations.
    """
    if "sweep" not in flags.given(argv):
        return []
    plain, kinds = flags.without(argv, ("--sweep",)), data_kinds()
    axes = read_sweep(flags.value(argv, "--sweep"))
    check_settings(axes, kinds, flags.given(plain))
    if count(axes) > MOST:
        raise SandboxError(f"--sweep has {count(axes):,} combinations, but at most {MOST:,} are run")
    return [Asked(one, (*plain, *one.words(kinds))) for one in combinations(axes)]


def check_alone(*, against: str, resume: str, stages: int) -> None:
    """Refuse what a sweep has no place beside.

    Raises:
        SandboxError: another objective, a run that is gone on with, stages, or several processes.
    """
    if resume:
        raise SandboxError("--sweep has no place beside --resume; the same --sweep line goes on with what it began")
    if against:
        raise SandboxError(f"--sweep has no place beside --against '{against}'; sweep both: loss = ... | {against}")
    if stages:
        raise SandboxError("--sweep has no place beside a recipe of stages; sweep one of them as a recipe of its own")
    if "LOCAL_WORLD_SIZE" in os.environ:
        raise SandboxError("--sweep has no place beside torchrun; start each of its combinations by itself")
