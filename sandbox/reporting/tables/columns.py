"""Columns right of the settings, with their cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sandbox.evaluation.figures import lower_is_better, printed_name
from sandbox.reporting.records.groups import Group
from sandbox.reporting.records.spelling import short_objective
from sandbox.reporting.tables.arrange import Arranged
from sandbox.reporting.tables.baselines import difference_cell, reference_rows
from sandbox.reporting.tables.costs import cost_cell
from sandbox.reporting.tables.layout import Layout
from sandbox.reporting.tables.lettering import lettered
from sandbox.reporting.tables.mixed import judged_by
from sandbox.reporting.tables.numbers import figure_cell
from sandbox.reporting.tables.table import Cell, Column
from sandbox.wording import counted, first_names

_COSTS = {
    "parameters": "parameters",
    "multiply_adds": "multiply-adds",
    "images_per_second": "images/s",
    "memory": "GB",
    "hours": "hours",
}


@dataclass(frozen=True)
class Filled:
    """A column with its cells from the first row down."""

    column: Column
    cells: list[Cell]


@dataclass
class Remarks:
    """What was noticed as the cells were filled; rows by their place, cells by 'MAP@R of arcface'."""

    untested: set[int] = field(default_factory=set)
    """Rows without a letter in a column that has letters."""
    fewer: list[str] = field(default_factory=list)
    """Cells of fewer seeds than their row."""
    unsupported: list[str] = field(default_factory=list)
    """Cells whose figure the data cannot support."""

    def said(self, baseline: str) -> list[str]:
        """Sentences on fewer seeds, unsupported figures and differences."""
        found = []
        if baseline:
            found.append(
                f"Δ is the difference to {short_objective(baseline)}, the mean over the seeds that both have ± half of "
                "its 95 % t-interval."
            )
        if self.fewer:
            count = counted(len(self.fewer), "cell is", "cells are")
            found.append(f"{count} of fewer seeds than the row: {first_names(self.fewer)}.")
        if self.unsupported:
            named = first_names(self.unsupported)
            found.append(f"Unsupported is what a run has too few pairs for: {named}.")
        return found


def columns_of(arranged: Arranged, keys: Sequence[str], layout: Layout) -> tuple[list[Filled], Remarks]:
    """Every column right of the settings: in each block n where it differs, figures with differences, costs."""
    groups = [one for row in arranged.groups for one in row if one is not None]
    counts = len({len(one.seeds) for one in groups}) > 1
    reference = reference_rows(arranged, layout.baseline) if layout.baseline else None
    remarks, found = Remarks(), []
    for b, block in enumerate(arranged.blocks):
        groups_here = [row[b] for row in arranged.groups]
        if counts:
            found.append(Filled(Column("count", "n", "n", block), [_count(one) for one in groups_here]))
        for key in keys:
            found.append(_figures(arranged, groups_here, key, keys, block, layout.percent, remarks))
            if reference is not None:
                cells = list(_differences(groups_here, reference, key, layout.percent))
                found.append(Filled(Column("difference", key, f"Δ {_name(key, keys)}", block), cells))
        for name in layout.cost:
            costs = [Cell() if one is None else cost_cell(name, one.runs) for one in groups_here]
            found.append(Filled(Column("cost", name, _COSTS[name], block), costs))
    return found, remarks


def _count(one: Group | None) -> Cell:
    return Cell() if one is None else Cell(str(len(one.seeds)), value=len(one.seeds))


def _figures(
    arranged: Arranged,
    groups: Sequence[Group | None],
    key: str,
    keys: Sequence[str],
    block: str,
    percent: bool,
    remarks: Remarks,
) -> Filled:
    """The column of a figure; cells that its rows' runs cannot support are not compared with others."""
    values = [{} if one is None else one.by_seed(key) for one in groups]
    cells = [figure_cell(key, by_seed, percent) for by_seed in values]
    for k, one in enumerate(groups):
        name = f"{_name(key, keys)} of {arranged.labels[k][0]}"
        if one is not None and _unsupported(one, key):
            cells[k], values[k] = Cell("unsupported"), {}
            remarks.unsupported.append(name)
        elif one is not None and 0 < len(values[k]) < len(one.seeds):
            remarks.fewer.append(f"{name} ({len(values[k])})")
    if len({judged_by(one) for one in groups if one is not None}) == 1:
        cells, without = lettered(key, cells, values)
        remarks.untested |= set(without)
    arrow: Literal["", "↑", "↓"] = "" if key.endswith("unmatched") else "↓" if lower_is_better(key) else "↑"
    return Filled(Column("figure", key, _name(key, keys), block, arrow), cells)


def _differences(
    groups: Sequence[Group | None], reference: Sequence[int | None], key: str, percent: bool
) -> Iterator[Cell]:
    for one, row in zip(groups, reference, strict=True):
        other = None if row is None else groups[row]
        yield Cell() if one is other else difference_cell(one, other, key, percent)


def _unsupported(group: Group, key: str) -> bool:
    split, _, plain = key.partition("/")
    entries = [run.report.get(split, {}).get(plain, {}) for run in group.runs]
    return any(entry.get("supported") is False and "fitted_on" not in entry for entry in entries)


def _name(key: str, keys: Sequence[str]) -> str:
    """As it is printed; with its split where figures of both stand side by side."""
    split, _, plain = key.partition("/")
    several = len({other.partition("/")[0] for other in keys}) > 1
    return printed_name(plain) + (f" ({'validation' if split == 'val' else split})" if several else "")
