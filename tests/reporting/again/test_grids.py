"""The cells of a table in each format, and what of them moved."""

from __future__ import annotations

import math

import pytest

from sandbox.reporting.again.grids import Grid, figure, grids
from sandbox.reporting.again.moved import compare

HEAD = ("objective", "lr", "n", "MAP@R ↑")
MARKDOWN = """<!-- | no | table | -->
| objective | lr | n | MAP@R ↑ |
|:--|--:|--:|--:|
| triplet\\_margin(a\\|b) | 0.003 | 3 | **0.641 ± 0.033** a |
| *raw pixels* |  |  | 0.194 |
"""
LATEX = r"""\begin{tabular}{@{}llrr@{}}
\toprule
 & & \multicolumn{2}{c}{glyphs} \\ \cmidrule(lr){3-4}
objective & lr & n & MAP@R ↑ \\
\midrule
triplet\_margin(a|b) & 0.003 & 3 & \textbf{0.641 $\pm$ 0.033}\textsuperscript{a} \\
raw pixels &  &  & 0.194 \\
\end{tabular}"""
SIUNITX = LATEX.replace(
    r"\textbf{0.641 $\pm$ 0.033}\textsuperscript{a}", r"\bfseries 0.641 \pm 0.033{\textsuperscript{a}}"
)
HTML = """<table><thead><tr><td colspan="2"></td><th colspan="2">glyphs</th></tr>
<tr><th>objective</th><th>lr</th><th>n</th><th>MAP@R ↑</th></tr></thead><tbody>
<tr><td>triplet_margin(a|b)</td><td>0.003</td><td>3</td><td><b>0.641 ± 0.033</b><sup>a</sup></td></tr>
<tr><td>raw pixels</td><td></td><td></td><td>0.194</td></tr></tbody></table>"""
CSV = """# said
objective,lr,n,MAP@R ↑,MAP@R ↑ low,MAP@R ↑ high,MAP@R ↑ letters,digests
triplet_margin(a|b),0.003,3,0.641,0.608,0.674,a,abc
raw pixels,,,0.194,,,,
"""


@pytest.mark.parametrize(
    ("text", "suffix"), [(MARKDOWN, ".md"), (LATEX, ".tex"), (SIUNITX, ".tex"), (HTML, ".html"), (CSV, ".csv")]
)
def test_one_table_is_the_same_in_every_format(text: str, suffix: str) -> None:
    (grid,) = grids(text, suffix)
    assert grid.columns == HEAD
    assert grid.rows[0][:3] == ("triplet_margin(a|b)", "0.003", "3") and grid.rows[1] == ("raw pixels", "", "", "0.194")
    found = figure(grid.rows[0][3])
    assert found and found.value == 0.641 and found.half == pytest.approx(0.033)


@pytest.mark.parametrize(
    ("cell", "value", "half"),
    [
        ("0.8468, 0.8160 to 0.8804", 0.8468, 0.0322),
        ("+0.0070 ± 0.0188 p = 0.383, better in 5 of 6", 0.007, 0.0188),
        ("-1.5 ± 2e-3", -1.5, 0.002),
        ("5,459", 5459.0, None),
        ("0.5 ab", 0.5, None),
        ("1e-05", 1e-05, None),
    ],
)
def test_a_cell_is_a_number_with_its_interval(cell: str, value: float, half: float | None) -> None:
    found = figure(cell)
    assert (
        found and found.value == value and (found.half is None if half is None else found.half == pytest.approx(half))
    )


@pytest.mark.parametrize("cell", ["", "arcface", "6 of 6", "p < 0.001", "19582efad2ab", "unsupported", "0.003*center"])
def test_other_cells_are_no_numbers(cell: str) -> None:
    assert figure(cell) is None


def grid(*rows: tuple[str, str, str]) -> list[Grid]:
    return [Grid(("objective", "lr", "MAP@R"), rows)]


