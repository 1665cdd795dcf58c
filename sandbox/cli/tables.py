"""Tables on the terminal: figures with their intervals, and rows of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sandbox.wording import printable

if TYPE_CHECKING:
    from sandbox.evaluation.figures import Figures

_BESIDE = ("far", "fpir", "threshold", "prior", "standard_error")


def print_rows(names: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    """A table of texts, which are no markup.

    Args:
        names: the head of each column.
        rows: a text for each column.
        right: places of the columns that are set to the right.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = [[printable(text) for text in row] for row in rows]
    console = Console()
    if not console.is_terminal:  # a file has no width that anything should be cut to
        console = Console(width=max(120, sum(max(map(len, column)) + 3 for column in zip(names, *rows, strict=True))))
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(names):
        table.add_column(name, justify="right" if place in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console.print(table)


def print_figures(figures: Figures) -> None:
    """A row a figure: its value, its interval, what it was counted over, and what else stands with it.

    Precision@1 is left out beside recall@1, which is the same number.
    """
    from sandbox.evaluation.figures import printed_name, spell, spell_interval

    rows = []
    for key, entry in figures.items():
        if key.endswith("retrieval/precision@1") and key.replace("precision", "recall") in figures:
            continue
        # Of what was fitted on too few strangers the value stands, and a clause beside it says so.
        shown = {name: value for name, value in entry.items() if name != "supported" or "fitted_on" not in entry}
        rows.append((printed_name(key), spell(shown), spell_interval(shown), f"{entry['n']:,}", _beside(entry)))
    print_rows(("", "value", "95 % interval", "n", "at"), rows, right=(1, 2, 3))


def _beside(entry: Mapping[str, Any]) -> str:
    from sandbox.evaluation.figures import spell_threshold

    shown = {name: f"{entry[name]:.4g}" for name in _BESIDE if name in entry}
    if "threshold" in entry:
        shown["threshold"] = spell_threshold(entry["threshold"], ".4g")
    beside = [f"{name} {text}" for name, text in shown.items()]
    if "queries" in entry and "classes" in entry:
        beside.append(f"episodes of {entry['queries']:,} queries a class, from {entry['classes']:,} classes")
    if "standard_deviation" in entry and "folds" in entry:
        beside.append(f"deviation {entry['standard_deviation']:.4g} over {entry['folds']} folds")
    if "gain" in entry:
        beside.append(f"gain {entry['gain']:+.4f} ({entry['gain_low']:+.4f} to {entry['gain_high']:+.4f})")
    if "fitted_rows" in entry:
        beside.append(f"fitted on {entry['fitted_rows']:,} rows")
    if "fitted_on" in entry:
        beside.append(f"fitted on {entry['fitted_on']:,} images")
        beside += ["fewer than 30 / FPIR"] if entry.get("supported") is False else []
    return ", ".join(beside)
