"""A document as one HTML file that opens anywhere, and as Markdown."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

from jinja2 import Environment

from sandbox.tuning.report.document import Cell, Document, Line, Picture, Table, Text
from sandbox.tuning.report.template import TEMPLATE
from sandbox.wording import printable


def html_page(document: Document) -> str:
    """The document with its pictures inside; nothing is loaded from elsewhere, which its policy forbids as well."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_visible)
    environment.filters["base64"] = lambda data: b64encode(data).decode()
    environment.filters["cell"] = _cell
    environment.filters["width"] = _width
    environment.tests["kind"] = lambda block, kind: type(block).__name__ == kind
    return environment.from_string(TEMPLATE).render(document=document)


def markdown_page(document: Document) -> str:
    """The sentences and tables; pictures are in the HTML alone."""
    lines = [f"# {_inline(document.title)}", "", "The pictures are in report.html.", ""]
    lines += _markdown_table(Table(["", "", ""], document.lead, facts=True))
    for chapter in document.chapters:
        lines += [f"## {_inline(chapter.title)}", ""]
        for block in chapter.blocks:
            if isinstance(block, Text):
                lines += [_inline(block.text), ""]
            elif isinstance(block, Line):
                lines += ["```", printable(block.text), "```", ""]
            elif isinstance(block, Table):
                lines += _markdown_table(block)
            elif isinstance(block, Picture):
                lines += [f"*Picture: {_inline(block.caption)}*", ""]
    return "\n".join(lines).rstrip() + "\n"


def _markdown_table(table: Table) -> list[str]:
    texts = [[_cell(cell).text for cell in row] for row in table.rows]
    numbers = [
        bool(texts) and not table.facts and all(_is_number(row[place]) for row in texts)
        for place in range(len(table.head))
    ]
    rule = ["---:" if number else "---" for number in numbers]
    head, *rows = [[_inline(text).replace("|", r"\|") for text in row] for row in [table.head, *texts]]
    return [f"| {' | '.join(row)} |" for row in [head, rule, *rows]] + [""]


def _inline(text: str) -> str:
    """A text on one line, whose signs Markdown takes for nothing else."""
    return re.sub(r"([\\`*_<>\[\]#])", r"\\\1", printable(" ".join(text.split())))


def _visible(value: Any) -> Any:
    """A text with the escapes of what cannot be seen; a name may hold marks that turn the order of a page round."""
    return printable(value) if isinstance(value, str) else value


def _cell(cell: Cell | str) -> Cell:
    return cell if isinstance(cell, Cell) else Cell(cell)


def _width(cell: Cell, facts: bool) -> str:
    """The class of a cell: figures stand to the right, and what is short is not broken."""
    if not facts and _is_number(cell.text):
        return "number"
    return "long" if len(cell.text) > 60 else "short" if len(cell.text) < 20 else ""


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[-+\u2212]?[\d,.]+(e-?\d+)?( (s|%|min( \d+ s)?|h( \d+ min)?|d( \d+ h)?))?|", text) is not None
