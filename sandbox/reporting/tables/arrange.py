"""Which group stands in which row and block, and which settings tell the rows apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.errors import SandboxError
from sandbox.recipe.fold import parse_fold
from sandbox.recipe.specs import Recipe, flat
from sandbox.reporting.records.groups import Group
from sandbox.reporting.records.names import printed_setting, setting_name
from sandbox.reporting.records.spelling import shortened

ABSENT = "\0absent"
"""In the place of a setting that the data set of a run has not."""
_SECTIONS = [field.name for field in dataclasses.fields(Recipe)]
_OF_ONE_RUN = {"seed", "device", "threads", "resume_from"}
"""Runs that differ in these alone are one cell."""
_NO_SETTING = _OF_ONE_RUN | {"data.root", "data.images"}
_ALWAYS_SAID = ("data.name", "backbone.name", "backbone.embedding_dim", "max_steps", "epochs")


@dataclass(frozen=True)
class Arranged:
    """Groups by row and block."""

    keys: tuple[str, ...]
    """Settings at the left: those that were asked for, then those that differ."""
    labels: tuple[tuple[str, ...], ...]
    """Of each row, as they are printed."""
    across: tuple[str, ...]
    """Settings whose values stand across."""
    blocks: tuple[str, ...]
    """Those values as they are printed; one empty text where nothing stands across."""
    groups: tuple[tuple[Group | None, ...], ...]
    """(rows, blocks)."""
    equal: tuple[str, ...]
    """Settings of all rows, such as 'network conv4'; those of a block alone begin with its name."""

    def of_block(self, block: int) -> list[Group]:
        """The groups of a block, from the first row down."""
        return [row[block] for row in self.groups if row[block] is not None]  # type: ignore[misc]


def settings_of(group: Group) -> dict[str, Any]:
    """The settings that a group's runs share; of folds, how many there are."""
    rows = {**flat(group.recipe), "split": group.runs[0].split}
    if group.folds:
        many = (parse_fold(group.folds[0][0]) or (0, 0))[1]
        rows["data.val_fold"] = f"{len(group.folds)} of {many} in turn"
        rows["data.test_fold"] = "in turn" if group.folds[0][1] else ""
        rows["data.fold_seed"] = 0
    return rows


def arrange(groups: Sequence[Group], rows: Sequence[str], columns: Sequence[str]) -> Arranged:
    """Put groups into rows and blocks.

    Args:
        groups: at least one.
        rows: settings that head the rows.
        columns: settings whose values stand across.

    Raises:
        SandboxError: a setting that is none, that is both, or that the runs of a cell differ in.
    """
    settings = [settings_of(one) for one in groups]
    known = _in_order({name for one in settings for name in one if name != "split"})
    down, across = (
        list(dict.fromkeys(setting_name(text, known) for text in texts)) for texts in (rows or ("loss",), columns)
    )
    if alone := [name for name in (*down, *across) if name in _OF_ONE_RUN]:
        raise SandboxError(f"{alone[0]} heads no rows and no columns, as runs that differ in it alone are one cell")
    if "miner" in (*down, *across):
        settings = [_with_miner_apart(one) for one in settings]
    if both := [name for name in across if name in down]:
        raise SandboxError(f"{both[0]} is in --rows and in --columns, but heads either rows or columns")
    blocks_of = [tuple(one.get(name, ABSENT) for name in across) for one in settings]
    blocks = sorted(dict.fromkeys(blocks_of), key=_order)
    parted = [[one for one, block in zip(settings, blocks_of, strict=True) if block == wanted] for wanted in blocks]
    free = [name for name in known if name not in _NO_SETTING and name not in down and name not in across]
    keys = [*down, *(name for name in free if any(_differs(name, part) for part in parted))]
    for name in ("data.root", "split"):  # the same recipe on other images
        places = [(_values(one, keys), block) for one, block in zip(settings, blocks_of, strict=True)]
        if len(set(places)) < len(places) and any(_differs(name, part) for part in parted):
            keys.append(name)
    found: dict[tuple[Any, ...], dict[tuple[Any, ...], Group]] = {}
    for one, block, group in zip(settings, blocks_of, groups, strict=True):
        found.setdefault(_values(one, keys), {})[block] = group
    return Arranged(
        keys=tuple(keys),
        labels=_labels(keys, list(found)),
        across=tuple(across),
        blocks=_block_names(across, blocks),
        groups=tuple(tuple(row.get(block) for block in blocks) for row in found.values()),
        equal=tuple(_equal([name for name in known if name not in keys], across, blocks, parted, groups)),
    )


def _with_miner_apart(settings: dict[str, Any]) -> dict[str, Any]:
    """The same with the miners, which a run keeps inside its objective, as a setting of their own."""
    from sandbox.reporting.records.objective_parts import parts_of  # and not above: the catalogue takes seconds

    parts = parts_of(settings["loss"])
    return {**settings, "loss": parts.without_miners, "miner": " / ".join(dict.fromkeys(parts.miners)) or "none"}


def _values(settings: dict[str, Any], names: Iterable[str]) -> tuple[Any, ...]:
    return tuple(settings.get(name, ABSENT) for name in names)


def _differs(name: str, settings: Sequence[dict[str, Any]]) -> bool:
    return len({str(one[name]) for one in settings if name in one}) > 1  # a data set may lack a setting of another


def _in_order(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (_SECTIONS.index(name.partition(".")[0]), not name.endswith(".name"), name))


def _order(values: tuple[Any, ...]) -> list[tuple[bool, float, str]]:
    """Numbers by size, then texts by the alphabet."""
    numbers = [value if isinstance(value, int | float) else 0.0 for value in values]
    return [(isinstance(v, str), float(n), str(v)) for v, n in zip(values, numbers, strict=True)]


def _labels(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> tuple[tuple[str, ...], ...]:
    """Each row's values as they are printed, told apart within their column."""
    texts = [shortened(name, [row[k] for row in rows]) | {ABSENT: ""} for k, name in enumerate(names)]
    return tuple(tuple(texts[k][value] for k, value in enumerate(row)) for row in rows)


def _block_names(across: Sequence[str], blocks: Sequence[tuple[Any, ...]]) -> tuple[str, ...]:
    """What each block is called; of several settings, those that are not empty, as far as that tells blocks apart."""
    labels = _labels(across, blocks)
    short = [", ".join(text for text in label if text not in ("", "none")) for label in labels]
    return (
        tuple(short if "" not in short and len(set(short)) == len(short) else map(", ".join, labels))
        if across
        else ("",)
    )


def _equal(
    names: Sequence[str],
    across: Sequence[str],
    blocks: Sequence[tuple[Any, ...]],
    parted: Sequence[Sequence[dict[str, Any]]],
    groups: Sequence[Group],
) -> Iterable[str]:
    """Settings that are no column: what all rows share, then what is of one block alone; defaults go without saying."""
    plain = flat(dataclasses.replace(Recipe(), data=type(groups[0].recipe.data)()))
    firsts = [part[0] for part in parted]
    for name in names:
        if name in across or name in _NO_SETTING:
            continue
        values = [first[name] for first in firsts if name in first]
        said = name in _ALWAYS_SAID or any(value != plain.get(name) for value in values)
        if not said or all(value in (None, "") for value in values):
            continue
        if len({str(value) for value in values}) == 1:
            yield f"{printed_setting(name)} {shortened(name, values)[values[0]]}"
            continue
        texts = shortened(name, values)
        named = _block_names(across, blocks)
        told = [f"{texts[f[name]]} ({named[k]})" for k, f in enumerate(firsts) if name in f]
        yield f"{printed_setting(name)} {', '.join(told)}"
