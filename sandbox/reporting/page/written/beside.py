"""The page of several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from sandbox.reporting.page.found.compared import Compared, compare_runs, wins
from sandbox.reporting.page.found.material import Material
from sandbox.reporting.page.found.packed import packed
from sandbox.reporting.page.written.curves import curve_panels
from sandbox.reporting.page.written.figures import FigureTable, Row, figure_cell, warnings
from sandbox.reporting.page.written.render import render
from sandbox.reporting.page.written.roc import points, roc
from sandbox.reporting.page.written.words import leading, meaning, name_of, number, split_word
from sandbox.reporting.records.spelling import short_objective

_SCRIPTS = ("shared.js", "compare.js", "copy.js")


def page_of_runs(materials: Sequence[Material]) -> str:
    """Runs that were judged on the same images, as one HTML file.

    Raises:
        SandboxError: see `compare_runs`.
    """
    runs = compare_runs(materials)
    first = materials[0]
    drawn = [(letter, one) for letter, one in zip(runs.letters, runs.counted, strict=True) if one is not None]
    logs = {letter: one.log for letter, one in zip(runs.letters, materials, strict=True)}
    return render(
        "compare.html",
        _scripted(runs),
        _SCRIPTS,
        title=f"{len(materials)} runs on {first.run.recipe.data.name}, {split_word(first.split)} split",
        split=split_word(first.split),
        letters=runs.letters,
        runs=[one.run for one in materials],
        objectives=[short_objective(one.run.recipe.loss) for one in materials],
        differ=_differing(materials),
        warnings=_said(runs),
        table=_table(runs),
        roc=roc(drawn) if drawn else "",
        drawn=[letter for letter, _ in drawn],
        panels=curve_panels(logs, first.run.recipe.evaluate.monitor),
        pictured=first.pictured is not None,
        searched=runs.searched,
        whole=len(runs.shown) == len(runs.searched[0].rows) if runs.searched else True,
        book=runs.book,
        pairs=_pairs(runs),
        alone=runs.letters if len(runs.letters) == 2 else ("one", "the other"),
    )


def _said(runs: Compared) -> list[str]:
    """What must be known of the runs before their figures, each sentence once with the runs that it is of."""
    found: dict[str, list[str]] = {}
    for letter, one in zip(runs.letters, runs.materials, strict=True):
        for text in (*warnings(one), *(str(line) for line in one.run.facts.get("health", ()))):
            found.setdefault(text, []).append(letter)
    return [f"{', '.join(letters)}: {text}" for text, letters in found.items()]


def _differing(materials: Sequence[Material]) -> list[tuple[str, list[str]]]:
    """Each setting that is not the same in all runs, with its values."""
    names = list(dict.fromkeys(name for one in materials for name in one.run.settings))
    rows = []
    for name in names:
        values = [one.run.settings.get(name) for one in materials]
        if any(value != values[0] for value in values) and name not in ("loss", "miner"):
            rows.append((name, [number(value) for value in values]))
    return rows


def _table(runs: Compared) -> FigureTable:
    first = runs.materials[0].run.report[runs.materials[0].split]
    rows = [
        Row(name_of(key), meaning(key), tuple(figure_cell(one, key) for one in runs.materials))
        for key in leading(first)
    ]
    return FigureTable(runs.letters, tuple(rows))


def _pairs(runs: Compared) -> list[tuple[str, str, list[tuple[int, str]]]]:
    """(one, other, counts of queries) of every two runs; of more than two, with the run that a count is of."""
    found = []
    for a, b in combinations(range(len(runs.searched)), 2):
        one, other = runs.letters[a], runs.letters[b]
        of = ("", f"{one}: ", f"{other}: ", "") if len(runs.searched) > 2 else ("",) * 4
        counts = wins(runs.searched[a], runs.searched[b])
        found.append((one, other, list(zip(counts, of, strict=True))))
    return found


def _scripted(runs: Compared) -> dict[str, Any]:
    drawn = [(letter, one) for letter, one in zip(runs.letters, runs.counted, strict=True) if one is not None]
    data: dict[str, Any] = {
        "classes": runs.book.names(),
        "own": runs.book.facts(),
        "pairClasses": None,
        "letters": list(runs.letters),
        "drawn": [letter for letter, _ in drawn],
        "points": points(drawn) if drawn else [],
        "retrieval": None,
    }
    if runs.searched:
        shown = runs.shown
        data["retrieval"] = {
            "queries": runs.book.packed(runs.searched[0].rows[shown]),
            "shown": runs.searched[0].ids.shape[1],
            "runs": [
                {"ids": runs.book.packed(one.ids[shown]), "scores": packed(one.scores[shown], "f4")}
                for one in runs.searched
            ],
        }
    return data
