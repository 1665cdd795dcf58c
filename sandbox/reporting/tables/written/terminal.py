"""A table for the terminal: columns lined up, in pieces where they are too wide, the caption below."""

from __future__ import annotations

import textwrap
from itertools import groupby, zip_longest

from sandbox.reporting.tables.lettering import BOLD
from sandbox.reporting.tables.table import Cell, Table
from sandbox.reporting.tables.written.folded import GAP, Piece, Texts, cell_lines, column_width, fold, head_lines, width
from sandbox.wording import printable

_WIDE = 80


def written(table: Table, fit: int = 0) -> str:
    """Head, rule, rows, rule, baselines, and the caption's sentences, each on lines of its own.

    Args:
        table: what to show.
        fit: columns that a line may take, behind which the table folds; 0 for as many as it needs.
    """
    texts = Texts(
        tuple(printable(column.head) for column in table.columns),
        tuple(tuple(printable(_cell(cell)) for cell in row.cells) for row in table.rows),
        tuple(printable(column.block) for column in table.columns),
        tuple(not column.numeric for column in table.columns),
    )
    texts, pieces = fold(texts, fit)
    lines = "\n\n".join("\n".join(_piece(texts, piece, table.foot)) for piece in pieces)
    said = [printable(sentence) for sentence in (table.caption.title, *table.caption.notes) if sentence != BOLD]
    wide = min(fit, _WIDE) if fit else _WIDE
    notes = [line for sentence in said for line in textwrap.wrap(sentence, wide, subsequent_indent="  ")]
    return "\n".join([lines, "", *notes]) + "\n"


def _cell(cell: Cell) -> str:
    return f"{cell.plain} {cell.letters}".rstrip()


def _piece(texts: Texts, piece: Piece, foot: int) -> list[str]:
    """The lines of a piece; baselines stand below a second rule."""
    widths = [column_width(texts, k, piece.limit) for k in piece.places]
    above = _blocks([texts.blocks[k] for k in piece.places], widths)
    right = [not texts.words[k] for k in piece.places]
    heads = [head_lines(texts, k, piece.limit) for k in piece.places]
    tall = max(map(len, heads))
    lines = [*above, *_lines([[""] * (tall - len(head)) + head for head in heads], widths, right)]
    rule = GAP.join("-" * size for size in widths)
    for number, row in enumerate(texts.rows):
        lines += [rule] if number in (0, foot) else []
        lines += _lines([cell_lines(texts, k, row[k], piece.limit) for k in piece.places], widths, right)
    return lines


def _lines(cells: list[list[str]], widths: list[int], right: list[bool]) -> list[str]:
    """The lines of a row, whose cells may have several each."""
    found = []
    for texts in zip_longest(*cells, fillvalue=""):
        padded = [
            " " * (size - width(text)) + text if to_right else text + " " * (size - width(text))
            for text, size, to_right in zip(texts, widths, right, strict=True)
        ]
        found.append(GAP.join(padded).rstrip())
    return found


def _blocks(blocks: list[str], widths: list[int]) -> list[str]:
    """The line above the heads that names each block, whose last column may grow by it; none where none has a name."""
    if not any(blocks):
        return []
    parts, place = [], 0
    for name, columns in groupby(blocks):
        many = len(list(columns))
        size = sum(widths[place : place + many]) + len(GAP) * (many - 1)
        if width(name) > size:
            widths[place + many - 1] += width(name) - size
            size = width(name)
        left = (size - width(name)) // 2
        fill = "-" if name else " "
        mid = f" {name} " if name and left and size - width(name) - left else name
        before = max(0, (size - width(mid)) // 2)
        parts.append(fill * before + mid + fill * (size - width(mid) - before))
        place += many
    return [GAP.join(parts).rstrip()]
