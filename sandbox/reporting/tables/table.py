"""`Table`: what all ways of writing take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Column:
    """What stands below a head."""

    kind: Literal["setting", "count", "figure", "difference", "cost"]
    key: str
    """Dotted name of the setting, report key of the figure (``test/retrieval/map@r``), or name of the cost."""
    name: str
    """As it is printed, such as MAP@R."""
    block: str = ""
    """The value of what stands across, such as ``glyphs``, that the column is of; empty where nothing does."""
    arrow: Literal["", "↑", "↓"] = ""
    """Whether more or less is better."""

    @property
    def head(self) -> str:
        """Name and arrow."""
        return f"{self.name} {self.arrow}".rstrip()

    @property
    def numeric(self) -> bool:
        """Whether it holds numbers, which stand to the right."""
        return self.kind != "setting"


@dataclass(frozen=True)
class Cell:
    """One place of a table; empty where a row has nothing there."""

    text: str = ""
    """A setting, or the mean, as it is printed."""
    reach: str = ""
    """Half of the interval as it is printed, to the same place as the mean; empty where there is none."""
    value: float = math.nan
    """The mean, unrounded and no percentage."""
    half: float = math.nan
    """Half of the 95 % interval, unrounded."""
    seeds: tuple[int, ...] = ()
    """That the mean is over."""
    letters: str = ""
    """Cells of a column that share a letter are not shown to differ."""
    best: bool = False
    """Whether it is the best of its column, or is not shown to differ from that, where another row is."""

    @property
    def plain(self) -> str:
        """Mean and half of the interval, or what stands in their place, without letters."""
        return f"{self.text} ± {self.reach}" if self.reach else self.text


@dataclass(frozen=True)
class Row:
    """One row."""

    cells: tuple[Cell, ...]
    """One for each column."""
    digests: tuple[str, ...] = ()
    """Of the recipes that it is of, in the order of the blocks."""
    foot: bool = False
    """Whether it is a baseline, under a rule."""


@dataclass(frozen=True)
class Caption:
    """What stands beside a table."""

    title: str
    """A sentence on what is shown."""
    notes: tuple[str, ...]
    """Sentences on protocol, seeds, interval, marks and settings."""

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join((self.title, *self.notes))


@dataclass(frozen=True)
class Table:
    """Rows by columns, best first, and what a reader must know about them."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    caption: Caption

    @property
    def blocks(self) -> tuple[tuple[str, int], ...]:
        """Runs of neighbouring columns of one block, with their lengths; ``""`` for those that are of none."""
        found: list[tuple[str, int]] = []
        for column in self.columns:
            if found and found[-1][0] == column.block:
                found[-1] = (column.block, found[-1][1] + 1)
            else:
                found.append((column.block, 1))
        return tuple(found)

    @property
    def foot(self) -> int:
        """Rows above the rule; as many as there are where no baseline stands below."""
        return sum(not row.foot for row in self.rows)
