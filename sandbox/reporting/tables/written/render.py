"""One door to the ways of writing a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.reporting.tables.table import Table
from sandbox.reporting.tables.written import csv, html, latex, markdown, terminal

ENDINGS = {".md": "markdown", ".tex": "latex", ".csv": "csv", ".html": "html", ".htm": "html"}
"""The way of writing that a file's ending asks for."""


@dataclass(frozen=True, kw_only=True)
class Manner:
    """Choices of single ways of writing."""

    siunitx: bool = False
    """LaTeX: columns that siunitx lines up."""
    standalone: bool = False
    """LaTeX: a file that compiles as it is."""
    label: str = ""
    """LaTeX: what a reference names."""
    fit: int = 0
    """Terminal: columns that a line may take, behind which the table folds; 0 for as many as it needs."""


def style_of(asked: str, out: str) -> str:
    """The way of writing: what is asked for, or for ``auto`` what the file's ending says, else the terminal's.

    Raises:
        SandboxError: for ``auto``, an ending that says something else, such as .pdf.
    """
    ending = Path(out).suffix.lower()
    if asked == "auto" and ending not in (*ENDINGS, "", ".txt"):
        raise SandboxError(f"--out '{out}' ends in {ending}, but a table is .md, .tex, .csv, .html or .txt")
    return asked if asked != "auto" else ENDINGS.get(ending, "terminal")


def check_manner(manner: Manner, style: str, *, label_given: bool = False) -> None:
    """Refuse choices that the way of writing has no use for.

    Raises:
        SandboxError: names the flag.
    """
    asked = {"--siunitx": manner.siunitx, "--standalone": manner.standalone, "--label": label_given}
    given = [flag for flag, on in asked.items() if on]
    if given and style != "latex":
        raise SandboxError(
            f"{given[0]} is of LaTeX, but the table is written as {style}; give --format latex, or an --out that "
            "ends in .tex"
        )


def render(table: Table, style: str, *, header: str = "", manner: Manner | None = None) -> str:
    """The table as text.

    Args:
        table: what to show.
        style: ``terminal``, ``markdown``, ``latex``, ``csv`` or ``html``.
        header: lines that say how the table was made; a comment in the style's own way.
        manner: choices of single styles.
    """
    manner = manner or Manner()
    ways: dict[str, Callable[[], str]] = {
        "terminal": lambda: terminal.written(table, manner.fit),
        "markdown": lambda: markdown.written(table, header),
        "latex": lambda: latex.written(
            table, header, siunitx=manner.siunitx, standalone=manner.standalone, label=manner.label
        ),
        "csv": lambda: csv.written(table, header),
        "html": lambda: html.written(table, header),
    }
    return ways[style]()
