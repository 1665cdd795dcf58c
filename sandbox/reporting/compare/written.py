"""A comparison as text, Markdown, CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Style = Literal["terminal", "markdown", "json", "csv"]


@dataclass(frozen=True)
class Rows:
    """A table fit to print."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: int = 1
    """Columns from here on are set to the right."""


@dataclass(frozen=True)
class Written:
    """A comparison, ready for any style."""

    title: str
    tables: tuple[Rows, ...]
    sentences: tuple[str, ...]
    notes: tuple[str, ...]
    """What was left out and how it was tested."""
    data: dict[str, Any] = field(repr=False)
    """For JSON: plain values, None where there is no number."""
    lines: tuple[dict[str, Any], ...] = field(repr=False)
    """For CSV."""


def render(written: Written, style: Style, *, header: str = "") -> str:
    """The text of a comparison, with a last line break.

    Args:
        written: the comparison.
        style: ``terminal``, ``markdown``, ``json`` (everything) or ``csv`` (a line a figure, or a pair).
        header: how it was made, which Markdown and CSV hold as a comment and JSON under ``made``.
    """
    if style == "json":
        made = {"made": header.splitlines()} if header else {}
        return json.dumps(made | written.data, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    if style == "csv":
        return "".join(f"# {line}\n" for line in header.splitlines()) + _csv(written.lines)
    if style == "markdown":
        comment = f"<!-- {header.replace('--', '- -')} -->\n\n" if header else ""
        tables = "".join(f"{_table(rows, 'pipe')}\n\n" for rows in written.tables)
        said = "".join(f"{_plain(sentence)}\n\n" for sentence in written.sentences)
        return f"{comment}**{_plain(written.title)}**\n\n{tables}{said}" + "".join(
            f"- {_plain(note)}\n" for note in written.notes
        )
    tables = "".join(f"{_table(rows, 'simple')}\n\n" for rows in written.tables)
    said = "".join(f"{sentence}\n" for sentence in written.sentences)
    return f"{written.title}\n\n{tables}{said}" + "".join(f"note: {note}\n" for note in written.notes)


def _table(rows: Rows, style: str) -> str:
    from tabulate import tabulate

    cells = [[_plain(cell) if style == "pipe" else cell for cell in row] for row in rows.rows]
    align = ["left" if place < rows.right else "right" for place in range(len(rows.head))]
    return str(tabulate(cells, rows.head, tablefmt=style, disable_numparse=True, colalign=align if cells else None))


def _plain(text: str) -> str:
    """Text that Markdown takes for no markup."""
    for sign in ("\\", "|", "*", "_", "<", "[", "]", "`"):
        text = text.replace(sign, f"\\{sign}")
    return text


def _csv(lines: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(lines[0]) if lines else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()
