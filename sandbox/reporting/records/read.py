"""Run folders to `Run`s; what is damaged, changed or no result is left out and named."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sandbox.called import called
from sandbox.errors import SandboxError
from sandbox.reporting.records import ledger
from sandbox.reporting.records.chosen import Choice
from sandbox.reporting.records.recipes import Known, read_recipe_of
from sandbox.reporting.records.run import Run
from sandbox.runs.folder import RunFolder, run_folders
from sandbox.runs.folds import unfinished_said
from sandbox.wording import counted, first_names

_DRAWN = re.compile(r"python (?:[^\s']*/|'[^']*/)?draw\.py'? ")


def read_runs(places: Sequence[Path], choice: Choice | None = None) -> tuple[list[Run], list[str]]:
    """Finished runs below the given folders, oldest first, and sentences on those that are left out.

    Args:
        places: folders of runs, run folders, or ledgers of tables (.csv).
        choice: which of the runs are wanted; all where not given.

    Raises:
        SandboxError: a place does not exist, or holds no finished run that is wanted.
    """
    runs: dict[Path, Run] = {}
    damaged: list[str] = []
    known: Known = {}
    partly: list[str] = []
    drawn = 0
    for place in places:
        if place.suffix == ".csv":
            runs |= {place.resolve() / str(number): run for number, run in enumerate(ledger.read(place))}
            continue
        if not place.is_dir():
            raise SandboxError(f"no folder {place}; train something first: {called('run')} --loss triplet --miner hard")
        for folder in run_folders(place):
            try:
                if not folder.is_finished():
                    partly += filter(None, [unfinished_said(folder)])
                    continue
                run = read_run(folder, known)
            except SandboxError as error:
                damaged.append(str(error))
                continue
            if _is_for_a_picture(run):
                drawn += 1
                continue
            runs[folder.path.resolve()] = run
    if not runs:
        beside = f"; left out: {first_names(damaged)}" if damaged else ""
        beside += f"; {_pictures(drawn)}" if drawn else ""
        beside += f"; {_partly(partly)}" if partly else ""
        raise SandboxError(
            f"no finished run in {', '.join(map(str, places))}; runs that failed or go on are in no table{beside}"
        )
    notes = []
    if damaged:
        count = counted(len(damaged), "run cannot be read and is left out", "runs cannot be read and are left out")
        notes.append(f"{count}: {first_names(damaged)}")
    if drawn:
        notes.append(_pictures(drawn))
    if partly:
        notes.append(_partly(partly))
    kept = list(runs.values()) if choice is None else choice.of(list(runs.values()))
    return kept, notes


def read_run(folder: RunFolder, known: Known | None = None) -> Run:
    """What is needed of a finished run.

    Args:
        folder: of the run.
        known: recipes that were read before, where many runs are read.

    Raises:
        SandboxError: a file of it is damaged, a figure is not finite, or its recipe was changed after the run.
    """
    facts, report = folder.read_json("run.json"), folder.read_json("report.json")
    recipe, name = read_recipe_of(folder, {} if known is None else known)
    baselines = folder.read_json("baselines.json") if (folder.path / "baselines.json").is_file() else {}
    try:
        if not isinstance(baselines, dict):
            raise TypeError(baselines)
        values = [*_values(report), *(value for base in baselines.values() for value in _values(base))]
        tags = tuple(str(tag) for tag in facts.get("tags", ()))
        run = Run(
            *(folder.path, str(facts["digest"]), int(facts["seed"]), recipe, report, str(facts["split"])),
            *(str(facts["command"]), tags, baselines, facts),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise SandboxError(
            f"{folder.path} is damaged: run.json or report.json lacks a part; move the folder away"
        ) from None
    if (run.digest, run.seed) != (name, recipe.seed):
        raise SandboxError(f"{folder.path / 'recipe.toml'} was changed after the run; move the folder away")
    if not all(map(math.isfinite, values)):
        raise SandboxError(f"{folder.path / 'report.json'} holds a figure that is not finite; move the folder away")
    return run


def _pictures(count: int) -> str:
    return f"left out: {counted(count, 'run that was', 'runs that were')} trained for a picture"


def _partly(folders: Sequence[str]) -> str:
    """Folders of folds that are no row yet, each with how many of its folds are done."""
    return f"left out until all folds are done and put together: {first_names(folders)}"


def _is_for_a_picture(run: Run) -> bool:
    """Whether draw.py trained it; before run.json had a purpose, its command said so."""
    return bool(run.facts.get("purpose")) or _DRAWN.match(run.command) is not None


def _values(report: Any) -> list[float]:
    """Every value of a report, each checked to be a number: not text, nor a truth."""
    if not isinstance(report, dict):
        raise TypeError(report)
    values = [entry["value"] for split in report.values() for entry in split.values()]
    if any(type(value) not in (int, float) for value in values):
        raise TypeError(values)
    return values
