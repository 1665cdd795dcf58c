"""What `table.py compare`, `page`, `figure` and `again` take and do, and how runs are chosen for all of them."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from sandbox.called import called
from sandbox.cli import flags
from sandbox.cli.say import say

if TYPE_CHECKING:
    from sandbox.reporting.records.run import Run

LOOKS = ("compare", "page", "figure", "again")
"""Each is a file `WORD.py` beside this one, with a dataclass `Command` and a function `act(command, results)`."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Which runs a command looks at."""

    runs: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="[RUNS ...]")] = ()
    """Run folders, or folders that hold them (results/runs where none is given)."""
    where: str = ""
    """Only runs of which this is true, such as "data.name = glyphs and seed < 5"."""
    tag: tuple[str, ...] = ()
    """Only runs that were given one of these with --tag."""


def run_look(what: str, argv: list[str], results: Path) -> None:
    """Do what `table.py WHAT ...` asks for.

    Args:
        what: one of `LOOKS`.
        argv: the words after it.
        results: the folder that holds runs, studies and tables.
    """
    module: Any = import_module(f"sandbox.cli.table.{what}")
    prog = f"{called('table')} {what}"
    command = flags.parse(module.Command, argv, prog=prog, description=inspect.cleandoc(module.Command.__doc__ or ""))
    flags.quiet_libraries()
    module.act(command, results)


def chosen_runs(chosen: Chosen, results: Path) -> list[Run]:
    """The finished runs that are wanted; what is left out is said on stderr.

    Raises:
        SandboxError: a place does not exist, or no finished run is wanted.
    """
    from sandbox.cli.outputs import from_here
    from sandbox.reporting.records.chosen import Choice
    from sandbox.reporting.records.read import read_runs
    from sandbox.runs.folder import interrupted_runs

    places = [Path(place) for place in chosen.runs] or [results / "runs"]
    runs, notes = read_runs(places, Choice(chosen.where, chosen.tag))
    again = [f"{called('run')} --resume {from_here(f.path)}" for p in places for f in interrupted_runs(p)]
    for note in (*notes, *(f"not looked at, as it was interrupted; to go on: {line}" for line in again)):
        say(f"note: {note}", file=sys.stderr)
    return runs
