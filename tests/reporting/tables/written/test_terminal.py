"""The table on the terminal: columns line up, whatever the script."""

from __future__ import annotations

import pytest

from sandbox.errors import SandboxError
from sandbox.reporting.tables.table import Caption, Cell, Column, Row, Table
from sandbox.reporting.tables.written.folded import width
from sandbox.reporting.tables.written.render import style_of
from sandbox.reporting.tables.written.terminal import written


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


def test_a_piece_has_the_name_of_its_block_and_its_own_rule_above_the_baselines() -> None:
    wide = table("glyphs")
    columns = (*wide.columns, Column("figure", "test/verification/auc", "AUC", "glyphs", "↑"))
    rows = tuple(Row((*row.cells, Cell(f"0.{place}")), foot=row.foot) for place, row in enumerate(wide.rows))
    whole, parted = (written(Table(columns, rows, wide.caption), fit) for fit in (0, 26))
    assert whole.count("glyphs") == 1 and parted.count("glyphs") == 2 and parted.count("raw pixels") == 2
    first, second = parted.split("\n\n")[:2]
    for piece, figure, foot in ((first, "MAP@R", "0.3"), (second, "AUC", "0.2")):
        lines = piece.splitlines()
        assert figure in lines[1] and lines[2] == lines[-2] and set(lines[2]) == {"-", " "}
        assert lines[-1].startswith("raw pixels") and lines[-1].endswith(foot)
        assert max(map(width, lines)) <= 26
    assert max(map(width, parted.splitlines())) <= 26


def test_a_table_is_no_picture() -> None:
    assert [style_of("auto", out) for out in ("", "a.MD", "a.txt", "a")] == ["terminal", "markdown", *["terminal"] * 2]
    with pytest.raises(SandboxError, match=r"--out 'a.pdf' ends in .pdf, but a table is .md, .tex"):
        style_of("auto", "a.pdf")
