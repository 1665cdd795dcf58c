"""The table as a page: it asks for nothing, and sorts by number."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.reporting.tables.table import Caption, Cell, Column, Row, Table
from sandbox.reporting.tables.written.html import written

TABLE = Table(
    (Column("setting", "loss", "objective"), Column("figure", "test/verification/d_prime", "d'", "<b>", "↑")),
    (
        Row((Cell("<script>x</script>"), Cell("9.5", "0.1", 9.5, 0.1, (0, 1), "a", True))),
        Row((Cell("b"), Cell("10", "", 10.0))),
        Row((Cell("c"), Cell())),
        Row((Cell("d"), Cell("-1", "", -1.0))),
        Row((Cell("raw pixels"), Cell("2", "", 2.0)), foot=True),
    ),
    Caption("A & B.", ("More.",)),
)


def test_every_text_is_text_and_nothing_is_asked_for() -> None:
    text = written(TABLE, "line --> <b>\nnext")
    assert "<script>x" not in text and "&lt;script&gt;x" in text and "A &amp; B." in text
    assert text.startswith("<!DOCTYPE html>\n<!-- line --&gt; <b>\nnext -->") and not re.search(
        r"(src|href)=|@import|url\(", text
    )
    assert "<b>9.5 ± 0.1</b><sup>a</sup>" in text and '<tbody class="foot">' in text


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    if program is None:
        demanded = os.environ.get("METRIC_LEARNING_SANDBOX_DEMAND_ALL")
        (pytest.fail if demanded else pytest.skip)("Chromium is not installed: apt-get install chromium")
    (tmp_path / "table.html").write_text(written(TABLE), encoding="utf-8")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 390, "height": 700})
        page.goto((tmp_path / "table.html").as_uri())
        yield page
        chromium.close()


@pytest.mark.needs("playwright", 'pip install -e ".[test]"')
def test_a_click_on_a_head_sorts_by_number_and_leaves_baselines_below(shown) -> None:  # type: ignore[no-untyped-def]
    def order() -> list[str]:
        return shown.eval_on_selector_all("tbody tr", "rows => rows.map(row => row.cells[0].innerText[0])")

    head = shown.locator("thead tr").last.locator("th").nth(1)
    head.click()
    assert order() == ["b", "<", "d", "c", "r"] and head.get_attribute("aria-sort") == "descending"
    head.click()
    assert order() == ["d", "<", "b", "c", "r"]
    shown.locator("th button").first.press("Enter")
    assert order() == ["<", "b", "c", "d", "r"]
    assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.needs("playwright", 'pip install -e ".[test]"')
def test_on_a_phone_the_caption_of_a_wide_table_is_whole_without_scrolling(shown) -> None:  # type: ignore[no-untyped-def]
    shown.evaluate("document.querySelector('thead th').style.minWidth = '900px'")
    shown.evaluate("document.querySelector('caption').append(' and so on'.repeat(40))")
    for scrolled in (0, 400):
        shown.evaluate("by => { document.querySelector('.wide').scrollLeft = by }", scrolled)
        box = shown.locator("caption").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
