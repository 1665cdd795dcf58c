"""A table for the terminal: columns lined up, the caption below."""

from __future__ import annotations

import textwrap
import unicodedata

from sandbox.reporting.tables.lettering import BOLD
from sandbox.reporting.tables.table import Cell, Table
from sandbox.wording import printable

_GAP = "  "
_WIDE = 80


def written(table: Table) -> str:
    """Head, rule, rows, rule, baselines, and the caption's sentences, each on lines of its own."""
    heads = [printable(column.head) for column in table.columns]
    rows = [[printable(_cell(cell)) for cell in row.cells] for row in table.rows]
    widths = [max(map(width, column)) for column in zip(heads, *rows, strict=True)]
    above = _blocks(table, widths)
    right = [column.numeric for column in table.columns]
    rule = _GAP.join("-" * size for size in widths)
    lines = [*above, _line(heads, widths, right), rule]
    lines += [_line(row, widths, right) for row in rows[: table.foot]]
    if table.foot < len(rows):
        lines += [rule, *(_line(row, widths, right) for row in rows[table.foot :])]
    said = [printable(sentence) for sentence in (table.caption.title, *table.caption.notes) if sentence != BOLD]
    notes = [line for sentence in said for line in textwrap.wrap(sentence, _WIDE, subsequent_indent="  ")]
    return "\n".join([*lines, "", *notes]) + "\n"


def width(text: str) -> int:
    """Columns of a terminal that a text takes; letters of East Asia take two, marks on letters none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _cell(cell: Cell) -> str:
    return f"{cell.plain} {cell.letters}".rstrip()


def _line(texts: list[str], widths: list[int], right: list[bool]) -> str:
    padded = [
        " " * (size - width(text)) + text if to_right else text + " " * (size - width(text))
        for text, size, to_right in zip(texts, widths, right, strict=True)
    ]
    return _GAP.join(padded).rstrip()


def _blocks(table: Table, widths: list[int]) -> list[str]:
    """The line above the heads that names each block; none where nothing stands across."""
    if all(not block for block, _ in table.blocks):
        return []
    parts, place = [], 0
    for block, many in table.blocks:
        size = sum(widths[place : place + many]) + len(_GAP) * (many - 1)
        name = printable(block)
        if width(name) > size:  # the block's last column grows
            widths[place + many - 1] += width(name) - size
            size = width(name)
        left = (size - width(name)) // 2
        fill = "-" if block else " "
        mid = f" {name} " if block and left and size - width(name) - left else name
        before = max(0, (size - width(mid)) // 2)
        parts.append(fill * before + mid + fill * (size - width(mid) - before))
        place += many
    return [_GAP.join(parts).rstrip()]
