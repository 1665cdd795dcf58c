"""A run as the cells of a line of a ledger, there and back."""

from __future__ import annotations

import dataclasses
import json
import math
import shlex
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sandbox.data.catalog import data_kinds
from sandbox.errors import SandboxError
from sandbox.evaluation.figures import Figures
from sandbox.files import parse_json
from sandbox.recipe.specs import Recipe
from sandbox.recipe.text import to_flags
from sandbox.recipe.words import from_flags
from sandbox.reporting.records.closed import closed_set
from sandbox.reporting.records.run import Run
from sandbox.reporting.records.spent import spent_before

FIRST = ("digest", "seed", "objective", "split", "steps", "tags", "after", "run")
LAST = ("facts", "check")
_PROGRAM = ["python", "experiments/run.py"]
_SPLITS = ("val", "test")
_ELSEWHERE = frozenset("id status digest seed split steps tags objective confused versions".split())
"""What run.json says that has a column of its own, or is of the folder alone; versions stand in the head."""


def cells_of(run: Run) -> dict[str, str]:
    """Column -> cell of one run."""
    # What `after` names is found out when a run begins, and is no flag.
    words = to_flags(dataclasses.replace(run.recipe, after=""))
    row = {
        "digest": run.digest,
        "seed": str(run.seed),
        "objective": run.recipe.loss,
        "split": run.split,
        "steps": str(run.facts.get("steps", "")),
        "tags": json.dumps(run.tags) if run.tags else "",
        "after": run.recipe.after,
        "run": " ".join([*_PROGRAM, *words]),
    }
    for name, report in (("", run.report), *((f"{name}/", report) for name, report in run.baselines.items())):
        for split, figures in report.items():
            for key, entry in figures.items():
                for part, value in entry.items():
                    column = f"{name}{split}/{key}" + ("" if part == "value" else f" {part}")
                    row[column] = _spelt(value)
    facts = {name: value for name, value in run.facts.items() if name not in _ELSEWHERE}
    facts |= _of_folder(run)
    row["facts"] = json.dumps(facts, allow_nan=False, separators=(",", ":")) if facts else ""
    return row


def _of_folder(run: Run) -> dict[str, Any]:
    """What is told by files beside run.json, which a ledger has not: a table made of it says it too."""
    closed, (study, trials) = closed_set(run), spent_before(run)
    told = {"closed_set": closed, "study": study or None, "trials": trials}
    return {name: value for name, value in told.items() if value is not None}


def _spelt(value: Any) -> str:
    """A number or a truth as JSON writes it, with every digit."""
    return repr(value) if type(value) in (int, float) and math.isfinite(value) else json.dumps(value, allow_nan=False)


def _number(cell: str, column: str) -> Any:
    """What `_spelt` wrote: a number or a truth, or a list, such as the thresholds of folds."""
    if cell.startswith("["):
        return parse_json(cell)
    if cell in ("true", "false"):
        return cell == "true"
    value = int(cell) if cell.removeprefix("-").isdecimal() and len(cell) < 20 else float(cell)
    if not math.isfinite(value):
        raise ValueError(f"{column} is {cell[:40]}, which is not finite")
    return value


def place(column: str) -> tuple[int, int]:
    """Sorts columns of figures: test before validation, a run's own before its baselines'."""
    return not column.startswith(_SPLITS), not column.startswith("test/")


def recipe_of(row: Mapping[str, str]) -> Recipe:
    """The recipe of a line.

    Raises:
        SandboxError: its run.py line is none that `cells_of` writes.
    """
    try:
        words = shlex.split(row["run"])[len(_PROGRAM) :]
    except ValueError as error:
        raise SandboxError(f"its run.py line cannot be read: {error}") from None
    seed = 0
    at = words.index("--seed") if "--seed" in words[:-1] else len(words)
    if words[at + 1 : at + 2] and words[at + 1].isdecimal():
        seed = int(words[at + 1][:20])
        del words[at : at + 2]
    return dataclasses.replace(_read(tuple(words)), seed=seed, after=row["after"])


@lru_cache(maxsize=1024)
def _read(words: tuple[str, ...]) -> Recipe:
    """Seeds of one recipe are read but once."""
    return from_flags(words, source="its run.py line", kinds=data_kinds())


def reports_of(row: Mapping[str, str]) -> dict[str, dict[str, Figures]]:
    """Baseline, or nothing for the run's own -> split -> report key -> value and what stands with it."""
    found: dict[str, dict[str, Figures]] = {}
    for column, cell in row.items():
        if column in (*FIRST, *LAST) or not cell:
            continue
        key, blank, part = column.rpartition(" ")
        if not blank or "/" in part:  # "raw pixels/test/..." has a blank of its own
            key, part = column, "value"
        head, _, rest = key.partition("/")
        base, split, name = ("", head, rest) if head in _SPLITS else (head, *rest.split("/", 1))
        value = _number(cell, column)
        if part == "value" and isinstance(value, bool | list):
            raise ValueError(f"{column} is {cell}, which is no figure")
        found.setdefault(base, {}).setdefault(split, {}).setdefault(name, {})[part] = value
    return found