def test_a_cell_moved_beyond_both_intervals() -> None:
    reach = math.hypot(0.03, 0.04)  # of a difference: the root of the summed squares, here 0.05
    before = grid(("arcface", "0.1", "0.60 ± 0.03"), ("contrastive", "0.1", "0.50 ± 0.03"))
    near, far = f"{0.60 + reach - 0.001:.3f} ± 0.04", f"{0.60 + reach + 0.001:.3f} ± 0.04"
    outcome = compare(before, grid(("contrastive", "0.1", "0.50 ± 0.03"), ("arcface", "0.1", near)))
    assert (outcome.same, outcome.within, outcome.moved) == (1, 1, ())
    (moved,) = compare(before, grid(("arcface", "0.1", far), ("contrastive", "0.1", "0.50 ± 0.03"))).moved
    assert str(moved) == f"'arcface, 0.1', MAP@R: 0.60 ± 0.03, now {far}"


def test_digits_that_were_rounded_away_have_not_moved() -> None:
    outcome = compare(grid(("arcface", "0.1", "0.955 ± 0.000")), grid(("arcface", "0.1", "0.95514 ± 0.00002")))
    assert (outcome.within, outcome.moved) == (1, ())


def test_without_an_interval_the_printed_digits_count() -> None:
    before = grid(("arcface", "0.1", "0.194"))
    assert compare(before, grid(("arcface", "0.1", "0.194"))).same == 1
    assert compare(before, grid(("arcface", "0.1", "0.195"))).moved
    assert compare(before, grid(("arcface", "0.1", "0.194 ± 0.5"))).moved
    assert compare(grid(("arcface", "0.1", "0.19 ± 0.1")), grid(("arcface", "0.1", ""))).moved


def test_rows_that_come_and_go_and_settings_that_change_are_told() -> None:
    before = grid(("arcface", "0.1", "0.6"), ("contrastive", "0.1", "0.5"), ("contrastive", "0.2", "0.4"))
    now = grid(("contrastive", "0.2", "0.4"), ("contrastive", "0.1", "0.5"), ("sup_con", "0.1", "0.6"))
    outcome = compare(before, now)
    assert list(map(str, outcome.moved)) == ["'arcface, 0.1' is gone"] and outcome.same == 2
    assert outcome.unmatched == ("the row 'sup_con, 0.1'",)
    (other,) = compare(grid(("arcface", "0.1", "0.6")), grid(("arcface", "0.1", "0.7"))).moved
    assert other.now == "0.7"


def test_a_report_key_and_its_printed_name_head_one_column() -> None:
    before = [Grid(("objective", "n", "test/retrieval/map@r"), (("arcface", "3", "0.6 ± 0.1"),))]
    now = [Grid(("objective", "MAP@R ↑", "AUC ↑"), (("arcface", "0.65 ± 0.1", "0.9"),))]
    outcome = compare(before, now)
    assert (outcome.within, outcome.moved) == (1, ())
    assert outcome.unmatched == ("the column n", "the column AUC")


def test_rows_that_nothing_tells_apart_any_more_are_not_compared() -> None:
    def table(head: str, *rows: tuple[str, str, str]) -> list[Grid]:
        return [Grid(("objective", head, "MAP@R"), rows)]

    rows = (("arcface", "0.1", "0.6 ± 0.1"), ("arcface", "0.2", "0.2 ± 0.1"), ("sup_con", "0.1", "0.4 ± 0.1"))
    outcome = compare(table("step size", *rows), table("learning rate", *rows[::-1]))
    assert (outcome.same, outcome.moved) == (1, ())
    assert outcome.unmatched[-1] == "the rows 'arcface', which nothing tells apart"
    assert compare(table("optimizer.lr", *rows), table("learning rate", *rows[::-1])).same == 3


def test_seeds_count_and_what_a_machine_took_does_not() -> None:
    columns = ("objective", "n", "images/s", "hours", "AUC")
    before = [Grid(columns, (("arcface", "3", "1,200", "0.1", "0.9 ± 0.1"),))]
    now = [Grid(columns, (("arcface", "2", "800", "0.4", "0.9 ± 0.1"),))]
    assert [one.column for one in compare(before, now).moved] == ["n"]
