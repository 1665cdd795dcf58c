"""The table on the terminal: columns line up, whatever the script."""

from __future__ import annotations

import pytest

from sandbox.errors import SandboxError
from sandbox.reporting.tables.render import style_of
from sandbox.reporting.tables.table import Caption, Cell, Column, Row, Table
from sandbox.reporting.tables.terminal import width, written


def table(block: str = "") -> Table:
    columns = (Column("setting", "loss", "objective"), Column("figure", "test/retrieval/map@r", "MAP@R", block, "↑"))
    rows = (
        Row((Cell("二つ"), Cell("0.50", "0.12", 0.5, 0.12, (0, 1), "a", True))),
        Row((Cell("\x1b[31mred"), Cell("0.4", "", 0.4, letters="b"))),
        Row((Cell("raw pixels"), Cell("0.3", "", 0.3)), foot=True),
    )
    return Table(columns, rows, Caption("Title.", ("Word " * 30,)))


def test_columns_line_up_and_baselines_stand_under_a_rule() -> None:
    lines = written(table()).splitlines()
    assert lines[0].startswith("objective ") and lines[0].endswith("MAP@R ↑")
    assert lines[1] == lines[4] and set(lines[1]) == {"-", " "} and lines[5].startswith("raw pixels")
    assert len({width(line) for line in lines[:6] if not line.startswith("二")} | {width(lines[2])}) == 1
    assert lines[2].endswith("0.50 ± 0.12 a") and "\\x1b[31mred" in lines[3]
    assert all(width(line) <= 80 for line in lines[6:]) and "Title." in lines


def test_a_block_has_its_name_above_its_columns() -> None:
    lines = written(table("a data set of a long name")).splitlines()
    assert lines[0].strip() == "a data set of a long name" and lines[0].index("a data") > len("objective")
    assert width(lines[0]) == width(lines[2])


def test_a_table_is_no_picture() -> None:
    assert [style_of("auto", out) for out in ("", "a.MD", "a.txt", "a")] == ["terminal", "markdown", *["terminal"] * 2]
    with pytest.raises(SandboxError, match=r"--out 'a.pdf' ends in .pdf, but a table is .md, .tex"):
        style_of("auto", "a.pdf")
