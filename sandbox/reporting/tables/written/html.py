"""A table as one file of HTML that asks for nothing from elsewhere; a click on a head sorts by it."""

from __future__ import annotations

import html
import math

from sandbox.reporting.tables.table import Cell, Column, Row, Table
from sandbox.reporting.tables.written.markdown import comment
from sandbox.wording import printable

_STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --line: #999; --faint: #666; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --paper: #161616; --line: #777; --faint: #aaa; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 75rem; padding: 0 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; border-top: 2px solid; border-bottom: 2px solid;
  font-variant-numeric: tabular-nums; }
caption { caption-side: bottom; text-align: left; color: var(--faint); padding-top: .7rem;
  position: sticky; left: 0; max-width: min(60rem, calc(100vw - 2rem)); }
th, td { padding: .25rem .8rem; text-align: left; white-space: nowrap; }
td:first-child { white-space: normal; min-width: 10rem; }
.n { text-align: right; }
th.block { text-align: center; border-bottom: 1px solid var(--line); }
tbody.foot { border-top: 1px solid var(--line); }
thead tr:last-child th { border-bottom: 1px solid var(--line); cursor: pointer; }
th button { all: unset; }
sup { line-height: 0; }
th button:focus-visible { outline: 2px solid; }
th[aria-sort=ascending] button::after { content: " \\25B4"; }
th[aria-sort=descending] button::after { content: " \\25BE"; }
"""
_SCRIPT = """
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  heads.forEach((head, place) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    head.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending" ||
        (!head.hasAttribute("aria-sort") && head.dataset.first === "descending");
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = row => row.cells[place].dataset.value ?? "";
      const empty = text => text === "";
      const numbers = [...table.tBodies[0].rows].every(row => empty(value(row)) || !isNaN(value(row)));
      const rows = [...table.tBodies[0].rows].sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        if (empty(x) || empty(y)) return empty(x) - empty(y);
        const order = numbers ? x - y : x.localeCompare(y);
        return down ? -order : order;
      });
      table.tBodies[0].append(...rows);
    });
  });
}
"""


def written(table: Table, header: str = "") -> str:
    """The whole file; without its script the table stands as it is."""
    above = "".join(
        f'<th class="block" scope="colgroup" colspan="{many}">{_text(block)}</th>'
        if block
        else f'<td colspan="{many}"></td>'
        for block, many in table.blocks
    )
    blocks = f"<tr>{above}</tr>\n" if any(block for block, _ in table.blocks) else ""
    heads = "".join(map(_head, table.columns))
    rows = [_row(table.columns, row) for row in table.rows]
    foot = f'<tbody class="foot">\n{"".join(rows[table.foot :])}</tbody>\n' if table.foot < len(rows) else ""
    notes = " ".join(map(_text, table.caption.notes))
    return (
        f'<!DOCTYPE html>\n{comment(header)}<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(table.caption.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<div class="wide">\n<table>\n<caption><b>{_text(table.caption.title)}</b> {notes}</caption>\n'
        f"<thead>\n{blocks}<tr>{heads}</tr>\n</thead>\n<tbody>\n{''.join(rows[: table.foot])}</tbody>\n{foot}"
        f"</table>\n</div>\n<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )


def _head(column: Column) -> str:
    first = ' data-first="descending"' if column.arrow == "↑" else ""
    return f'<th scope="col"{_class(column)}{first}>{_text(column.head)}</th>'


def _row(columns: tuple[Column, ...], row: Row) -> str:
    cells = "".join(_cell(column, cell) for column, cell in zip(columns, row.cells, strict=True))
    return f"<tr>{cells}</tr>\n"


def _cell(column: Column, cell: Cell) -> str:
    text = f"<b>{_text(cell.plain)}</b>" if cell.best else _text(cell.plain)
    letters = f"<sup>{_text(cell.letters)}</sup>" if cell.letters else ""
    key = cell.text.replace(",", "") if math.isnan(cell.value) else repr(float(cell.value))
    if column.numeric and math.isnan(cell.value):
        key = ""
    return f'<td{_class(column)} data-value="{_text(key)}">{text}{letters}</td>'


def _class(column: Column) -> str:
    return ' class="n"' if column.numeric else ""


def _text(text: str) -> str:
    return html.escape(printable(text))
