"""What a file under results/tables says of how it was made."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox.errors import SandboxError
from sandbox.files import reading
from sandbox.reporting.again.lines import Line, read_line
from sandbox.reporting.records import ledger
from sandbox.wording import shown

Kind = Literal["table", "study", "figures", "ledger"]
SUFFIXES = (".md", ".tex", ".html", ".csv")
FIGURES = ("what", "figure", "value", "low", "high", "half", "n", "command", "date")
"""Columns of a file of single figures, each with its command."""
_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
_FENCED = re.compile(r"^```(?:bash|sh)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LARGEST = 64 * 2**20


@dataclass(frozen=True)
class Header:
    """How a file was made."""

    path: Path
    kind: Kind
    """table: table.py built it of runs; study: tune.py did; figures: a person wrote down what commands print; ledger:
    the lines of runs beside a table."""
    built: Line | None
    """The command that wrote the file; None for figures."""
    made: tuple[Line, ...]
    """The commands whose runs, or whose output, it holds."""
    said: tuple[str, ...] = ()
    """Date, machine and whatever else stands there."""
    unknown: tuple[str, ...] = ()
    """What stands among the commands and is none that is known here."""


def read_header(path: Path) -> Header:
    """How a file of results/tables was made.

    Raises:
        SandboxError: no such file, no header, a header without a command, or a command that does not exist.
    """
    text = _text(path)
    if path.suffix == ".csv" and _columns(text) == FIGURES:
        return _of_figures(path, text)
    lines = _comment(text, path.suffix)
    if lines:
        return _of_comment(path, lines, ledger.is_ledger(path))
    blocks = _FENCED.findall(text) if path.suffix == ".md" else []
    if not blocks:
        raise SandboxError(
            f"{path} has no header that says how it was made; table.py --out writes one, and a table written by hand "
            "takes a ```bash block"
        )
    made, unknown = _commands([line for block in blocks for line in joined(block.splitlines())], path)
    if not made:
        raise SandboxError(f"{path} has no command that is known here; its first line is {shown(unknown[0])}")
    return Header(path, "figures", None, tuple(made), (), tuple(unknown))


def joined(lines: Sequence[str]) -> list[str]:
    """Lines with those that end in a backslash joined to the next; empty ones left out."""
    text = "\n".join(lines).replace("\\\n", " ")
    return [
        " ".join(line.split()) if line.strip().startswith("python") else line
        for line in text.splitlines()
        if line.strip()
    ]


def _text(path: Path) -> str:
    if path.suffix not in SUFFIXES:
        raise SandboxError(f"{path} is no table: its name ends in none of {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise SandboxError(f"there is no table {path}")
    with reading("the table", path):
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"it is longer than {_LARGEST:,} bytes")
        return path.read_text(encoding="utf-8-sig")


def _comment(text: str, suffix: str) -> list[str]:
    """The lines of the comment at the head of a file, in its own way of writing comments."""
    if suffix in (".md", ".html") and not text.startswith("% "):
        match = _COMMENT.search(text)
        before = re.sub(r"<[^>]*>", "", text[: match.start()]) if match else "x"
        if match is None or (suffix == ".md" and before.strip()):
            return []
        return joined((html.unescape(match[1]) if suffix == ".html" else match[1]).strip().splitlines())
    sign = "#" if suffix == ".csv" else "%"
    lines = []
    for line in text.splitlines():
        if not line.startswith(sign):
            break
        lines.append(line[1:].strip())
    return joined(lines)


def _of_comment(path: Path, lines: list[str], is_ledger: bool) -> Header:
    built = read_line(lines[0])
    if built is None:
        raise SandboxError(f"{path} has a header with no command: its first line is {shown(lines[0])}")
    if built.program not in ("table", "tune"):
        raise SandboxError(f"{path} was made by {shown(built.text)}, but a table is made by table.py or tune.py")
    rest = lines[1:]
    first = next((place for place, line in enumerate(rest) if read_line(line)), len(rest))
    made, unknown = _commands(rest[first:], path)
    kind: Kind = "ledger" if is_ledger else "study" if built.program == "tune" else "table"
    if path.suffix in (".csv", ".tex"):  # below the commands stand caption, versions, and what LaTeX needs
        last = max((place for place, line in enumerate(rest) if read_line(line)), default=-1)
        unknown = [line for line in unknown if line not in rest[last + 1 :]]
    return Header(path, kind, built, tuple(made), tuple(rest[:first]), tuple(unknown))


def _commands(lines: Sequence[str], path: Path) -> tuple[list[Line], list[str]]:
    made: list[Line] = []
    unknown: list[str] = []
    for text in lines:
        line = read_line(text)
        if line is None:
            unknown.append(text.strip())
        elif line.text not in (other.text for other in made):
            made.append(line)
    return made, unknown


def _columns(text: str) -> tuple[str, ...]:
    first = next((line for line in text.splitlines() if not line.startswith("#")), "")
    return tuple(first.split(","))


def _of_figures(path: Path, text: str) -> Header:
    """A file of single figures, each with its command.

    Raises:
        SandboxError: a line is broken, has no command, or one that does not exist.
    """
    head = [line[1:].strip() for line in text.splitlines() if line.startswith("#")]
    made: list[Line] = []
    unknown: list[str] = []
    reader = csv.reader(text.splitlines())
    for cells in reader:
        if not cells or cells[0].startswith("#") or tuple(cells) == FIGURES:
            continue
        if len(cells) != len(FIGURES):
            raise SandboxError(
                f"{path}, line {reader.line_num} is broken: it has {len(cells)} cells, and the head {len(FIGURES)}"
            )
        command = dict(zip(FIGURES, cells, strict=True))["command"]
        if not command:
            raise SandboxError(f"{path}, line {reader.line_num} has a figure without a command")
        found, other = _commands([command], path)
        made += [line for line in found if line not in made]
        unknown += [text for text in other if text not in unknown]
    if not made:
        raise SandboxError(f"{path} has no command that is known here")
    return Header(path, "figures", None, tuple(made), tuple(head), tuple(unknown))
