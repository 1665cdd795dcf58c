"""Two tables of one command compared, cell by cell."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.reporting.again.grids import Figure, Grid, figure

_COSTS = re.compile(r"images per second|images/s|hours|seconds", re.IGNORECASE)
_FIGURES = re.compile(
    r"retrieval/|verification/|identification/|classification/|clustering/|MAP@|\bR@|\bP@|R-precision|MRR|AUC|EER|TAR@|"
    r"d'|Cllr|accuracy|top-\d|rank-\d|DIR@|AMI|NMI"
)


@dataclass(frozen=True)
class Moved:
    """A cell that is another one now."""

    row: str
    column: str
    before: str
    """Empty where there was no such row."""
    now: str
    """Empty where there is no such row any more."""

    def __str__(self) -> str:
        if not self.now:
            return f"the row {self.row} is gone"
        if not self.before:
            return f"the row {self.row} is new"
        return f"{self.row}, {self.column}: {self.before}, now {self.now}"


@dataclass(frozen=True)
class Outcome:
    """What became of the cells of a file."""

    same: int
    """Figures that are the same to the last digit."""
    within: int
    """Figures that differ by less than their intervals allow."""
    moved: tuple[Moved, ...]


def compare(before: Sequence[Grid], now: Sequence[Grid]) -> Outcome:
    """What moved between two makings of one file.

    A figure moved where the two differ by more than the root of the sum of both half-intervals squared; where one of
    them has no interval, where they differ in a digit that is printed. What a machine took (hours, images per second)
    is not compared. Rows are found again by what stands in them beside figures, whatever their order.
    """
    same = within = 0
    moved: list[Moved] = []
    for number in range(max(len(before), len(now))):
        old = before[number] if number < len(before) else Grid((), ())
        new = now[number] if number < len(now) else Grid((), ())
        labels = _labels(old, new)
        for row, other in _matched(old, new, labels):
            name = _name(row or other or {}, labels)
            if row is None or other is None:
                moved.append(Moved(name, "", "" if row is None else "there", "" if other is None else "there"))
                continue
            for column in dict.fromkeys((*old.columns, *new.columns)):
                if column in labels or _COSTS.search(column):
                    continue
                a, b = row.get(column, ""), other.get(column, "")
                kind = _kind(a, b)
                same, within = same + (kind == "same"), within + (kind == "within")
                if kind == "moved":
                    moved.append(Moved(name, column, a or "no cell", b or "no cell"))
    return Outcome(same, within, tuple(moved))


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


def _labels(old: Grid, new: Grid) -> list[str]:
    """The columns that say what a row is: no figures, by their heads and by their cells."""
    columns = [name for name in old.columns if name in new.columns] or list(old.columns or new.columns)
    found = []
    for name in columns:
        cells = [row[grid.columns.index(name)] for grid in (old, new) if name in grid.columns for row in grid.rows]
        numbers = [figure(cell) for cell in cells if cell]
        if _FIGURES.search(name) or name == "n" or any(one and one.half is not None for one in numbers):
            continue
        if not _COSTS.search(name):
            found.append(name)
    return found


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


def _name(row: Row, labels: list[str]) -> str:
    """What a row is called in a sentence."""
    parts = [row[name] for name in labels if row.get(name)]
    return f"'{', '.join(parts)}'" if parts else "that has no name"
