"""`table.py again TABLES...`: what a table was made of, what of that is missing, what moved when it is made anew."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from sandbox.cli.outputs import from_here
from sandbox.cli.say import say
from sandbox.cli.standing import standing_in
from sandbox.cli.table.again_told import (
    again_line,
    missing,
    say_figures,
    say_moved,
    say_next,
    say_source,
    say_standing,
)
from sandbox.errors import SandboxError
from sandbox.wording import counted, first_names

if TYPE_CHECKING:
    from sandbox.cli.table.again_asked import Asked
    from sandbox.reporting.again.header import Header

MOVED = 1
"""Exit code where a cell moved."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """Make tables again: say which runs of the commands in their heads are missing, and with --run train and compare.

    Exit code 0: nothing moved, or nothing was run; 1: a cell moved beyond its interval; 2: a mistake. The table itself
    stays as it is.
    """

    tables: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="TABLE [TABLE ...]")] = ()
    """Files that table.py --out or tune.py --table wrote (.md, .tex, .html, .csv)."""
    in_: Annotated[tuple[str, ...], tyro.conf.arg(name="in")] = ()
    """Folders that hold runs; what is missing is trained into the first. Where none is given, those that the table's
    head names and that are here, else results/runs."""
    run: bool = False
    """Train what is missing, going on where it stopped, and compare."""
    anew: bool = False
    """With --run: train also what only the ledger (NAME.csv beside the table) has."""
    set: tuple[str, ...] = ()
    """What capitals in the commands stand for, such as PATH=/data/lfw S=0,1,2; a comma makes several commands."""


def act(command: Command, results: Path) -> None:
    """Do it for each table in turn.

    Raises:
        SandboxError: no table is given, or one cannot be read; the others are done first.
    """
    from sandbox.reporting.again.lines import read_values

    if not command.tables:
        raise SandboxError(
            f"name the tables that are to be made again, such as {from_here(results / 'tables')}/NAME.md"
        )
    values = read_values(command.set)
    wrong: list[str] = []
    moved = 0
    for place, name in enumerate(command.tables):
        if place:
            say()
        try:
            moved += _again(Path(name), command, values, results)
        except SandboxError as error:
            if len(command.tables) == 1:
                raise
            say(f"error: {error}", file=sys.stderr)
            wrong.append(name)
    if wrong:
        count = counted(len(command.tables), "table", "tables")
        raise SandboxError(f"{len(wrong):,} of {count} cannot be made again: {first_names(wrong)}")
    if moved:
        sys.exit(MOVED)


def _again(path: Path, command: Command, values: Sequence[dict[str, str]], results: Path) -> int:
    """One table; how many of its cells moved."""
    from sandbox.reporting.again.header import read_header

    header = read_header(path)
    say(str(path))
    for line in header.said:
        say(f"  {line}")
    if header.unknown:
        count = counted(len(header.unknown), "line is", "lines are")
        say(f"  not understood, and never started: {count} no command of ours: {first_names(header.unknown)}")
    if header.kind == "figures":
        return say_figures(header, command.run)
    assert header.built is not None
    say(f"  made by {header.built}")
    table = _table_itself(header, command) if header.kind == "ledger" else path
    next_line = again_line(table, command.in_, command.set) if table else ""
    if header.built.program == "tune":
        return _study(header, command.run, next_line)
    return _table(header, command, values, results, next_line)


def _table_itself(header: Header, command: Command) -> Path | None:
    """The table that a ledger stands beside; None where it is not here.

    Raises:
        SandboxError: the ledger is to be built, which only the table can be; its name is said.
    """
    from sandbox.cli.table.again_places import table_of

    table = table_of(header)
    if command.run:
        way = f": {again_line(table, command.in_, command.set)}" if table else ", which is not here"
        raise SandboxError(f"{header.path} holds the runs of a table; give --run the table beside it{way}")
    return table


def _study(header: Header, run: bool, next_line: str) -> int:
    """A table that tune.py wrote, or the ledger beside one."""
    from sandbox.cli.table.again_study import rebuilt, told

    assert header.built is not None
    for sentence in told(header.built):
        say(f"  {sentence}")
    if run:
        return say_moved(header.path, rebuilt(header.built))
    if next_line:
        say(f"  next: {next_line}      trains what is missing of them, and compares")
    return 0


def _table(header: Header, command: Command, values: Sequence[dict[str, str]], results: Path, next_line: str) -> int:
    """A table of runs, or the ledger beside one."""
    from sandbox.cli.table.again_asked import asked
    from sandbox.cli.table.again_places import folders_of, trained_into
    from sandbox.cli.table.again_started import build, train
    from sandbox.reporting.again.lines import filled
    from sandbox.reporting.records import ledger

    assert header.built is not None
    folders, gone = folders_of(header, command.in_, results)
    kept = header.path if header.kind == "ledger" else ledger.beside(header.path)
    lines = list(dict.fromkeys(filled(line, row) for line in header.made for row in values))
    found = _once([asked(line) for line in lines])
    wanted = [one for each in found for one in each.wanted]
    there = standing_in(folders, kept)
    for place in gone:
        say(f"  {place}, which the table was made of, is not here (--in may say where its runs are)")
    say_standing(found, there, folders, kept)
    if not command.run:
        say_next(next_line, found, wanted, there)
        return 0
    stuck = [each for each in found if each.why and missing(each.wanted, there, anew=command.anew)]
    stuck += [each for each in found if each.why and not each.wanted and not there.ledger]
    if stuck:
        raise SandboxError(f"{stuck[0].line} {stuck[0].why}, so that {header.path} cannot be made again here")
    out = trained_into(folders)
    before = there
    if train(wanted, there, out, anew=command.anew):
        there = standing_in([*folders, out], kept)
        if left := missing(wanted, there, anew=command.anew):
            names = ", ".join(f"seed {one.seed} of {one.line}" for one in left[:1])
            raise SandboxError(f"{counted(len(left), 'run is', 'runs are')} still missing after training: {names}")
    runs = there.runs(wanted)
    if not runs:
        raise SandboxError(f"{header.path} names no run.py command and has no ledger, so there is nothing to build")
    say_source(before, runs, kept)
    with tempfile.TemporaryDirectory() as place:
        return say_moved(header.path, build(header.built, runs, Path(place), header.path.suffix))


def _once(found: Sequence[Asked]) -> list[Asked]:
    """The same with each run at the first command that makes it: a table that was made again names some twice."""
    seen: set[tuple[tuple[str, ...], int]] = set()
    kept = []
    for each in found:
        new = [one for one in each.wanted if (one.digests, one.seed) not in seen]
        seen.update((one.digests, one.seed) for one in new)
        kept.append(replace(each, wanted=tuple(new)))
    return kept
