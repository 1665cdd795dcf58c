"""Any style of a comparison."""

from __future__ import annotations

import json

import pytest

from sandbox.reporting.compare.written import Rows, Written, render

TABLE = Rows(("", "A"), (("MAP@R", "0.5"),))
ONE = Written("A: a_b\nB: c*d", (TABLE,), ("a_b < c*d.",), ("left out: x|y",), {"k": None}, ({"k": 1},))


def test_what_markdown_would_take_for_markup_stays_text() -> None:
    text = render(ONE, "markdown", header="python a.py --flag --> x")
    assert text.startswith("<!-- python a.py - -flag - -> x -->")
    assert "a\\_b \\< c\\*d." in text and "- left out: x\\|y" in text and "| MAP@R |" in text


def test_every_style_holds_what_it_should() -> None:
    assert render(ONE, "terminal").endswith("a_b < c*d.\nnote: left out: x|y\n")
    assert render(ONE, "csv", header="made so") == "# made so\nk\n1\n"
    assert json.loads(render(ONE, "json", header="made so")) == {"made": ["made so"], "k": None}


def test_json_never_holds_what_is_no_number() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        render(Written("", (), (), (), {"k": float("nan")}, ()), "json")
