"""Which recipes a picture shows, what it may be drawn of, and the mean of a figure over the seeds of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.errors import SandboxError
from sandbox.evaluation.figures import lower_is_better, printed_name
from sandbox.evaluation.intervals.paired import t_interval
from sandbox.objectives.resolve import resolve
from sandbox.reporting.plots.several.labels import called, labels, usual_said
from sandbox.reporting.records.groups import Group
from sandbox.wording import counted, first_names


@dataclass(frozen=True)
class Mean:
    """A figure over the seeds of a recipe."""

    value: float
    half: float
    """Half of the 95 % t-interval; NaN for one seed."""
    n: int

    @property
    def low(self) -> float:
        """Lower end of the interval; the mean itself where there is none."""
        return self.value if math.isnan(self.half) else self.value - self.half

    @property
    def high(self) -> float:
        """Upper end of the same."""
        return self.value if math.isnan(self.half) else self.value + self.half


def mean_of(group: Group, key: str) -> Mean | None:
    """A figure over the seeds that have it; None where none has."""
    values = list(group.by_seed(key).values())
    return Mean(*t_interval(values), len(values)) if values else None


def figure_name(key: str) -> str:
    """A figure in words, with its split where that is not test: 'MAP@R', 'validation MAP@R'."""
    split, _, rest = key.partition("/")
    return (
        printed_name(rest) if split == "test" else f"{'validation' if split == 'val' else split} {printed_name(rest)}"
    )


def axis_name(key: str) -> str:
    """The same for an axis: with the direction where less is better."""
    return figure_name(key) + (" (lower is better)" if lower_is_better(key) else "")


def seeds_said(groups: Sequence[Group]) -> str:
    """'5 seeds' or '1 to 5 seeds'."""
    counts = [len(group.seeds) for group in groups]
    least, most = min(counts), max(counts)
    return counted(most, "seed", "seeds") if least == most else f"{least} to {most} seeds"


def mean_said(groups: Sequence[Group]) -> str:
    """What a point is: 'mean of 5 seeds with its 95 % t-interval', or that there is but one seed."""
    if max(len(group.seeds) for group in groups) == 1:
        return "one seed, so no interval"
    return f"mean of {seeds_said(groups)} with its 95 % t-interval"


def data_names(groups: Sequence[Group]) -> str:
    """The data sets: 'digits', 'digits and glyphs'."""
    return " and ".join(dict.fromkeys(group.recipe.data.name for group in groups))


def data_said(groups: Sequence[Group]) -> str:
    """The data sets, and what the recipes' names leave out: 'digits (lr 0.003 where not said)'."""
    return data_names(groups) + usual_said(groups)


def of_one_split(groups: Sequence[Group]) -> None:
    """Refuse recipes that were judged on different images: their figures cannot stand on one axis.

    Raises:
        SandboxError: names the data sets and their splits.
    """
    splits: dict[str, str] = {}
    for group in groups:
        splits.setdefault(group.runs[0].split, group.recipe.data.name)
    if len(splits) < 2:
        folds = list(dict.fromkeys(group.folds for group in groups))
        if len(folds) > 1:
            counts = " and ".join(str(len(found) or "no") for found in folds)
            raise SandboxError(
                f"the recipes have {counts} folds, so that their means are of other images, which have no common axis; "
                "choose those that belong together with --where"
            )
        return
    names = list(dict.fromkeys(splits.values()))
    way = f'--where "data.name = {names[0]}"' if len(names) > 1 else '--where "data.split = ..." or their folders'
    if len(names) == len(splits):
        of = f"{len(names)} data sets, {first_names(names)}"
    else:  # one data set has several, which only their digests tell apart
        of = f"{len(splits)} splits, {first_names([f'{name} ({split[:6]})' for split, name in splits.items()])}"
    raise SandboxError(f"the runs were judged on {of}, which have no common axis; choose one with {way}")


def named_recipe(given: str, groups: Sequence[Group], flag: str) -> Group:
    """The recipe that a flag names: an objective as --loss takes it, its name on the picture, or a digest.

    Raises:
        SandboxError: none or several are called so.
    """
    shown = labels(groups)
    for names in (shown, [called(group.objective) for group in groups], [group.objective for group in groups]):
        if names.count(given) == 1:
            return groups[names.index(given)]
    digests = [group for group in groups if len(given) >= 6 and group.runs[0].digest.startswith(given)]
    found = digests or [group for group in groups if group.objective == _canonical(given)]
    if len(found) == 1:
        return found[0]
    which = [f"{shown[groups.index(group)]} ({group.runs[0].digest[:6]})" for group in found or groups]
    if found:
        raise SandboxError(f"{flag} {given} names {len(found)} recipes; give a digest of {first_names(which)}")
    raise SandboxError(f"{flag} names {given}, but no run has that objective; there are {first_names(which)}")


def _canonical(objective: str) -> str:
    try:
        return str(resolve(objective))
    except SandboxError:
        return objective
