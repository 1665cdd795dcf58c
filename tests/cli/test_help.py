"""What every command says to --help, at several widths."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal

import pytest
import tyro

from sandbox.cli import flags
from sandbox.cli.help import overview, wrap
from sandbox.cli.study import commands as study_commands
from sandbox.cli.table import commands as table_commands

PAGES = [
    *(
        f"{name}.py"
        for name in ("run", "tune", "table", "evaluate", "export", "benchmark", "data", "draw", "recognise")
    ),
    *(f"tune.py {look}" for look in study_commands.LOOKS),
    *(f"table.py {look}" for look in table_commands.LOOKS),
    *(f"data.py {what}" for what in ("show", "check", "stats", "align")),
    *(f"draw.py {what}" for what in ("map", "scores", "plane")),
    *(f"recognise.py {what}" for what in "enrol add remove list identify classify verify measure".split()),
]


@dataclass(frozen=True, kw_only=True)
class Inner:
    """A group of flags."""

    depth: int = 3
    """How deep it goes, which is told in a sentence so long that it stands on two lines of its source, and no word is
    alone."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command."""

    place: Annotated[str, tyro.conf.Positional]
    """Where it is."""
    inner: Inner = Inner(depth=4)
    many: tuple[str, ...] = ()
    """Words."""
    kind: Literal["", "a"] = ""
    """Which kind, or
    none."""
    hint: Annotated[str, tyro.conf.arg(help="Told by a mark.")] = "x"


def said(capsys: pytest.CaptureFixture[str], *words: str, **how: Any) -> str:
    with pytest.raises(SystemExit) as end:
        flags.parse(Command, words, prog="python command.py", description="It does. " * 30, **how)
    assert not end.value.code
    return capsys.readouterr().out


def broken_early(page: str, columns: int) -> list[str]:
    """Lines of a text that end although the next word would have had room."""
    rows = page.splitlines()
    texts = [re.match(r"│ (\s+)(\S.*?)\s*│$", row) for row in rows]
    found = []
    for one, two in pairwise(texts):
        if one and two and one[1] == two[1] and len(one[1]) > 3:
            room = columns - 4 - len(one[1])
            if len(one[2]) + 1 + len(two[2].split(" ")[0].split(",")[0]) < room:
                found.append(one[0])
    for row, below in pairwise(rows):
        plain = row and below and not (row + below).startswith(("│", "╭", "╰", "usage")) and below[0] not in " │╭╰"
        if plain and row[0] != " " and len(row) + 1 + len(below.split(" ")[0]) <= columns:
            found.append(row)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_page_fits_and_its_texts_are_wrapped_once(
    command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    for columns in (80, 60, 120) if " " not in page or "show" in page else (80,):
        monkeypatch.setenv("COLUMNS", str(columns))
        answer = command(*page.split(), "--help")
        assert answer.code == 0 and answer.err == "" and answer.out.startswith("usage: python experiments/")
        assert max(map(len, answer.out.splitlines())) <= columns
        assert not broken_early(answer.out, columns)


def test_the_benchmark_tells_its_own_flags_and_where_the_others_are(command: Callable[..., Any]) -> None:
    page = command("benchmark.py", "--help").out
    assert "--rounds" in page and "python experiments/run.py --help" in " ".join(page.split())
    assert "--optimizer.lr" not in page and len(page.splitlines()) < 30
    assert "did you mean '--optimizer.lr'" in command("benchmark.py", "--optimizer.lrr", "1").err  # which it takes


def test_nothing_is_no_choice_that_is_told(command: Callable[..., Any]) -> None:
    page = "".join(command("benchmark.py", "--help").out.split())
    assert "--only{step,help," in page and "workers}" in page
    said = command("benchmark.py", "--only", "steps")
    assert said.code == 2 and "('step', 'help'" in said.err and "''" not in said.err


def test_texts_of_two_source_lines_are_one_and_empty_defaults_are_not_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    page = said(capsys, "--help")
    assert "stands on two lines of its source, and no word is alone. (default: 4)" in page
    for text in ("Which kind, or none.", "Told by a mark. (default: x)", "Where it is. (required)"):
        assert text in page
    assert "(default: )" not in page and "(default: '')" not in page and "A group of flags." in page


class Terminal(io.StringIO):
    """A stream in colours."""

    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [44, 80])
def test_colours_take_no_room(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    pages = []
    for stream in (Terminal(), io.TextIOWrapper(io.BytesIO(), "utf-8")):
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(SystemExit):
            flags.parse(Command, ["--help"], prog="python command.py", description="It does. " * 30)
        stream.seek(0)
        pages.append(stream.read())
    coloured, plain = pages
    bare = "\n".join(row.rstrip() for row in re.sub(r"\x1b\[[\d;]*m", "", coloured).splitlines())
    assert "\x1b[" in coloured and "\x1b[" not in plain and bare == plain.rstrip("\n")
    assert max(map(len, bare.splitlines())) <= columns


def test_flags_that_are_not_told_are_taken(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--inner.depth" not in said(capsys, "-h", untold=("inner",))
    given = flags.parse(Command, ["here", "--inner.depth", "9"], prog="x", description="x", untold=("inner",))
    assert (given.place, given.inner) == ("here", Inner(depth=9))


def test_a_usage_line_breaks_between_flags() -> None:
    line = "usage: python x.py [-h] STR [--first STR] [--second {None}|INT] [[STR [STR ...]]] [--last STR]"
    rows = wrap(line, 40).splitlines()
    assert rows[0] == "usage: python x.py [-h] STR" and all(row.startswith("       [") for row in rows[1:])
    assert " ".join(row.strip() for row in rows) == line
    assert wrap(line, 200) == line


def test_an_overview_hangs_its_texts_under_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "44")
    text = overview(["python x.py WHAT", "python x.py WHAT MORE"], {"a": "one " * 12, "long": "two"}, "The end.")
    assert text.splitlines() == [
        "usage: python x.py WHAT",
        "       python x.py WHAT MORE",
        "",
        "  a     one one one one one one one one one",
        "        one one one",
        "  long  two",
        "",
        "The end.",
    ]
