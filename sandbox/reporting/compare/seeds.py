"""Two recipes on shared seeds: each figure's paired difference, and what queries and identities say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.comparison.equal import Equivalence, equivalence
from sandbox.evaluation.comparison.needed import Needed, needed
from sandbox.evaluation.comparison.queries import Wins, wins_by_identity, wins_by_query
from sandbox.evaluation.figures import lower_is_better
from sandbox.evaluation.intervals.paired import Paired, holm, paired
from sandbox.reporting.compare.kept import check_same_images, read_kept
from sandbox.reporting.records.groups import Group
from sandbox.reporting.records.run import Run

BY_QUERY = ("retrieval/map@r", "retrieval/recall@1")
"""What a query is won by."""


@dataclass(frozen=True)
class FigureOverSeeds:
    """One figure of two recipes."""

    key: str
    """``test/retrieval/map@r``."""
    seeds: tuple[int, ...]
    """That both have it for."""
    a: tuple[float, ...]
    """Of each seed."""
    b: tuple[float, ...]
    found: Paired
    """A - B."""
    holm: float
    """p, corrected for the figures that are shown; NaN where there is none."""
    needed: Needed
    equal: Equivalence | None
    """Where a margin is given."""
    supported: bool
    """Whether every run has data enough for it."""

    @property
    def lower(self) -> bool:
        """Whether less is better."""
        return lower_is_better(self.key)


@dataclass(frozen=True)
class Served:
    """What queries, and identities, A serves better."""

    key: str
    queries: Wins
    identities: Wins


@dataclass(frozen=True)
class OverSeeds:
    """Two recipes, compared seed by seed."""

    names: tuple[str, str]
    digests: tuple[str, str]
    seeds: tuple[int, ...]
    figures: tuple[FigureOverSeeds, ...]
    served: tuple[Served, ...]
    """Empty where some run keeps no test embeddings."""
    notes: tuple[str, ...]


def over_seeds(
    a: Group, b: Group, names: tuple[str, str], seeds: Sequence[int], keys: Sequence[str], margin: float = 0.0
) -> OverSeeds:
    """Compare two recipes over the seeds that both have.

    Args:
        a: the first recipe.
        b: the second, judged on the same images by the same rules.
        names: of both.
        seeds: shared ones, two or more.
        keys: figures to compare.
        margin: a difference that counts as none; 0 where none is given.

    Raises:
        SandboxError: a figure that fewer than two shared seeds have.
    """
    values = [_values(a, b, seeds, key, names) for key in keys]
    found = [
        paired([one[s] for s in both], [other[s] for s in both], lower=lower_is_better(key))
        for key, (one, other, both) in zip(keys, values, strict=True)
    ]
    corrected = holm([each.p for each in found])
    figures, notes = [], []
    for key, (one, other, both), each, p in zip(keys, values, found, corrected, strict=True):
        pair = tuple(one[s] for s in both), tuple(other[s] for s in both)
        equal = equivalence(each, margin) if margin else None
        held = all(_supported(run, key) for group in (a, b) for run in group.runs if run.seed in both)
        figures.append(FigureOverSeeds(key, both, *pair, each, p, needed(each), equal, held))
    try:
        served, same = _served(_runs(a, seeds), _runs(b, seeds))
        if same:
            notes.append(
                "A and B end in the same test embeddings with every seed, number by number: what they differ in has "
                "changed nothing in this training"
            )
    except SandboxError as error:
        served = ()
        notes.append(f"wins and losses of queries are left out: {error}")
    return OverSeeds(names, (a.runs[0].digest, b.runs[0].digest), tuple(seeds), tuple(figures), served, tuple(notes))


def _values(
    a: Group, b: Group, seeds: Sequence[int], key: str, names: tuple[str, str]
) -> tuple[dict[int, float], dict[int, float], tuple[int, ...]]:
    one, other = a.by_seed(key), b.by_seed(key)
    both = tuple(seed for seed in seeds if seed in one and seed in other)
    if len(both) < 2:
        raise SandboxError(
            f"of the seeds that {names[0]} and {names[1]} share, {len(both)} have {key} in both; leave that figure out"
        )
    return one, other, both


def _supported(run: Run, key: str) -> bool:
    split, _, plain = key.partition("/")
    return run.report[split][plain].get("supported") is not False


def _runs(group: Group, seeds: Sequence[int]) -> list[Run]:
    return [run for run in group.runs if run.seed in seeds]


def _served(a: Sequence[Run], b: Sequence[Run]) -> tuple[tuple[Served, ...], bool]:
    """Over queries, and over identities, on average over seeds; and whether both have the same embeddings throughout.

    The embeddings of three runs at a time are held.

    Raises:
        SandboxError: a run keeps no test embeddings, or they are not of the same images.
    """
    first = read_kept(a[0])
    rows: dict[str, tuple[list[np.ndarray], list[np.ndarray]]] = {key: ([], []) for key in BY_QUERY}
    labels, same = first.own.labels, True
    for pair in zip(a, b, strict=True):
        one_of_pair = None
        for side, run in enumerate(pair):
            kept = read_kept(run)
            check_same_images([first, kept])
            same = same and (one_of_pair is None or np.array_equal(one_of_pair, kept.own.x))
            one_of_pair = kept.own.x
            values, labels = kept.queries()
            for key, found in rows.items():
                found[side].append(values[key])
    served = []
    for key, (one, other) in rows.items():
        x, y = np.stack(one), np.stack(other)
        served.append(Served(f"test/{key}", wins_by_query(x, y), wins_by_identity(x, y, labels)))
    return tuple(served), same
