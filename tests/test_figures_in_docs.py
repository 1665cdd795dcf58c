"""Every figure that the READMEs state stands in a file under results/tables that says which command made it.

A figure is a number with decimals in running text, in a table, or in what a command printed; it must stand in such a
file with the same digits. A table goes there by `table.py --out` or `tune.py --table`, a single figure as a line of
results/tables/measured.csv. `table.py again results/tables/*` reads them all.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox.reporting.again.grids import grids
from sandbox.reporting.again.header import SUFFIXES, read_header

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / "results" / "tables"
PAGES = ["README.md", "results/README.md"]
NO_FIGURES = {
    "3.11": "the version of Python that is needed",
    "0.93": "published by others",
    "0.97": "published by others",
    "0.7823": "published by others",
    "0.9465": "published by others",
    "0.955": "published by others",
    "0.92": "published by others",
    "0.929": "published by others",
    "0.9318": "published by others",
    "0.0107": "published by others",
    "0.9303": "published by others",
    "0.0105": "published by others",
    "0.1": "a false positive rate that a threshold is fitted for",
    "0.01": "a false positive rate that a threshold is fitted for",
    "0.60": "a round number that trials are sorted by",
}
"""Numbers that were not measured here, each with what it is."""

_DECIMAL = re.compile(r"(?<![\w.,/@-])[+-]?(\d[\d,]*\.\d+)(?![\w./]*\d)")
_CODE = re.compile(r"^```\w+\n.*?^```$|<!--.*?-->|`[^`\n]*`|\]\([^)]*\)", re.MULTILINE | re.DOTALL)


def decimals(page: str) -> list[str]:
    """The numbers with decimals of a page, in their order; code, comments and links hold none."""
    return _DECIMAL.findall(_CODE.sub(" ", page))


def held() -> set[str]:
    """Every number that stands in a table, or beside one, whose making is known."""
    found: set[str] = set()
    for path in TABLES.iterdir():
        if (
            path.suffix not in SUFFIXES or read_header(path).kind == "ledger"
        ):  # a table shows what of its ledger it means
            continue
        text = path.read_text(encoding="utf-8")
        cells = [cell for grid in grids(text, path.suffix) for row in grid.rows for cell in row]
        found.update(number for cell in cells for number in decimals(cell))
        if path.suffix == ".md":
            found.update(decimals(text))
    return found


def without_a_file(page: str) -> list[str]:
    """The figures of a page that stand in no file."""
    known = held()
    return [number for number in decimals(page) if number not in known and number not in NO_FIGURES]


@pytest.mark.parametrize("page", PAGES)
def test_every_figure_stands_in_a_file_that_says_how_it_was_made(page: str) -> None:
    assert without_a_file((ROOT / page).read_text(encoding="utf-8")) == []


def test_a_figure_that_nobody_measured_is_found() -> None:
    page = "It reached 0.123456 (-0.6845 ± 0.654321), or\n\n| a | 12.3456 |\n\n```\nmap@r 7.654321\n```\n"
    assert without_a_file(page) == ["0.123456", "0.654321", "12.3456", "7.654321"]


def test_code_versions_dates_and_links_are_no_figures() -> None:
    page = "`--lr 0.123456`, [x](y0.654321), 1.2.3, v0.654321, 2026-11-22, FAR=1e-3\n```bash\n--lr 0.123456\n```\n"
    assert decimals(page) == []


def test_no_exception_is_older_than_its_figure() -> None:
    stated = [number for page in PAGES for number in decimals((ROOT / page).read_text(encoding="utf-8"))]
    assert [number for number in NO_FIGURES if number not in stated] == []
