"""One process at work in a folder of folds."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sandbox.called import called
from sandbox.errors import Interrupted, SandboxError
from sandbox.pipeline.events import Event
from sandbox.pipeline.folds.plan import fold_recipes
from sandbox.pipeline.folds.standing import State, check_same_data, standing
from sandbox.pipeline.run import resume, run
from sandbox.recipe.specs import Recipe
from sandbox.recipe.text import to_flags
from sandbox.runs.folder import RunFolder
from sandbox.runs.folds import fold_folder
from sandbox.runs.lock import locked


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


@contextmanager
def at_work(folder: RunFolder) -> Iterator[None]:
    """Be the one process at work in the folder while the block runs, at the end of which it is done.

    Whatever ends it before that stands in its status.

    Raises:
        SandboxError: another one is.
    """
    with locked(folder.path):
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
            if status:
                with suppress(SandboxError):  # a full disk: what it hindered first is the error to show
                    folder.update(status=status)
