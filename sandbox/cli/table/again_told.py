"""What `table.py again` says: where the runs of a table are, what comes next, and what moved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.cli import flags
from sandbox.cli.outputs import from_here
from sandbox.cli.say import say
from sandbox.errors import SandboxError
from sandbox.wording import counted, first_names

if TYPE_CHECKING:
    from sandbox.cli.table.again_asked import Asked
    from sandbox.reporting.again.header import Header
    from sandbox.reporting.again.standing import Standing, Wanted
    from sandbox.reporting.records.run import Run


def say_figures(header: Header, run: bool) -> int:
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


def missing(wanted: Sequence[Wanted], there: Standing, *, anew: bool = False) -> list[Wanted]:
    """The runs that are to be trained; what only the ledger has counts as missing where all is to be made anew."""
    kept = ("there",) if anew else ("there", "ledger")
    return [one for one in wanted if there.where(one) not in kept]


def say_standing(found: Sequence[Asked], there: Standing, folders: Sequence[Path], kept: Path) -> None:
    """How many runs the commands make, where these are, and a line on each command that is not whole."""
    from sandbox.reporting.records.ledger import is_ledger

    wanted = [there.where(one) for each in found for one in each.wanted]
    where = ", ".join(from_here(folder) for folder in folders)
    is_there = "which is no ledger" if kept.is_file() else "which is not there"
    beside = kept.name if is_ledger(kept) else f"{kept.name}, {is_there}"
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
    for state, seeds, line in _by_seed(found, there):
        word = "in the ledger alone" if state == "ledger" else state
        say(f"  {word}: seed{'s' if len(seeds) > 1 else ''} {first_names(seeds, 10)} of {line}")


def _by_seed(found: Sequence[Asked], there: Standing) -> list[tuple[str, list[str], str]]:
    """Runs that are not in run folders, those together that differ in the seed alone: where, seeds, command."""
    from sandbox.reporting.again.lines import spelt

    rows: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for one in (one for each in found for one in each.wanted):
        if (state := there.where(one)) != "there":
            plain = spelt(one.line.program, flags.without(one.line.words, ("--seed",)))
            rows.setdefault((state, plain), []).append((one.seed, one.line.text))
    return [
        (state, [str(seed) for seed, _ in of], of[0][1] if len({text for _, text in of}) == 1 else plain)
        for (state, plain), of in rows.items()
    ]


def again_line(path: Path, in_: Sequence[str], values: Sequence[str]) -> str:
    """The command that makes a table again, with the folders and the values that were given."""
    from sandbox.reporting.again.lines import spelt

    words = [*(["--in", *in_] if in_ else []), *(["--set", *values] if values else [])]
    return spelt("table", ["again", str(path), "--run", *words])


def say_next(line: str, found: Sequence[Asked], wanted: Sequence[Wanted], there: Standing) -> None:
    """The command that makes the table again, and what it has to do; nothing where a command needs something first.

    Args:
        line: that command; empty where the table itself is not here.
        found: the commands of the table.
        wanted: their runs.
        there: what there is of them.
    """
    left = missing(wanted, there)
    if not line or any(each.why for each in found):
        return
    deed = f"trains {counted(len(left), 'run', 'runs')}" if left else "nothing is missing: trains nothing"
    say(f"  next: {line}      {deed}, builds it and compares")
    if kept := len(missing(wanted, there, anew=True)) - len(left):
        say(
            f"        with --anew beside it trains {counted(kept, 'run', 'runs')} of the ledger as well; without it "
            "their figures are those that the table was written from"
        )


def say_source(before: Standing, runs: Sequence[Run], kept: Path) -> None:
    """What a table is built of, where not all was trained anew: then figures are compared with their own source.

    Args:
        before: what there was before anything was trained.
        runs: all that it is built of.
        kept: the ledger.
    """
    old = {run.path for run in before.folders.values()}
    of_ledger, of_folders = (sum(run.path in places for run in runs) for places in ({kept}, old))
    trained = len(runs) - of_ledger - of_folders
    if trained == len(runs):
        return
    head = f"{trained:,} of {counted(len(runs), 'run was', 'runs were')}" if trained else "nothing was"
    taken = [f"{of_folders:,} from run folders"] if of_folders else []
    taken += [f"{of_ledger:,} from {kept.name}"] if of_ledger else []
    anew = "; --anew beside --run trains what is from the ledger" if of_ledger else ""
    say(
        f"  {head} trained anew; taken as they are: {' and '.join(taken)}, which the table itself may have been "
        f"written from{anew}"
    )


def say_moved(path: Path, text: str) -> int:
    """What moved between a file and the same made again; how many cells."""
    from sandbox.reporting.again.grids import grids
    from sandbox.reporting.again.moved import compare

    suffix = path.suffix
    outcome = compare(grids(path.read_text(encoding="utf-8-sig"), suffix), grids(text, suffix))
    if outcome.unmatched:
        say(f"  not compared, as one of the two alone has them: {first_names(outcome.unmatched, 10)}")
    if not outcome.same + outcome.within + len(outcome.moved):
        raise SandboxError(f"no cell of {path} can be found again in what its command writes now")
    for one in outcome.moved:
        say(f"  moved: {one}")
    say(
        f"  made again: {counted(outcome.same, 'cell', 'cells')} the same, {outcome.within:,} within the intervals, "
        f"{len(outcome.moved):,} moved"
    )
    return len(outcome.moved)
