"""What must agree before two recipes are compared: the images, the rules of evaluation, and some seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.recipe.specs import EMBEDDED_BY, flat, own_settings
from sandbox.reporting.records.groups import Group
from sandbox.wording import counted, first_names

_RULES = (*EMBEDDED_BY, "evaluate.monitor")


@dataclass(frozen=True)
class Shared:
    """The seeds of two recipes."""

    seeds: tuple[int, ...]
    """That both were trained with, rising, at least one."""
    note: str
    """Which one of them alone was trained with; empty where none was."""


def check_same_rules(groups: Sequence[Group], names: Sequence[str]) -> None:
    """Refuse recipes that were not judged alike.

    Raises:
        SandboxError: other images, or figures taken by other rules; says of which recipes, and what differs.
    """
    first, rows = groups[0], [flat(group.recipe) for group in groups]
    for group, row, name in zip(groups[1:], rows[1:], names[1:], strict=True):
        if group.runs[0].split != first.runs[0].split:
            raise SandboxError(
                f"{names[0]} was judged on other images than {name}: their splits are {first.runs[0].split} and "
                f"{group.runs[0].split}{_data(rows[0], row)}; a comparison needs the same"
            )
        if group.folds != first.folds:
            raise SandboxError(
                f"{names[0]} has {_spell_folds(first)} and {name} has {_spell_folds(group)}, so that their means are "
                "of other images; a comparison needs the same"
            )
        rules = [*_RULES, *(f"data.{own}" for own in own_settings(type(first.recipe.data)))]
        other = [f"{rule} is {rows[0][rule]} and {row[rule]}" for rule in rules if rows[0].get(rule) != row.get(rule)]
        if other:
            raise SandboxError(
                f"{names[0]} and {name} were evaluated by other rules: {', '.join(other)}; a comparison needs the same"
            )


def _which(one: Group) -> set[tuple[Path, str, int]]:
    """The runs of a recipe; those of a ledger have one file together."""
    return {(run.path.resolve(), run.digest, run.seed) for run in one.runs}


def shared_seeds(a: Group, b: Group, names: tuple[str, str]) -> Shared:
    """The seeds that pair two recipes.

    Raises:
        SandboxError: they are the same runs, have no seed in common, or have one alone in several folds.
    """
    if _which(a) == _which(b):
        raise SandboxError(f"both names stand for the same runs, of {a.called}; a comparison needs two ways")
    both = tuple(seed for seed in a.seeds if seed in b.seeds)
    if not both:
        raise SandboxError(
            f"{names[0]} has {spell_seeds(a.seeds)} and {names[1]} has {spell_seeds(b.seeds)}: none in common, so "
            "there is nothing to pair; train one with seeds of the other (run.py --seed N --seeds COUNT)"
        )
    if len(both) == 1 and len(a.folds) > 1:
        raise SandboxError(
            f"{names[0]} and {names[1]} have {spell_seeds(both)} alone in common, in {len(a.folds)} folds, which are "
            "no seeds; train more seeds, or name a run folder of each"
        )
    alone = [
        f"{spell_seeds(rest)} of {name}"
        for group, name in zip((a, b), names, strict=True)
        if (rest := [seed for seed in group.seeds if seed not in both])
    ]
    note = f"left out, as the other has no such seed: {' and '.join(alone)}"
    return Shared(both, note if alone else "")


def spell_seeds(seeds: Sequence[int]) -> str:
    """``seed 3``, ``seeds 0 to 4`` where none between is missing, else ``seeds 0, 2, 5``; cut where they are many."""
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    if len(seeds) > 2 and seeds[-1] - seeds[0] == len(seeds) - 1:
        return f"seeds {seeds[0]} to {seeds[-1]}"
    rest = f" and {len(seeds) - 8:,} more" if len(seeds) > 8 else ""
    return f"seeds {', '.join(map(str, seeds[:8]))}{rest}"


def _spell_folds(group: Group) -> str:
    if not group.folds:
        return "no folds"
    listed = [f"{val} (test {test})" if test else val for val, test in group.folds]
    return f"{'fold' if len(listed) == 1 else 'folds'} {first_names(listed, most=10)}"


def _data(one: dict[str, object], other: dict[str, object]) -> str:
    names = [name for name in one if name.startswith("data.") and name in other and one[name] != other[name]]
    listed = [f"{name} is {one[name]} and {other[name]}" for name in names[:3]]
    more = f" and {counted(len(names) - 3, 'other', 'others')}" if len(names) > 3 else ""
    return f" ({', '.join(listed)}{more})" if listed else ""
