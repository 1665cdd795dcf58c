"""Several recipes over several data sets: a table of means, ranks, and every pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from sandbox.errors import SandboxError, unknown
from sandbox.evaluation.comparison.ranks import Ranked, ranked
from sandbox.evaluation.fewshot.said import check_alike
from sandbox.evaluation.figures import lower_is_better
from sandbox.recipe.specs import flat
from sandbox.reporting.compare.fit import check_same_rules, spell_seeds
from sandbox.reporting.compare.names import names_of
from sandbox.reporting.records.groups import Group
from sandbox.reporting.records.run import entries_of
from sandbox.wording import first_names

_OVERLAP = "these are parts of one data set, which share images: every p here is smaller than it should be"
_NEVER = {"seed", "device", "threads", "resume_from", "after"}


@dataclass(frozen=True)
class OverData:
    """Ways of training, each with a figure on each data set."""

    over: str
    """The setting that names the data sets."""
    key: str
    names: tuple[str, ...]
    """Of the ways."""
    sets: tuple[str, ...]
    """Of the data sets."""
    values: np.ndarray = field(repr=False)
    """(D, M) means over seeds."""
    counts: np.ndarray = field(repr=False)
    """(D, M) seeds."""
    found: Ranked
    notes: tuple[str, ...]


def over_data(groups: Sequence[Group], over: str, key: str, wanted: Sequence[str] = ()) -> OverData:
    """Rank ways of training over data sets.

    A way is all settings of a recipe but those of its data; where `over` is no setting of data, all but that one.

    Args:
        groups: recipes by seed.
        over: dotted name of the setting that tells data sets apart, such as ``data.name``.
        key: the figure.
        wanted: canonical objectives; every way that is on all data sets where none is given.

    Raises:
        SandboxError: no such setting, one data set under several splits, fewer than five data sets, fewer than two
            ways that are on all of them, two recipes in one cell, or other rules of evaluation within a data set.
    """
    known = dict.fromkeys(name for group in groups for name in flat(group.recipe))
    if over not in known or over in _NEVER | {"loss", "miner"}:
        raise unknown("setting to compare over", over, [name for name in known if name.startswith("data.")])
    chosen = [group for group in groups if not wanted or group.objective in wanted]
    cells: dict[tuple[str, str], dict[tuple[tuple[str, str], ...], Group]] = {}
    for group in chosen:
        settings = flat(group.recipe)
        cell = cells.setdefault((str(settings.get(over, "")), group.runs[0].split), {})
        way = tuple((name, str(value)) for name, value in settings.items() if not _is_of_data(name, over))
        if way in cell:
            raise SandboxError(
                f"{group.called} was trained in several ways on {over} = {settings.get(over, '')}, with digests "
                f"{cell[way].runs[0].digest} and {group.runs[0].digest}; choose with --where"
            )
        cell[way] = group
    one_source = _check_sources(cells, over)
    labels = _labels(cells)
    ways, notes = _ways(list(cells.values()), labels)
    notes += [_OVERLAP] if one_source else []
    rows = [[cell[way] for way in ways] for cell in cells.values()]
    names = names_of([_first(cells.values(), way) for way in ways])
    for row in rows:
        check_same_rules(row, names)
        check_alike(key, entries_of([run for one in row for run in one.runs], key))
    values, counts = _table(rows, key, names)
    notes += _uneven(rows, labels)
    found = ranked(values, lower=lower_is_better(key))
    return OverData(over, key, tuple(names), tuple(labels), values, counts, found, tuple(notes))


def _check_sources(cells: Mapping[tuple[str, str], Mapping[Any, Group]], over: str) -> bool:
    """Whether all that is compared over is of one data set, such as splits of it.

    Raises:
        SandboxError: one value of the setting stands for several splits of one data set, which are no data sets.
    """
    sources: dict[str, list[tuple[str, str]]] = {}
    for (value, _), cell in cells.items():
        data = next(iter(cell.values())).recipe.data
        sources.setdefault(value, []).append((data.name, data.root))
    for value, found in sources.items():
        if len(set(found)) < len(found):
            raise SandboxError(
                f"{over} = {value} has {len(found)} splits of one data set, which count for one; choose one of them "
                "with --where"
            )
    return len({source for found in sources.values() for source in found}) == 1


def _is_of_data(name: str, over: str) -> bool:
    return name == over or name in _NEVER or (over.startswith("data.") and name.startswith("data."))


def _ways(cells: Sequence[dict[Any, Group]], labels: Sequence[str]) -> tuple[list[Any], list[str]]:
    """The ways that are on every data set, and a sentence on the others."""
    every = list(dict.fromkeys(way for cell in cells for way in cell))
    ways = [way for way in every if all(way in cell for cell in cells)]
    short = [way for way in every if way not in ways]
    listed = [
        f"{_first(cells, way).called} (not on "
        f"{first_names([label for label, cell in zip(labels, cells, strict=True) if way not in cell], 3)})"
        for way in short
    ]
    if len(ways) < 2:
        raise SandboxError(
            f"{len(ways)} of {len(every)} ways of training are on all of {first_names(labels, 8)}, and a comparison "
            f"needs two; {first_names(listed, 3)}"
        )
    return ways, [f"left out, as not on every data set: {first_names(listed, 5)}"] if listed else []


def _first(cells: Any, way: Any) -> Group:
    return next(cell[way] for cell in cells if way in cell)


def _labels(cells: Mapping[tuple[str, str], Mapping[Any, Group]]) -> list[str]:
    """Names of data sets; those of one name are told apart by their folders, or by their splits."""
    plain = [name for name, _ in cells]
    roots = [Path(next(iter(cell.values())).recipe.data.root).name for cell in cells.values()]
    by_root = [f"{name} ({root})" for name, root in zip(plain, roots, strict=True)]
    labels = []
    for (name, split), longer, root in zip(cells, by_root, roots, strict=True):
        apart = longer if root and by_root.count(longer) == 1 else f"{name} [{split}]"
        labels.append(name if plain.count(name) == 1 else apart)
    return labels


def _table(rows: Sequence[Sequence[Group]], key: str, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    values, counts = np.zeros((len(rows), len(names))), np.zeros((len(rows), len(names)), np.int64)
    for i, row in enumerate(rows):
        for k, group in enumerate(row):
            found = group.by_seed(key)
            if not found:
                raise SandboxError(f"{names[k]} has no figure {key} on every data set; leave it out")
            values[i, k], counts[i, k] = fmean(found.values()), len(found)
    return values, counts


def _uneven(rows: Sequence[Sequence[Group]], labels: Sequence[str]) -> list[str]:
    """A sentence on data sets whose ways were not trained with the same seeds."""
    uneven = [
        f"{label} ({' and '.join(dict.fromkeys(spell_seeds(group.seeds) for group in row))})"
        for label, row in zip(labels, rows, strict=True)
        if len({group.seeds for group in row}) > 1
    ]
    return [f"ways have means over other seeds on {first_names(uneven, 3)}"] if uneven else []
