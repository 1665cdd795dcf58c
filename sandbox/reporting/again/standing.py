"""Which of the runs that a table is made of are there, and which are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sandbox.reporting.again.lines import Line
from sandbox.reporting.records.run import Run

Where = Literal["there", "ledger", "begun", "absent"]
Key = tuple[str, int]
"""Digest and seed."""


@dataclass(frozen=True)
class Wanted:
    """What a command makes with one seed."""

    line: Line
    seed: int
    digests: tuple[str, ...]
    """Of its recipe; of each of its stages, where it has some."""


@dataclass(frozen=True)
class Standing:
    """What there is of the runs of a table."""

    folders: Mapping[Key, Run]
    """Finished runs in run folders."""
    ledger: Mapping[Key, Run]
    """Those that the ledger beside the table holds."""
    begun: Mapping[Key, str]
    """Folders of runs that were interrupted, or that somebody is training."""
    strangers: Sequence[Run] = ()
    """Runs in folders whose recipe and seed the ledger has with another split: other images, so another run."""

    def where(self, wanted: Wanted) -> Where:
        """Where a run is; of several stages the one that is furthest from being there counts."""
        order: tuple[Where, ...] = ("absent", "begun", "ledger", "there")
        return min((self._one((name, wanted.seed)) for name in wanted.digests), key=order.index)

    def runs(self, wanted: Sequence[Wanted]) -> list[Run]:
        """The runs of a table, from their folders where they are there, and all that its ledger has beside them."""
        keys = dict.fromkeys((name, one.seed) for one in wanted for name in one.digests)
        found = [
            self.folders.get(key) or self.ledger.get(key) for key in (*keys, *(k for k in self.ledger if k not in keys))
        ]
        return [run for run in found if run]

    def _one(self, key: Key) -> Where:
        if key in self.folders:
            return "there"
        if key in self.ledger:
            return "ledger"
        return "begun" if key in self.begun else "absent"


def standing(folders: Sequence[Run], ledger: Sequence[Run], begun: Mapping[Key, str]) -> Standing:
    """What there is.

    Args:
        folders: finished runs, oldest first; of one recipe and seed the later one counts.
        ledger: the runs of the table's ledger; none where there is no ledger.
        begun: digest and seed of runs that are not finished, with their folders.
    """
    splits = {run.digest: run.split for run in ledger}
    same = [run for run in folders if splits.get(run.digest, run.split) == run.split]
    return Standing(
        {(run.digest, run.seed): run for run in same},
        {(run.digest, run.seed): run for run in ledger},
        begun,
        [run for run in folders if run not in same],
    )


def spans(seeds: Sequence[int]) -> list[tuple[int, int]]:
    """First seed and count of each row of seeds that follow each other.

    >>> spans([4, 0, 1, 2, 6])
    [(0, 3), (4, 1), (6, 1)]
    """
    found: list[tuple[int, int]] = []
    for seed in sorted(seeds):
        if found and sum(found[-1]) == seed:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((seed, 1))
    return found
