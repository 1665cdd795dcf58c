"""Runs that are killed without warning or find the disk full, and are gone on with; each job is for `apart`."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import runpy
import signal
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sandbox.data.datasets.lfw import LfwSpec
from sandbox.errors import SandboxError
from sandbox.pipeline.folds.plan import begun, recipe_of
from sandbox.pipeline.folds.work import at_work, free_folds, put_together
from sandbox.pipeline.run import resume, run
from sandbox.recipe.specs import BackboneSpec, BatchSpec, Recipe

import trees

ROOT = Path(__file__).resolve().parents[1]
KEPT = ("model.safetensors", "objective.safetensors", "embeddings.safetensors", "report.json")


def folders(out: Path) -> list[Path]:
    """The run folders in a folder."""
    return [each for each in out.glob("*") if not each.name.startswith(".")]


def work(recipe: Recipe, out: Path) -> None:
    """Train a recipe in the folder `out`, or go on with the run that lies there."""
    began = folders(out)
    if began:
        events = resume(began[0], pictures=False, save_every=2)
    else:
        events = run(recipe, out=out, command="a test", pictures=False, save_every=2)
    for _ in events:
        pass


def work_killed_in_write(number: int, recipe: Recipe, out: Path) -> None:
    """The same, killed inside its write of that number, counted from 1, before it is on the disk."""
    _from_write(number, _die)
    work(recipe, out)


def _die(descriptor: int) -> None:
    os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
    os.kill(os.getpid(), signal.SIGKILL)


def work_on_a_full_disk(number: int, recipe: Recipe, out: Path) -> str:
    """The same on a disk that is full at its write of that number, and at every one after it; what is said of it."""

    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    _from_write(number, fail)
    try:
        work(recipe, out)
    except SandboxError as error:
        return str(error)
    return ""


def type_run(words: list[str]) -> None:
    """What `python experiments/run.py WORDS` does."""
    os.chdir(ROOT)
    sys.argv = ["experiments/run.py", *words]
    runpy.run_path(sys.argv[0], run_name="__main__")


def _from_write(number: int, act: Callable[[int], None]) -> None:
    """From the write of that number on, do something in place of having a file on the disk."""
    sync, count = os.fsync, 0

    def counting(descriptor: int) -> None:
        nonlocal count
        count += stat.S_ISREG(os.fstat(descriptor).st_mode)  # folders are synchronised too
        (act if count >= number else sync)(descriptor)

    os.fsync = counting


def digests(out: Path) -> dict[str, str]:
    """SHA-256 of what a run keeps, and its status."""
    (folder,) = folders(out)
    there = [folder / name for name in KEPT if (folder / name).exists()]
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in there}
    return {**found, "status": json.loads((folder / "run.json").read_text())["status"]}


def folds_recipe(root: Path) -> Recipe:
    """A network of two steps for each of the four folds of a small tree, which is written where it is not there."""
    if not root.exists():
        trees.READERS["lfw view 2"](root, 0)
    return Recipe(
        data=LfwSpec(name="lfw", view="view2", fold="all", root=str(root), image_size=8),
        backbone=BackboneSpec(name="conv4", embedding_dim=8),
        batch=BatchSpec(size=8),
        max_steps=2,
        threads=1,
    )


def work_folds(recipe: Recipe, out: Path) -> None:
    """Train a recipe's folds in a folder inside `out`, or go on with them."""
    folder = begun(recipe, out=out, command="a test")
    with at_work(folder), closing(free_folds(folder, recipe_of(folder))) as folds:
        for fold in folds:
            for _ in fold.train(pictures=False, save_every=1) if fold.state != "done" else ():
                pass
        put_together(folder, pictures=False)


def work_folds_killed_in_write(number: int, recipe: Recipe, out: Path) -> None:
    """The same, killed inside its write of that number."""
    _from_write(number, _die)
    work_folds(recipe, out)
