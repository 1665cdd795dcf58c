"""Finished runs to a table: python experiments/table.py results/runs --format markdown --out results/tables/NAME.md."""

from __future__ import annotations

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while modules load ends without their traces

import datetime
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from sandbox.cli import flags
from sandbox.cli.outputs import from_here
from sandbox.cli.say import say
from sandbox.cli.table_commands import LOOKS, run_look
from sandbox.errors import exit_on_error
from sandbox.files import write_whole

RESULTS = Path(__file__).resolve().parent.parent / "results"
WHAT = (
    "Put finished runs into a table: the seeds of one recipe are one row (mean, 95 % t-interval, n), and the settings "
    "that differ between recipes are columns."
)


@dataclass(frozen=True, kw_only=True)
class Command:
    """What table.py takes."""

    runs: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """Folders that hold runs (results/runs where none is given)."""
    metrics: tuple[str, ...] = ()
    """Figures to show, such as test/retrieval/map@r."""
    sort: str = ""
    """Figure to sort by; the first where not given."""
    format: Literal["terminal", "markdown", "latex", "csv"] = "terminal"
    """How to write it."""
    out: str = ""
    """File to write; printed where not given. Its header holds this command, the date, and what made the runs."""


def main() -> None:
    """Read the flags, build the table, print or write it."""
    if len(sys.argv) > 1 and sys.argv[1] in LOOKS:
        return run_look(sys.argv[1], sys.argv[2:], RESULTS)
    command = flags.parse(Command, sys.argv[1:], prog="python experiments/table.py", description=WHAT)
    flags.quiet_libraries()
    from sandbox.reporting.records import ledger
    from sandbox.reporting.records.read import read_runs
    from sandbox.reporting.tables import SHOWN, build_table, render
    from sandbox.runs.folder import interrupted_runs
    from sandbox.wording import counted

    places = [Path(place) for place in command.runs] or [RESULTS / "runs"]
    runs, notes = read_runs(places)
    again = [f"python experiments/run.py --resume {from_here(f.path)}" for p in places for f in interrupted_runs(p)]
    for note in (*notes, *(f"not in the table, as it was interrupted; to go on: {line}" for line in again)):
        say(f"note: {note}", file=sys.stderr)
    table = build_table(runs, command.metrics or SHOWN, sort=command.sort)  # type: ignore[arg-type]
    if not command.out:
        say(render(table, command.format), end="")
        return
    commands = "\n".join(dict.fromkeys(run.command for run in runs))
    made = f"{flags.program()}\n{datetime.date.today()}, {platform.machine()}; runs made by\n{commands}"
    path = Path(command.out)
    write_whole(path, render(table, command.format, header=made), make_folder=True)
    ledger.write(ledger.beside(path), runs, header=made)
    say(f"{counted(len(table.frame), 'row', 'rows')} to {path}, and the runs to {ledger.beside(path).name}")


if __name__ == "__main__":
    exit_on_error(main)
