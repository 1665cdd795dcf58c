"""Two tables of one command compared, cell by cell."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sandbox.evaluation.figures import printed_name
from sandbox.reporting.again.grids import Figure, Grid, figure
from sandbox.reporting.records.names import printed_setting

_COSTS = re.compile(r"images per second|images/s|hours|seconds", re.IGNORECASE)
_SETTING = re.compile(r"[a-z]+\.[a-z_]+")  # as earlier tables headed a column
_FIGURES = re.compile(
    r"retrieval/|verification/|identification/|classification/|oneshot/|clustering/|MAP@|\bR@|\bP@|R-precision|MRR|AUC|EER|TAR@|"
    r"d'|Cllr|accuracy|top-\d|rank-\d|DIR@|AMI|NMI"
)


@dataclass(frozen=True)
class Moved:
    """A cell that is another one now."""

    row: str
    column: str
    before: str
    now: str
    """Empty where there is no such row any more."""

    def __str__(self) -> str:
        return f"{self.row}, {self.column}: {self.before}, now {self.now}" if self.now else f"{self.row} is gone"


@dataclass(frozen=True)
class Outcome:
    """What became of the cells of a file."""

    same: int
    """Figures that are the same to the last digit."""
    within: int
    """Figures that differ by less than their intervals allow."""
    moved: tuple[Moved, ...]
    unmatched: tuple[str, ...] = ()
    """Columns and rows that one of the two has alone, so that nothing of them is compared; a row that is gone moved."""


def compare(before: Sequence[Grid], now: Sequence[Grid]) -> Outcome:
    """What moved between two makings of one file.

    A figure moved where the two differ by more than the root of the sum of both half-intervals squared; where one of
    them has no interval, where they differ in a digit that is printed. What a machine took (hours, images per second)
    is not compared. Rows are found again by what stands in them beside figures, whatever their order.
    """
    same = within = 0
    moved: list[Moved] = []
    unmatched: list[str] = []
    for number in range(max(len(before), len(now))):
        old = _renamed(before[number] if number < len(before) else Grid((), ()))
        new = _renamed(now[number] if number < len(now) else Grid((), ()))
        shared = [name for name in old.columns if name in new.columns]
        unmatched += [
            f"the column {name}" for name in dict.fromkeys((*old.columns, *new.columns)) if name not in shared
        ]
        labels = _labels(old, new, shared)
        if old.columns != new.columns:
            old, new, alike = _told_apart(old, new, labels)
            unmatched += [f"the rows {name}, which nothing tells apart" for name in alike]
        for row, other in _matched(old, new, labels):
            if row is None or other is None:
                name = _name(row or other or {}, labels)
                moved += [] if row is None else [Moved(name, "", "there", "")]
                unmatched += [f"the row {name}"] if row is None else []
                continue
            for column in shared:
                if column in labels or _COSTS.search(column):
                    continue
                a, b = row[column], other[column]
                kind = _kind(a, b)
                same, within = same + (kind == "same"), within + (kind == "within")
                if kind == "moved":
                    moved.append(Moved(_name(row, labels), column, a or "nothing", b or "nothing"))
    return Outcome(same, within, tuple(moved), tuple(unmatched))


def _renamed(grid: Grid) -> Grid:
    """The same with heads by one name, as a table may have had report keys: MAP@R for test/retrieval/map@r."""
    plain = [re.sub(r"\s*(\$?\\?(up|down)arrow\$?|[↑↓])", "", name) for name in grid.columns]
    names = [printed_name(name.removeprefix("test/")) for name in plain]
    names = [printed_setting(name) if _SETTING.fullmatch(name) else name for name in names]
    names = ["objective" if name == "loss" else name for name in names]
    return replace(grid, columns=tuple(names) if len(set(names)) == len(names) else tuple(plain))


def _kind(a: str, b: str) -> str:
    if not a and not b:
        return "empty"
    one, other = figure(a), figure(b)
    if one is None or other is None:
        return "same" if a == b else "moved"
    if one.half is None or other.half is None:
        return "same" if _printed(one, other) and one.half is other.half is None else "moved"
    if one == other:
        return "same"
    reach = math.hypot(one.half, other.half)
    return "within" if abs(one.value - other.value) <= reach or _printed(one, other) else "moved"


def _printed(one: Figure, other: Figure) -> bool:
    """Whether two numbers agree in the digits that both show."""
    decimals = min(len(each.text.partition(".")[2]) for each in (one, other))
    return f"{one.value:.{decimals}f}" == f"{other.value:.{decimals}f}"


def _labels(old: Grid, new: Grid, shared: Sequence[str]) -> list[str]:
    """The columns of both that say what a row is: no figures, by their heads and by their cells."""
    found = []
    for name in shared:
        cells = [row[grid.columns.index(name)] for grid in (old, new) for row in grid.rows]
        numbers = [figure(cell) for cell in cells if cell]
        if _FIGURES.search(name) or name == "n" or any(one and one.half is not None for one in numbers):
            continue
        if not _COSTS.search(name):
            found.append(name)
    return found


def _told_apart(old: Grid, new: Grid, labels: Sequence[str]) -> tuple[Grid, Grid, list[str]]:
    """Both without rows that are alike in what both say of them: the column that told them apart has another head."""
    named = [[_name(row, labels) for row in _rows(grid)] for grid in (old, new)]
    alike = [name for name in dict.fromkeys([*named[0], *named[1]]) if max(names.count(name) for names in named) > 1]
    one, other = (
        replace(grid, rows=tuple(row for row, name in zip(grid.rows, names, strict=True) if name not in alike))
        for grid, names in zip((old, new), named, strict=True)
    )
    return one, other, alike


Row = dict[str, str]


def _matched(old: Grid, new: Grid, labels: list[str]) -> list[tuple[Row | None, Row | None]]:
    """Rows of the earlier table with those of the later one: by their labels, then by the labels that are words."""
    before, now = _rows(old), _rows(new)
    words = [name for name in labels if not all(figure(row[name]) for row in (*before, *now) if row.get(name))]
    found: list[tuple[Row | None, Row | None]] = []
    for names in (labels, words):
        for row in list(before):
            other = next((r for r in now if all(r.get(name, "") == row.get(name, "") for name in names)), None)
            if other is not None:
                found.append((row, other))
                before.remove(row)
                now.remove(other)
    return [*found, *((row, None) for row in before), *((None, row) for row in now)]


def _rows(grid: Grid) -> list[Row]:
    """Rows by column; a first cell that is empty stands for the one above it."""
    found: list[Row] = []
    above = ""
    for cells in grid.rows:
        above = cells[0] or above
        found.append(dict(zip(grid.columns, (above, *cells[1:]), strict=True)))
    return found


def _name(row: Row, labels: Sequence[str]) -> str:
    """What a row is called in a sentence."""
    parts = [row[name] for name in labels if row.get(name)]
    return f"'{', '.join(parts)}'" if parts else "that has no name"
