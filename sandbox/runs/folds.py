"""A folder of folds: a run folder for each test fold of a data set, and what they come to together.

results/runs/<id>/   recipe.toml (data.fold = "all")  run.json  report.json  baselines.json  page.html
                     fold-01/ fold-02/ ...: run folders, each with its network
                     .fold-01.lock: who is at that fold, for as long as they are
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError
from sandbox.recipe.specs import Recipe, digest
from sandbox.runs.folder import RunFolder, loss_label
from sandbox.runs.lock import LOCK
from sandbox.wording import counted


def folds_name(recipe: Recipe) -> str:
    """What the folder of a recipe is called: the same for the same command, and for no other recipe."""
    return f"{recipe.data.name}-folds-{loss_label(recipe.loss)}-s{recipe.seed}-{digest(recipe)}"


def fold_folder(folder: RunFolder, fold: int) -> RunFolder:
    """The run folder of a fold, counted from 1, whether it is there or not."""
    return RunFolder(folder.path / f"fold-{fold:02d}")


def fold_lock(fold: int) -> str:
    """The file that says who is at a fold, counted from 1."""
    return f".fold-{fold:02d}{LOCK}"


def count_of(facts: Any) -> int:
    """How many folds a folder is of, by its run.json; 0 for the folder of a run."""
    folds = facts.get("folds") if isinstance(facts, dict) else None
    return folds if type(folds) is int and folds > 0 else 0


def folds_in(path: Path) -> int:
    """How many folds the folder at a path is of; 0 for the folder of a run, and where there is none."""
    try:
        return count_of(RunFolder(path).read_json("run.json"))
    except (SandboxError, OSError):
        return 0


def fold_folders(folder: RunFolder) -> list[RunFolder]:
    """The run folders of all folds, whether they are there or not."""
    return [fold_folder(folder, fold) for fold in range(1, count_of(folder.read_json("run.json")) + 1)]


def unfinished_said(folder: RunFolder) -> str:
    """'NAME (3 of 10 folds)' for a folder of folds that is not done; empty for any other."""
    if not folds_in(folder.path) or folder.status() == "done":
        return ""
    folds = fold_folders(folder)
    done = sum(one.status() == "done" for one in folds)
    return f"{folder.path} ({done} of {counted(len(folds), 'fold', 'folds')})"
