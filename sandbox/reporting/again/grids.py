"""The cells of a table that was written, in whatever format it was."""

from __future__ import annotations

import csv
import html
import re
from dataclasses import dataclass
from html.parser import HTMLParser

_NUMBER = r"[+-]?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?"
_WITH_HALF = re.compile(rf"({_NUMBER})\s*±\s*({_NUMBER})")
_WITH_ENDS = re.compile(rf"({_NUMBER})[,;]?\s+\(?({_NUMBER}) to ({_NUMBER})\)?")
_ALONE = re.compile(rf"({_NUMBER})(?:\s+[a-z]{{1,8}})?")
_ENDS = (" low", " high")
_BESIDE = (*_ENDS, " n", " seeds", " letters")
"""What a CSV has in columns beside that of a figure."""


@dataclass(frozen=True)
class Figure:
    """A number in a cell."""

    text: str
    """As it is written, its interval not."""
    value: float
    half: float | None
    """Half of its interval; None where it has none."""


@dataclass(frozen=True)
class Grid:
    """One table."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def grids(text: str, suffix: str) -> list[Grid]:
    """The tables of a file.

    Args:
        text: of the file.
        suffix: ``.md``, ``.tex``, ``.html`` or ``.csv``.
    """
    ways = {".md": _of_markdown, ".tex": _of_latex, ".html": _of_html, ".csv": _of_csv}
    read = _of_latex if r"\begin{tabular}" in text else ways[suffix]  # --format may differ from the file's ending
    return [grid for grid in map(_even, read(text)) if grid is not None]


def figure(cell: str) -> Figure | None:
    """The number that a cell shows, with its interval; None where it shows another thing.

    >>> figure("0.641 ± 0.033 a")
    Figure(text='0.641', value=0.641, half=0.033)
    >>> figure("0.8468, 0.8160 to 0.8804").half
    0.0322
    """
    if match := _WITH_HALF.match(cell):
        return Figure(match[1], _value(match[1]), _value(match[2]))
    if match := _WITH_ENDS.fullmatch(cell):
        return Figure(match[1], _value(match[1]), round((_value(match[3]) - _value(match[2])) / 2, 12))
    if match := _ALONE.fullmatch(cell):
        return Figure(match[1], _value(match[1]), None)
    return None


def _value(text: str) -> float:
    return float(text.replace(",", ""))


def _even(rows: list[list[str]]) -> Grid | None:
    """Rows of one length under their heads; None where there are none."""
    if len(rows) < 2:
        return None
    head, *body = rows
    kept = [tuple(row) for row in body if len(row) == len(head)]
    return Grid(tuple(head), tuple(kept)) if kept else None


def _of_markdown(text: str) -> list[list[list[str]]]:
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    found: list[list[list[str]]] = [[]]
    for line in text.splitlines():
        if not line.strip().startswith("|"):
            found.append([])
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        if not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            found[-1].append([_bare(re.sub(r"<br ?/?>", " ", cell)) for cell in cells])
    return found


def _bare(cell: str) -> str:
    """A cell without its marks: bold, italics, escapes."""
    return re.sub(r"\\(.)", r"\1", re.sub(r"(?<!\\)(\*\*|`)|^\*(?=\S)|(?<=\S)\*$", "", cell)).strip()


def _of_latex(text: str) -> list[list[list[str]]]:
    found: list[list[list[str]]] = []
    for body in re.findall(r"\\begin\{tabular\}(.*?)\\end\{tabular\}", text, re.DOTALL):
        rows = [line.strip()[:-2] for line in body.splitlines() if line.strip().endswith(r"\\")]
        rows = [row for row in rows if r"\multicolumn" not in row]
        found.append([[_plain(cell) for cell in re.split(r"(?<!\\)&", row)] for row in rows])
    return found


def _plain(cell: str) -> str:
    r"""A cell of LaTeX as text: ``\textbf{0.64 $\pm$ 0.03}\textsuperscript{a}`` is ``0.64 ± 0.03 a``."""
    text = cell.replace(r"\bfseries", "").replace(r"\pm", "±").replace(r"\textbackslash", "\\").replace("~", " ")
    text = re.sub(r"\\textsuperscript\{(.*?)\}", r" \1", text)
    text = re.sub(r"\\(?:textbf|textit|emph|num|text)\b", "", text)
    text = re.sub(r"(?<!\\)[{}$]", "", text)
    return " ".join(re.sub(r"\\([&%$#_{}])", r"\1", text).split())


class _Cells(HTMLParser):
    """Collects the rows of every table of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self.tables[-1][-1].append("")
            self._open = True
        elif tag == "sup" and self._open:
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.tables[-1][-1][-1] += data


def _of_html(text: str) -> list[list[list[str]]]:
    reader = _Cells()
    reader.feed(re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL))
    found = []
    for rows in reader.tables:
        widest = max(map(len, rows), default=0)  # a row of blocks above the heads has fewer
        found.append([[html.unescape(" ".join(cell.split())) for cell in row] for row in rows if len(row) == widest])
    return found


def _of_csv(text: str) -> list[list[list[str]]]:
    """The columns of a figure put together as they are printed: ``0.64, 0.6 to 0.68``."""
    rows = list(csv.reader(line for line in text.splitlines() if not line.startswith("#")))
    if not rows:
        return []
    head = rows[0]
    place = {name: number for number, name in enumerate(head)}
    beside = {f"{name}{part}" for name in head for part in _BESIDE if f"{name} low" in place}
    kept = [name for name in head if name not in beside and name != "digests"]

    def cell(row: list[str], name: str) -> str:
        value = row[place[name]]
        ends = [row[place[name + end]] if name + end in place else "" for end in _ENDS]
        return f"{value}, {ends[0]} to {ends[1]}" if all((value, *ends)) else value

    return [[kept, *([cell(row, name) for name in kept] for row in rows[1:] if len(row) == len(head))]]
