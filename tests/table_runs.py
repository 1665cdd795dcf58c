"""Finished runs made by hand, for tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.recipe.specs import Recipe
from sandbox.reporting.records.read import read_runs
from sandbox.reporting.records.run import Run
from sandbox.reporting.tables.build import build_table
from sandbox.reporting.tables.layout import Layout
from sandbox.reporting.tables.table import Cell, Table
from sandbox.runs.folder import create

MAP = "retrieval/map@r"
METRIC = f"test/{MAP}"


def finish(
    parent: Path,
    recipe: Recipe,
    values: float | Mapping[str, float],
    *,
    status: str = "done",
    split: str = "abc",
    command: str = "a test",
    baselines: Mapping[str, Mapping[str, float]] | None = None,
    **facts: Any,
) -> Path:
    """A run folder with figures of test: MAP@R where one number is given, else a number for each report key."""
    folder = create(parent, recipe, command)
    folder.write_json("report.json", {"test": _figures(values if isinstance(values, Mapping) else {MAP: values})})
    if baselines is not None:
        folder.write_json("baselines.json", {name: {"test": _figures(rows)} for name, rows in baselines.items()})
    folder.update(status=status, split=split, **facts)
    return folder.path


def seeds_of(parent: Path, recipe: Recipe, values: Mapping[int, float], **facts: Any) -> None:
    """A finished run for each seed."""
    from dataclasses import replace

    for seed, value in values.items():
        finish(parent, replace(recipe, seed=seed), value, **facts)


def runs_of(place: Path) -> list[Run]:
    """The finished runs below a folder."""
    return read_runs([place])[0]


def table_of(place: Path, **asked: Any) -> Table:
    """The table of the runs below a folder."""
    return build_table(runs_of(place), Layout(**asked))


def column(table: Table, key: str, block: str = "", kind: str = "") -> list[Cell]:
    """The cells of the column of a key, from the first row down."""
    (place,) = (k for k, c in enumerate(table.columns) if (c.key, c.block) == (key, block) and kind in ("", c.kind))
    return [row.cells[place] for row in table.rows]


def _figures(values: Mapping[str, float]) -> dict[str, Any]:
    return {key: {"value": value, "n": 10} for key, value in values.items()}
