"""A table in Markdown: pipes that render, the caption below."""

from __future__ import annotations

from sandbox.reporting.tables.table import Cell, Column, Table
from sandbox.reporting.tables.written.terminal import width
from sandbox.wording import printable

_ESCAPED = "\\`*_<>|~[]"


def written(table: Table, header: str = "") -> str:
    """A comment, the table, its title, and what a reader must know in one paragraph.

    Markdown has no rule inside a table: names of baselines are in italics.
    """
    heads = [escaped(_head(column)) for column in table.columns]
    rows = []
    for row in table.rows:
        texts = [_cell(cell) for cell in row.cells]
        rows.append([f"*{texts[0]}*", *texts[1:]] if row.foot else texts)
    widths = [max(3, *map(width, column)) for column in zip(heads, *rows, strict=True)]
    marks = [
        "-" * (size + 1) + ":" if column.numeric else ":" + "-" * (size + 1)
        for column, size in zip(table.columns, widths, strict=True)
    ]
    lines = [_line(heads, widths), f"|{'|'.join(marks)}|", *(_line(row, widths) for row in rows)]
    notes = "".join(f"\n{escaped(part)}\n" for part in (table.caption.title, " ".join(table.caption.notes)) if part)
    return comment(header) + "\n".join(lines) + "\n" + notes


def comment(header: str) -> str:
    """The header as a comment of HTML, which nothing in it ends; nothing where there is none."""
    if not header:
        return ""
    lines = [printable(line) for line in header.splitlines()]
    text = "\n".join(lines).replace("-->", "--&gt;").replace("--!>", "--!&gt;")
    return f"<!-- {text} -->\n\n"


def escaped(text: str) -> str:
    """A text of which Markdown takes nothing for a mark."""
    plain = " ".join(printable(text).split())
    found = []
    for place, character in enumerate(plain):
        inside = character == "_" and plain[place - 1 : place].isalnum() and plain[place + 1 : place + 2].isalnum()
        found.append(f"\\{character}" if character in _ESCAPED and not inside else character)
    return "".join(found)


def _head(column: Column) -> str:
    return f"{column.block}: {column.head}" if column.block else column.head


def _cell(cell: Cell) -> str:
    text = escaped(cell.plain)
    bold = f"**{text}**" if cell.best else text
    return f"{bold} {cell.letters}".rstrip()


def _line(texts: list[str], widths: list[int]) -> str:
    return "|" + "|".join(f" {t}{' ' * (size - width(t))} " for t, size in zip(texts, widths, strict=True)) + "|"
