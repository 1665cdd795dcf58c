"""The seeds of a recipe together: each is one value, whatever folds and stages it took."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sandbox.recipe.fold import parse_fold
from sandbox.recipe.specs import Recipe, digest
from sandbox.reporting.records.run import Run
from sandbox.reporting.records.spelling import short_objective
from sandbox.wording import counted, first_names

Fold = tuple[str, str]
"""`data.val_fold` and `data.test_fold`."""


@dataclass(frozen=True)
class Group:
    """The runs of one recipe on one split, a run for each seed; where it has folds, a run for each fold of a seed."""

    runs: tuple[Run, ...]
    """By seed, then by fold; at least one."""

    @property
    def recipe(self) -> Recipe:
        """The recipe, with the seed and the fold of the first run."""
        return self.runs[0].recipe

    @property
    def objective(self) -> str:
        """As --loss takes it."""
        return self.recipe.loss

    @property
    def called(self) -> str:
        """The objective in print: with short numbers, and as a person types what has a name, such as semihard."""
        return short_objective(self.objective)

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """Of the runs, rising, each once."""
        return tuple(dict.fromkeys(run.seed for run in self.runs))

    @cached_property
    def folds(self) -> tuple[Fold, ...]:
        """What each seed was validated, and perhaps tested, on; none where the runs have no folds."""
        return tuple(sorted({_fold(run) for run in self.runs} - {("", "")}))

    def by_seed(self, key: str) -> dict[int, float]:
        """Seed -> a figure (``test/retrieval/map@r``), where all runs of the seed have it: the mean over its folds."""
        values: dict[int, list[float | None]] = {}
        for run in self.runs:
            values.setdefault(run.seed, []).append(run.figures.get(key))
        whole = {seed: [v for v in found if v is not None] for seed, found in values.items() if None not in found}
        return {seed: sum(found) / len(found) for seed, found in whole.items()}


def group(runs: Sequence[Run]) -> tuple[list[Group], list[str]]:
    """Runs of one recipe on one split together, and sentences on what is left out.

    Runs that differ in nothing but their folds are together. Of what ran twice the later run stays; of stages that
    follow each other, the last; a seed that lacks folds that others have is left out.
    """
    runs, notes = _last_stages(runs)
    by_name: dict[Any, dict[Any, Run]] = {}
    names: dict[str, str] = {}
    twice = 0
    for run in runs:
        together = by_name.setdefault(_key(run, names), {})
        place = (run.seed, *_fold(run), run.recipe.data.fold_seed if run.recipe.data.val_fold else 0)
        twice += place in together
        together[place] = run
    if twice:
        one, many = "older run of a recipe and seed that ran again is", "older runs of a seed that ran again are"
        notes.append(f"{counted(twice, one, many)} left out.")
    groups, lacking = [], []
    for together in by_name.values():
        whole, lost = _whole_seeds([together[place] for place in sorted(together)])
        lacking += [f"{short_objective(whole[0].recipe.loss)} seed {seed}" for seed in lost]
        groups.append(Group(tuple(whole)))
    if lacking:
        count = counted(len(lacking), "seed that lacks folds is", "seeds that lack folds are")
        notes.append(f"{count} left out: {first_names(lacking)}.")
    return groups, notes


def _fold(run: Run) -> Fold:
    return run.recipe.data.val_fold, run.recipe.data.test_fold


def _key(run: Run, names: dict[str, str]) -> tuple[Any, ...]:
    """What runs that are together share; `names` keeps digest -> digest without folds."""
    data = run.recipe.data
    if not data.val_fold:
        return run.digest, run.split
    if run.digest not in names:
        plain = dataclasses.replace(data, val_fold="", test_fold="", fold_seed=0)
        names[run.digest] = digest(dataclasses.replace(run.recipe, data=plain))
    many = (parse_fold(data.val_fold) or (0, 0))[1]
    tested = "" if data.test_fold else str(run.facts.get("test_images", ""))
    return names[run.digest], many, bool(data.test_fold), tested, data.root


def _whole_seeds(runs: list[Run]) -> tuple[list[Run], list[int]]:
    """Runs of the seeds that have as many folds as any, and the other seeds: their mean would be of other images."""
    seen: dict[int, list[tuple[Fold, int]]] = {}
    for run in runs:
        seen.setdefault(run.seed, []).append((_fold(run), run.recipe.data.fold_seed))
    folds = {fold for found in seen.values() for fold, _ in found}

    def whole(found: list[tuple[Fold, int]]) -> bool:
        return all({fold for fold, other in found if other == turn} == folds for _, turn in found)

    kept = {seed for seed, found in seen.items() if whole(found)}
    if not kept:  # none has all: the first folds of the first seed are what the row is of
        first = {fold for fold, _ in seen[runs[0].seed]}
        kept = {seed for seed, found in seen.items() if {fold for fold, _ in found} == first}
    return [run for run in runs if run.seed in kept], [seed for seed in seen if seed not in kept]


def _last_stages(runs: Sequence[Run]) -> tuple[list[Run], list[str]]:
    """Without the stages of a staged recipe that a later stage among the runs went on from."""
    went_on = {(run.recipe.after, run.seed) for run in runs if run.facts.get("stage") and run.recipe.after}
    kept = [run for run in runs if not (run.facts.get("stage") and (run.digest, run.seed) in went_on)]
    count = counted(len(runs) - len(kept), "earlier stage", "earlier stages")
    many = "is" if len(runs) - len(kept) == 1 else "are"
    notes = [f"{count} of a staged recipe {many} left out: the last stage is the row."] if len(kept) < len(runs) else []
    return kept, notes
