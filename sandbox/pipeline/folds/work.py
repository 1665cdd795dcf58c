"""The processes at work in a folder of folds: each takes the next fold that is free, and the last concludes."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace

from sandbox.called import called
from sandbox.errors import Interrupted, SandboxError
from sandbox.pipeline.events import Event
from sandbox.pipeline.folds.plan import fold_recipes
from sandbox.pipeline.folds.standing import State, check_same_data, standing
from sandbox.pipeline.folds.together import conclude
from sandbox.pipeline.run import resume, run
from sandbox.recipe.specs import Recipe
from sandbox.recipe.text import to_flags
from sandbox.runs.folder import RunFolder
from sandbox.runs.folds import fold_folder, fold_folders, fold_lock
from sandbox.runs.lock import Taken, locked

_AGAIN = 0.2
"""Seconds between two looks whether others have put the folds together."""


@dataclass(frozen=True)
class Fold:
    """One of the folds."""

    number: int
    """Counted from 1."""
    run: RunFolder
    recipe: Recipe
    state: State

    def train(self, *, pictures: bool = True, save_every: int = 0) -> Generator[Event, None, None]:
        """Train its network, or go on with it; see `sandbox.pipeline.run`."""
        if self.state == "begun":
            return resume(self.run.path, pictures=pictures, save_every=save_every)
        return run(
            self.recipe,
            out=self.run.path.parent,
            command=" ".join([called("run"), *to_flags(self.recipe)]),
            pictures=pictures,
            save_every=save_every,
            name=self.run.path.name,
        )


def folds_of(folder: RunFolder, recipe: Recipe) -> list[Fold]:
    """Every fold with what there is of it.

    Args:
        folder: of all.
        recipe: with ``data.fold = "all"``.

    Raises:
        SandboxError: a fold is damaged, or of another recipe or, where some are still to be trained, of other images.
    """
    folds = []
    for number, one in enumerate(fold_recipes(recipe), start=1):
        own = fold_folder(folder, number)
        folds.append(Fold(number, own, one, standing(own, one)))
    if any(fold.state != "done" for fold in folds):
        for fold in folds:
            if fold.state == "done":
                check_same_data(fold.run, fold.recipe)
    return folds


def free_folds(folder: RunFolder, recipe: Recipe) -> Generator[Fold, None, None]:
    """Each fold that is done, and each that no other process is at, which is this one's until the next is asked for.

    So several processes with one command share the folds, on one machine or on one file system. What another one lets
    go of unfinished comes at the end.

    Args:
        folder: of all.
        recipe: with ``data.fold = "all"``.

    Raises:
        SandboxError: as `folds_of`, or the folder cannot be written.
    """
    left, mine = folds_of(folder, recipe), ExitStack()
    try:
        while left:
            busy = []
            for fold in left:
                if fold.state == "done":
                    yield fold
                    continue
                claim = ExitStack()
                try:
                    claim.enter_context(locked(folder.path, fold_lock(fold.number)))
                except Taken:
                    busy.append(fold)
                    continue
                mine.close()  # not before: whoever looks between two folds sees that somebody is at work
                mine = claim
                yield replace(fold, state=standing(fold.run, fold.recipe))  # another may have been at it meanwhile
            if len(busy) == len(left):
                return
            left = busy
    finally:
        mine.close()


def put_together(folder: RunFolder, *, pictures: bool = True) -> bool:
    """Conclude what all folds come to, unless others are at some of them, the last of whom will.

    Args:
        folder: of all.
        pictures: whether the page is written.

    Returns:
        Whether it is concluded.

    Raises:
        SandboxError: as `conclude`.
    """
    while True:
        try:
            with locked(folder.path):
                if any(run.status() != "done" for run in fold_folders(folder)):
                    return False
                if folder.status() != "done":
                    conclude(folder, pictures=pictures)
                return True
        except Taken:  # by one that looks whether it is the last, or by the last
            time.sleep(_AGAIN)


@contextmanager
def at_work(folder: RunFolder) -> Iterator[None]:
    """Say in the folder's status that it is worked on while the block runs, and whatever ends that before it is done.

    Other processes may be at work there as well: while they are, what ended this one is not the status.
    """
    folder.update(status="running")
    status = "interrupted"
    try:
        yield
        status = ""
    except SandboxError as error:
        status = f"failed: {error}"
        raise
    except Interrupted as stop:
        status = f"interrupted by {stop.name}"
        raise
    except Exception as error:
        status = f"failed: {type(error).__name__}: {error}"
        raise
    finally:
        if status and not folder.holders():
            with suppress(SandboxError):  # a full disk: what it hindered first is the error to show
                folder.update(status=status)
