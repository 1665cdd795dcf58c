"""A run of a trial: from its beginning, from where it was cut off, or found over."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from sandbox.called import called
from sandbox.errors import SandboxError
from sandbox.pipeline.events import Done, Event
from sandbox.pipeline.run import resume, run
from sandbox.recipe.specs import Recipe
from sandbox.recipe.text import to_flags
from sandbox.runs.folder import RunFolder
from sandbox.runs.lock import holder
from sandbox.training.loop import Diverged

_SLOW = 10.0
"""Seconds that a process takes at most to go, as it gives its memory back."""
_OF_THE_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ESTALE, errno.EACCES)
"""Of a disk, rather than of a trial."""


class Failed(Exception):
    """A run could not be trained, or not be judged."""


def run_events(
    runs: Path, name: str, recipe: Recipe, *, test: bool = False, tags: Sequence[str] = (), trials: int = 0
) -> Iterator[Event]:
    """A run from its beginning, or from where it was cut off; of one that is over, its last event alone.

    Args:
        runs: folder that its folder lies in.
        name: of its folder.
        recipe: of the run.
        test: score test as well; a search leaves it alone.
        tags: what it is called by, where it begins.
        trials: spent on finding its values, where it begins.

    Raises:
        Failed: it cannot run.
        Diverged: its loss is no number any more.
        SandboxError: the machine fails it.
    """
    try:
        folder = _earlier(runs, name, recipe)
        if folder is not None and folder.status() == "done":
            yield Done(folder, folder.read_json("report.json"))
        elif folder is not None and _is_free(folder):
            yield from resume(folder.path, pictures=False)
        else:
            line, called = run_line(recipe), {"name": name, "tags": tags, "trials": trials}
            yield from run(recipe, out=runs, command=line, test=test, pictures=False, **called)  # type: ignore[arg-type]
    except Diverged:
        raise
    except SandboxError as error:
        if isinstance(error.__context__, OSError) and error.__context__.errno in _OF_THE_MACHINE:
            raise
        raise Failed(str(error)) from error
    except (MemoryError, RuntimeError, ValueError, ArithmeticError, LookupError, TypeError) as error:
        raise Failed(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}") from error


def check_images(folder: RunFolder) -> None:
    """Refuse to compare a trial with earlier ones that saw other images, as files or the way of splitting have changed.

    Args:
        folder: of a run that has begun, beside the other runs of its study.

    Raises:
        SandboxError: another run of the same data settings had another split.
    """
    data, seen = folder.recipe().data, folder.read_json("run.json").get("split")
    for path in sorted(folder.path.parent.glob("*/run.json")):
        other = RunFolder(path.parent)
        with suppress(SandboxError):  # a damaged one says nothing
            facts = other.read_json("run.json")
            there = facts.get("split") if isinstance(facts, dict) and other.path != folder.path else None
            if there is None or other.recipe().data != data:
                continue
            if there == seen:
                return
            break
    else:
        return
    raise SandboxError(
        f"the data has changed since the trials in {folder.path.parent} began: their split was {there} and is {seen} "
        "now, so they cannot be compared; give the study another name (--study)"
    )


def _is_free(folder: RunFolder) -> bool:
    """Whether nobody is at work in a run's folder; a process that is killed is given time to go.

    One that stays is of another machine, and learns of its loss at its next validation: the run begins anew in a folder
    of its own.
    """
    until = time.monotonic() + _SLOW
    while holder(folder.path):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def _earlier(runs: Path, name: str, recipe: Recipe) -> RunFolder | None:
    """The folder of a run that was begun; one of that name may be of a study that was taken away."""
    for path in [runs / name, *sorted(runs.glob(f"{name}-[2-9]"))]:
        if not (path / "run.json").is_file():
            continue
        folder = RunFolder(path)
        facts = folder.read_json("run.json")
        if isinstance(facts, dict) and facts.get("command") == run_line(recipe):  # its digest is of another spelling
            return folder
    return None


def run_line(recipe: Recipe) -> str:
    """The run.py command that trains a recipe."""
    return " ".join([called("run"), *to_flags(recipe)])
