"""Finished runs to a `Table`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.errors import SandboxError, unknown
from sandbox.evaluation.fewshot.said import check_alike
from sandbox.evaluation.figures import is_after, lower_is_better, printed_name
from sandbox.reporting.records.groups import Group, group
from sandbox.reporting.records.names import figure_key, printed_setting
from sandbox.reporting.records.run import HAUSDORFF, RAW_PIXELS, ROWS, Run, entries_of
from sandbox.reporting.tables import baselines
from sandbox.reporting.tables.arrange import Arranged, arrange
from sandbox.reporting.tables.caption import caption
from sandbox.reporting.tables.columns import Filled, columns_of
from sandbox.reporting.tables.layout import COSTS, SHOWN, Layout
from sandbox.reporting.tables.lettering import letters_said
from sandbox.reporting.tables.mixed import check_column, judged_by
from sandbox.reporting.tables.table import Cell, Column, Row, Table
from sandbox.wording import first_names


def build_table(runs: Sequence[Run], layout: Layout | None = None) -> Table:
    """Put runs into rows by columns.

    Args:
        runs: finished ones, at least one.
        layout: what is asked for.

    Raises:
        SandboxError: no run, a figure, setting or cost that none has, or runs in one column that do not compare.
    """
    layout = layout or Layout()
    if not runs:
        raise SandboxError("there is no run to put into a table")
    for name in layout.cost:
        if name not in COSTS:
            raise unknown("cost", name, COSTS)
    groups, left_out = group(runs)
    keys = _figures(runs, layout.metrics)
    arranged = _sorted(arrange(groups, layout.rows, layout.columns), keys, layout)
    if not layout.mixed:
        _check_columns(arranged, next(filter(is_after, keys), keys[0]))
        for key in keys:
            check_alike(key, entries_of([run for one in groups for run in one.runs], key))
    made, remarks = columns_of(arranged, keys, layout)
    columns = [*_setting_columns(arranged), *(one.column for one in made)]
    rows = _rows(arranged, made)
    said = [*_marks_said(arranged, made, sorted(remarks.untested)), *remarks.said(layout.baseline)]
    if baselines.wanted(layout.baselines, [run for one in groups for run in one.runs]):
        foot, told = _foot(arranged, keys, columns, layout)
        rows, said = [*rows, *foot], [*said, *told]
    text = caption(arranged, keys, columns, layout, [*said, *left_out])
    return Table(tuple(columns), tuple(rows), text)


def check_columns(groups: Sequence[Group], layout: Layout) -> None:
    """Refuse groups that a layout would put into one column although their figures do not compare.

    Raises:
        SandboxError: as `build_table` refuses them.
    """
    _check_columns(arrange(groups, layout.rows, layout.columns), f"test/{SHOWN[0]}")


def _check_columns(arranged: Arranged, key: str) -> None:
    for b, block in enumerate(arranged.blocks):
        check_column(arranged.of_block(b), key, block, arranged.across)


def _figures(runs: Sequence[Run], asked: Sequence[str]) -> list[str]:
    """Report keys of what is asked for, else of what is usual: of test where there is any, else of validation."""
    known = sorted({key for run in runs for key in run.figures})
    if asked:
        return list(dict.fromkeys(figure_key(text, known) for text in asked))
    if runs and all(run.facts.get("folds") for run in runs):
        means = {f"test/{key}": 0 for run in runs for key, entry in run.report["test"].items() if _is_mean(entry)}
        return [*means, *(f"test/{key}" for key in SHOWN if f"test/{key}" in known)]
    for split in ("test", "val"):
        if found := [f"{split}/{key}" for key in SHOWN if f"{split}/{key}" in known]:
            return found
    there = ", ".join(dict.fromkeys(printed_name(key.partition("/")[2]) for key in known)) or "none"
    names = ", ".join(map(printed_name, SHOWN))
    raise SandboxError(f"no run has any of the figures {names}; give --metrics, of which there are {there}")


def _is_mean(entry: Mapping[str, Any]) -> bool:
    """Whether a figure is a mean over test folds."""
    return "standard_error" in entry


def _sorted(arranged: Arranged, keys: Sequence[str], layout: Layout) -> Arranged:
    """Best first, by the first block that a row is in; rows that lack the figure last.

    Raises:
        SandboxError: --sort names no figure of the table.
    """
    by = keys[0]
    if layout.sort:
        try:
            by = figure_key(layout.sort, keys)
        except SandboxError:
            names = ", ".join(printed_name(key.partition("/")[2]) for key in keys)
            raise SandboxError(f"--sort '{layout.sort}' is not among the metrics of the table: {names}") from None
    sign = 1 if lower_is_better(by) else -1

    def place(row: tuple[Group | None, ...]) -> tuple[int, float]:
        for b, one in enumerate(row):
            values = one.by_seed(by).values() if one is not None else ()
            if values:
                return b, sign * sum(values) / len(values)
        return len(row), 0.0

    order = sorted(range(len(arranged.groups)), key=lambda k: place(arranged.groups[k]))
    labels, groups = tuple(arranged.labels[k] for k in order), tuple(arranged.groups[k] for k in order)
    return dataclasses.replace(arranged, labels=labels, groups=groups)


def _setting_columns(arranged: Arranged) -> list[Column]:
    """By what a person calls the setting; two that are called alike by their full names."""
    names = [printed_setting(name) for name in arranged.keys]
    return [
        Column("setting", key, name if names.count(name) == 1 else key)
        for key, name in zip(arranged.keys, names, strict=True)
    ]


def _rows(arranged: Arranged, made: Sequence[Filled]) -> list[Row]:
    rows = []
    for k, (labels, groups) in enumerate(zip(arranged.labels, arranged.groups, strict=True)):
        digests = tuple(dict.fromkeys(run.digest for one in groups if one is not None for run in one.runs))
        rows.append(Row((*map(Cell, labels), *(one.cells[k] for one in made)), digests))
    return rows


def _marks_said(arranged: Arranged, made: Sequence[Filled], untested: Sequence[int]) -> list[str]:
    """Sentences on letters, and on columns that hold what does not compare."""
    cells = [cell for one in made for cell in one.cells]
    seeds = max(len(one.seeds) for row in arranged.groups for one in row if one is not None)
    mixed = [b for b in range(len(arranged.blocks)) if len({judged_by(one) for one in arranged.of_block(b)}) > 1]
    said = letters_said(
        any(cell.letters for cell in cells),
        [", ".join(filter(None, arranged.labels[k])) for k in untested],
        any(cell.best for cell in cells),
        0 if mixed else len(arranged.groups),
        seeds,
    )
    if mixed:
        where = first_names([arranged.blocks[b] for b in mixed]) if arranged.across else "the rows"
        said.insert(0, f"Mixed by request: figures of {where} are of several splits or rules and do not compare.")
    return said


def _foot(
    arranged: Arranged, keys: Sequence[str], columns: Sequence[Column], layout: Layout
) -> tuple[list[Row], list[str]]:
    """Rows of the baselines, and sentences on them."""
    rows, ranges = [], False
    for labels, cells in baselines.baseline_rows(arranged, keys, layout.percent):
        filled = [Cell(label) for label in labels]
        for column in columns[len(labels) :]:
            place = arranged.blocks.index(column.block), column.key
            filled.append(cells.get(place, Cell()) if column.kind == "figure" else Cell())
        ranges = ranges or any(cell.text and math.isnan(cell.value) for cell in cells.values())
        rows.append(Row(tuple(filled), foot=True))
    said = []
    if rows:
        of_rows = any(row.cells[0].text == ROWS for row in rows)
        images = any(row.cells[0].text == RAW_PIXELS for row in rows) or not of_rows
        kinds = ["the images as they are (raw pixels)"] * images + [f"the {ROWS}"] * of_rows
        said.append(f"Below the rule: {', '.join(kinds)}, and the network at step 0 (untrained).")
        if any(row.cells[0].text == HAUSDORFF for row in rows):
            said.append("Raw pixels and the modified Hausdorff distance of official one-shot trials are of 105 px.")
    if ranges:
        said.append("Raw pixels are a range where rows see the images in several sizes or colours.")
    return rows, said
