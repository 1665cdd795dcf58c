"""`page.html` of a folder of folds: what they come to together, a line for each, their curves over one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.evaluation.figures import spell, spell_interval, spell_threshold
from sandbox.reporting.page.written.curves import curve_panels
from sandbox.reporting.page.written.figures import Cell, FigureTable, Row
from sandbox.reporting.page.written.made import how_made
from sandbox.reporting.page.written.render import render
from sandbox.reporting.page.written.words import MEANING, name_of, number
from sandbox.reporting.records.read import read_run
from sandbox.reporting.records.run import Run
from sandbox.runs.folder import RunFolder
from sandbox.runs.folds import fold_folders
from sandbox.wording import counted

_MEANING = {
    **MEANING,
    "verification/auc": f"of the pooled scores of networks that differ: {MEANING['verification/auc']}",
    "verification/accuracy@validation": "of all pairs, each at its own fold's threshold; interval by identity",
}
_COLUMNS = ("fold", "people", "images", "pairs", "steps", "threshold", "accuracy", "AUC", "EER")


@dataclass(frozen=True)
class FoldLine:
    """A fold as a line of the table."""

    cells: tuple[str, ...]
    """As `_COLUMNS`, without the first."""
    name: str
    page: str
    """Where its own page lies; empty where it has none."""


def write_folds_page(folder: RunFolder) -> None:
    """Write `page.html`.

    Raises:
        SandboxError: a run is missing or damaged.
    """
    folder.write_text("page.html", page_of_folds(folder))


def page_of_folds(folder: RunFolder) -> str:
    """The page of a folder of folds as HTML.

    Raises:
        SandboxError: a run is missing or damaged.
    """
    run, folders = read_run(folder), fold_folders(folder)
    runs = [read_run(one) for one in folders]
    figures = run.report["test"]
    lead = next((key for key in figures if "standard_error" in figures[key]), "")
    return render(
        "folds.html",
        {},
        ("copy.js",),
        run=run,
        objective=run.facts.get("objective", run.recipe.loss),
        where=f"{run.recipe.data.name}, {counted(len(runs), 'fold', 'folds')}, seed {run.seed}",
        verdict=_verdict(run, lead),
        said=[str(run.facts[key]) for key in ("judged_on", "published") if run.facts.get(key)],
        health=[str(line) for line in run.facts.get("health", ())],
        notes=[str(line) for line in run.facts.get("notes", ())],
        table=_figures(run),
        columns=_COLUMNS,
        lines=[_line(number, one) for number, one in enumerate(runs, start=1)],
        panels=curve_panels(
            {str(number): one.read_log() for number, one in enumerate(folders, start=1)}, run.recipe.evaluate.monitor
        ),
        numbers=range(1, len(runs) + 1),
        made=how_made(run),
    )


def _verdict(run: Run, lead: str) -> str:
    """'verification accuracy@10-fold 0.9312 ± 0.0031 (standard error)'."""
    if not lead:
        return ""
    entry = run.report["test"][lead]
    return f"{name_of(lead)} {spell(entry)} ± {entry['standard_error']:.4f} (standard error over folds)"


def _figures(run: Run) -> FigureTable:
    """The figures of test, the baselines beside them where they have them."""
    figures = run.report["test"]
    rows = [
        Row(
            name_of(key),
            _MEANING.get(key, "mean over folds; interval by t over folds" if "standard_error" in entry else ""),
            (
                Cell(spell(entry), spell_interval(entry), "", f"{entry['n']:,} pairs"),
                *(Cell(spell(part.get("test", {}).get(key))) for part in run.baselines.values()),
            ),
        )
        for key, entry in figures.items()
    ]
    return FigureTable(("test", *run.baselines), tuple(rows))


def _line(fold: int, run: Run) -> FoldLine:
    figures, data = run.report["test"], run.facts.get("data", {}).get("test", {})
    right = figures.get("verification/accuracy@validation")
    cells: Sequence[str] = (
        number(data.get("classes")),
        number(data.get("images")),
        number(figures.get("verification/auc", {}).get("n")),
        number(run.facts.get("steps")),
        "" if right is None else spell_threshold(right["threshold"]),
        spell(right),
        spell(figures.get("verification/auc")),
        spell(figures.get("verification/eer")),
    )
    page = f"{run.path.name}/page.html" if (run.path / "page.html").is_file() else ""
    return FoldLine(tuple(cells), str(fold), page)
