"""The table in Markdown renders, whatever stands in it."""

from __future__ import annotations

import re

from sandbox.reporting.tables.table import Caption, Cell, Column, Row, Table
from sandbox.reporting.tables.written.markdown import comment, escaped, written

TABLE = Table(
    (Column("setting", "loss", "objective"), Column("figure", "test/retrieval/map@r", "MAP@R", "a|b", "↑")),
    (
        Row((Cell("cross_entropy + 0.003*center | `x`"), Cell("0.50", "0.12", 0.5, 0.12, (0, 1), "ab", True))),
        Row((Cell("二\nlines"), Cell("0.4", "", 0.4))),
        Row((Cell("raw pixels"), Cell("0.3", "", 0.3)), foot=True),
    ),
    Caption("Title_a_.", ("A <b> note.",)),
)


def test_pipes_and_marks_are_text() -> None:
    lines = written(TABLE).splitlines()
    assert lines[0].split(" | ")[-1].strip(" |") == "a\\|b: MAP@R ↑"
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 3 for line in lines[:5])
    assert lines[2].startswith("| cross_entropy + 0.003\\*center \\| \\`x\\` ") and "**0.50 ± 0.12** ab" in lines[2]
    assert re.fullmatch(r"\|:-+\|-+:\|", lines[1]) and "*raw pixels*" in lines[4] and "A \\<b\\> note." in lines
    assert escaped("_a_b_") == "\\_a_b\\_"


def test_nothing_in_the_header_ends_the_comment() -> None:
    text = comment("run.py --loss 'a --> b'\ntune.py --!> x\x1b[31m")
    assert text.count("-->") == 1 and text.endswith("-->\n\n") and "--!>" not in text and "\x1b" not in text
    assert comment("") == ""
