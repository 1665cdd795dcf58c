"""`table.py again TABLES...`: what a table was made of, what of that is missing, what moved when it is made anew."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from sandbox.cli.outputs import from_here
from sandbox.cli.say import say
from sandbox.errors import SandboxError
from sandbox.wording import counted, first_names

if TYPE_CHECKING:
    from sandbox.cli.again_asked import Asked
    from sandbox.reporting.again.header import Header
    from sandbox.reporting.again.moved import Outcome
    from sandbox.reporting.again.standing import Standing, Wanted
    from sandbox.reporting.records.run import Run

MOVED = 1
"""Exit code where a cell moved."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """Make tables again: say which runs of the commands in their heads are missing, and with --run train and compare.

    Exit code 0: nothing moved, or nothing was run; 1: a cell moved beyond its interval; 2: a mistake. The table itself
    stays as it is.
    """

    tables: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """Files that table.py --out or tune.py --table wrote (.md, .tex, .html, .csv)."""
    in_: Annotated[tuple[str, ...], tyro.conf.arg(name="in")] = ()
    """Folders that hold runs (results/runs where none is given); what is missing is trained into the first."""
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
        return _figures(header, command.run)
    if header.kind == "study":
        return _study(header, command.run, results.parent / "experiments")
    return _table(header, command, values, results)


def _figures(header: Header, run: bool) -> int:
    """A file of figures that a person put down: its commands, and what each needs."""
    from sandbox.reporting.again.lines import lacks, stands_for

    say(f"  figures put down by hand from what {counted(len(header.made), 'command prints', 'commands print')}:")
    for line in header.made:
        needed = [*stands_for(line), *lacks(line)]
        say(f"  {line}" + (f"   (needs {', '.join(needed)})" if needed else ""))
    if run:
        raise SandboxError(
            f"{header.path} holds figures that were put down by hand, so --run cannot build it; start its commands by "
            "hand and compare"
        )
    return 0


def _study(header: Header, run: bool, experiments: Path) -> int:
    """A table that tune.py wrote."""
    from sandbox.cli.again_study import rebuilt, told

    assert header.built is not None
    say(f"  made by {header.built}")
    for sentence in told(header.built, experiments):
        say(f"  {sentence}")
    if not run:
        say(f"  next: python experiments/table.py again {header.path} --run      goes on with them, and compares")
        return 0
    return _compared(header.path, rebuilt(header.built, experiments))


def _table(header: Header, command: Command, values: Sequence[dict[str, str]], results: Path) -> int:
    """A table of runs, or the ledger beside one."""
    from sandbox.cli.again_asked import asked
    from sandbox.cli.again_started import build, train
    from sandbox.reporting.again.lines import filled
    from sandbox.reporting.records import ledger

    assert header.built is not None
    experiments, folders = results.parent / "experiments", [Path(f) for f in command.in_] or [results / "runs"]
    is_ledger = header.kind == "ledger"
    kept = header.path if is_ledger else ledger.beside(header.path)
    lines = list(dict.fromkeys(filled(line, row) for line in header.made for row in values))
    found = [asked(line, experiments) for line in lines]
    wanted = [one for each in found for one in each.wanted]
    there = _standing(folders, kept)
    say(f"  made by {header.built}")
    _say_standing(found, there, folders, kept)
    if not command.run:
        _say_next(header.path, found, wanted, there)
        return 0
    if is_ledger:
        raise SandboxError(f"{header.path} holds the runs of a table; give --run the table beside it")
    stuck = [each for each in found if each.why and _missing(each.wanted, there, command.anew)]
    stuck += [each for each in found if each.why and not each.wanted and not there.ledger]
    if stuck:
        raise SandboxError(f"{stuck[0].line} {stuck[0].why}, so that {header.path} cannot be made again here")
    if train(wanted, there, folders[0], experiments, anew=command.anew):
        there = _standing(folders, kept)
        if left := _missing(wanted, there, command.anew):
            names = ", ".join(f"seed {one.seed} of {one.line}" for one in left[:1])
            raise SandboxError(f"{counted(len(left), 'run is', 'runs are')} still missing after training: {names}")
    runs = there.runs(wanted)
    if not runs:
        raise SandboxError(f"{header.path} names no run.py command and has no ledger, so there is nothing to build")
    with tempfile.TemporaryDirectory() as place:
        return _compared(header.path, build(header.built, runs, Path(place), header.path.suffix, experiments))


def _standing(folders: Sequence[Path], kept: Path) -> Standing:
    """What there is in run folders and in the ledger; what cannot be read is said."""
    from sandbox.reporting.again.standing import standing
    from sandbox.reporting.records import ledger
    from sandbox.reporting.records.read import read_runs
    from sandbox.runs.folder import run_folders

    runs: list[Run] = []
    begun = {}
    for folder in filter(Path.is_dir, folders):
        states = [(one, one.status()) for one in run_folders(folder)]
        if any(state == "done" for _, state in states):
            found, notes = read_runs([folder])
            runs += found
            for note in notes:
                say(f"note: {note}", file=sys.stderr)
        for one, state in states:
            if state.startswith(("interrupted", "running")):
                facts = one.read_json("run.json")
                begun[str(facts.get("digest")), facts.get("seed")] = from_here(one.path)
    return standing(runs, ledger.read(kept) if ledger.is_ledger(kept) else [], begun)


def _missing(wanted: Sequence[Wanted], there: Standing, anew: bool) -> list[Wanted]:
    kept = ("there",) if anew else ("there", "ledger")
    return [one for one in wanted if there.where(one) not in kept]


def _say_standing(found: Sequence[Asked], there: Standing, folders: Sequence[Path], kept: Path) -> None:
    """How many runs the commands make, where these are, and a line on each command that is not whole."""
    wanted = [there.where(one) for each in found for one in each.wanted]
    where = ", ".join(from_here(folder) for folder in folders)
    beside = kept.name if kept.is_file() else f"{kept.name}, which is not there"
    untold = sum(bool(each.why) and not each.wanted for each in found)
    told = f"; what {untold:,} more would make cannot be told" if untold else ""
    say(
        f"  {counted(len(found) - untold, 'command makes', 'commands make')} "
        f"{counted(len(wanted), 'run', 'runs')}{told}: "
        f"{wanted.count('there'):,} in {where}, {wanted.count('ledger'):,} in the ledger alone ({beside}), "
        f"{wanted.count('begun'):,} begun, {wanted.count('absent'):,} absent"
    )
    if there.strangers:
        count = counted(len(there.strangers), "run has", "runs have")
        say(f"  not counted: {count} a recipe of the ledger's, but another split: {there.strangers[0].path}")
    for each in found:
        if each.why:
            say(f"  {each.line} {each.why}")
        seeds: dict[tuple[str, str], list[str]] = {}
        for one in each.wanted:
            seeds.setdefault((there.where(one), one.line.text), []).append(str(one.seed))
        for (state, line), of in seeds.items():
            if state != "there":
                word = "in the ledger alone" if state == "ledger" else state
                say(f"  {word}: seed{'s' if len(of) > 1 else ''} {first_names(of, 10)} of {line}")


def _say_next(path: Path, found: Sequence[Asked], wanted: Sequence[Wanted], there: Standing) -> None:
    missing = _missing(wanted, there, anew=False)
    if any(each.why for each in found):
        return
    deed = f"trains {counted(len(missing), 'run', 'runs')}, builds it" if missing else "nothing is missing: builds it"
    say(f"  next: python experiments/table.py again {path} --run      {deed} and compares")


def _compared(path: Path, text: str) -> int:
    """What moved between a file and the same made again; how many cells."""
    from sandbox.reporting.again.grids import grids
    from sandbox.reporting.again.moved import compare

    suffix = path.suffix
    outcome: Outcome = compare(grids(path.read_text(encoding="utf-8"), suffix), grids(text, suffix))
    for one in outcome.moved:
        say(f"  moved: {one}")
    say(
        f"  made again: {counted(outcome.same, 'cell', 'cells')} the same, {outcome.within:,} within the intervals, "
        f"{len(outcome.moved):,} moved"
    )
    return len(outcome.moved)
