"""Letters in the cells of a column: the best, and what is not shown to differ from it, bold where others do differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from sandbox.evaluation.comparison.letters import MOST_ROWS, letters
from sandbox.evaluation.figures import lower_is_better
from sandbox.reporting.tables.table import Cell
from sandbox.wording import first_names

MEANING = (
    "In a column, what shares a letter is not shown to differ (paired t-test on the seeds that both have, Holm over "
    "the pairs of the column, 5 %)."
)
BOLD = "Bold is the best of a column, with all that share a letter with it, where others do not."
"""Left out where nothing can be bold."""


def lettered(key: str, cells: Sequence[Cell], values: Sequence[Mapping[int, float]]) -> tuple[list[Cell], list[int]]:
    """The cells of a column with their letters.

    Args:
        key: report key of the figure.
        cells: one for each row.
        values: seed -> value of each row; empty for a row that is not compared.

    Returns:
        The cells, and the rows that have a value and no letter although others have.
    """
    sign = 1 if lower_is_better(key) else -1
    order = sorted((k for k, found in enumerate(values) if found), key=lambda k: sign * cells[k].value)
    found = letters([values[k] for k in order])
    if not any(found.letters):
        return list(cells), []
    best = set(found.equals_of(0))
    if len(best) == sum(map(bool, found.letters)):  # where all are equals, bold would set none apart
        best = set()
    marked = list(cells)
    for place, k in enumerate(order):
        marked[k] = dataclasses.replace(cells[k], letters=found.letters[place], best=place in best)
    return marked, sorted(k for place, k in enumerate(order) if not found.letters[place])


def letters_said(marked: bool, untested: Sequence[str], bold: bool, rows: int, seeds: int) -> list[str]:
    """Sentences on the letters of a table.

    Args:
        marked: whether any cell has one.
        untested: rows that lack one in a column where others have them.
        bold: whether any cell is bold.
        rows: of the table, all in columns that compare; 0 where a column does not.
        seeds: of the row that has most.
    """
    if not marked:
        if rows > MOST_ROWS and seeds > 1:
            return [f"No letters: {rows:,} rows are more than the {MOST_ROWS} that are compared with each other."]
        return []
    said = [MEANING, *([BOLD] if bold else [])]
    if untested:
        verb = "it shares" if len(untested) == 1 else "they share"
        said.append(
            f"Without a letter, as {verb} fewer than two seeds with the others or differ by the same on each: "
            f"{first_names(untested)}."
        )
    return said
