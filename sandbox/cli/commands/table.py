"""Finished runs to a table: python experiments/table.py results/runs --out results/tables/NAME.md."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sandbox.called import called, results
from sandbox.cli import flags
from sandbox.cli.help import width
from sandbox.cli.say import say
from sandbox.cli.table.commands import LOOKS, Chosen, chosen_runs, run_look
from sandbox.files import write_whole
from sandbox.wording import counted, printable

WHAT = (
    "Put finished runs into a table: objectives down, the seeds of one recipe as one cell (mean, 95 % t-interval), and "
    "settings that differ as columns. What follows 'table.py' may also be "
    f"{', '.join(LOOKS[:-1])} or {LOOKS[-1]}: 'table.py {LOOKS[0]} --help' says more."
)


@dataclass(frozen=True, kw_only=True)
class Command(Chosen):
    """What table.py takes."""

    rows: tuple[str, ...] = ("loss",)
    """Settings that head the rows, such as loss or backbone.name; others that differ become columns by themselves."""
    columns: tuple[str, ...] = ()
    """Settings whose values stand across, such as data.name: a block of figures for each value."""
    metrics: tuple[str, ...] = ()
    """Figures to show, such as MAP@R or tar@far=1e-3; validation/map@r is that of validation."""
    sort: str = ""
    """Figure to sort by, best first; the first where not given."""
    percent: bool = False
    """Write shares (MAP@R, AUC, EER and kin) times 100."""
    baselines: bool = True
    """Rows of raw pixels and of the untrained network at the foot; where neither is given, if all runs have them."""
    baseline: str = ""
    """An objective of the table, such as contrastive: the difference of each row to it is a column."""
    cost: tuple[Literal["parameters", "multiply_adds", "images_per_second", "memory", "hours"], ...] = ()
    """Costs to show beside the figures."""
    mixed: bool = False
    """Let figures of several splits or rules stand in one column, which is refused otherwise."""
    format: Literal["auto", "terminal", "markdown", "latex", "csv", "html"] = "auto"
    """How to write it; auto: by the ending of --out (.md, .tex, .csv, .html), else for the terminal."""
    out: str = ""
    """File to write; printed where not given. Its header holds this command, the date, and what made the runs."""
    caption: str = ""
    """A title of your own; what a reader must know follows it."""
    label: str = ""
    """LaTeX: the label, such as tab:results; by the name of --out where not given."""
    siunitx: bool = False
    """LaTeX: columns of siunitx, which line numbers up."""
    standalone: bool = False
    """LaTeX: a file that compiles as it is."""


def main(argv: Sequence[str]) -> None:
    """Read the flags, build the table, print or write it."""
    if argv and argv[0] in LOOKS:
        return run_look(argv[0], list(argv[1:]), results())
    command = flags.parse(Command, argv, prog=called("table"), description=WHAT)
    flags.quiet_libraries()
    from sandbox.reporting.records import ledger
    from sandbox.reporting.tables.build import build_table
    from sandbox.reporting.tables.layout import Layout
    from sandbox.reporting.tables.written.render import Manner, check_manner, render, style_of

    style = style_of(command.format, command.out)
    label = command.label or (f"tab:{Path(command.out).stem}" if command.out else "")
    manner = Manner(siunitx=command.siunitx, standalone=command.standalone, label=label)
    check_manner(manner, style, label_given=bool(command.label))
    layout = Layout(
        rows=command.rows,
        columns=command.columns,
        metrics=command.metrics,
        sort=command.sort,
        percent=command.percent,
        baselines=command.baselines if {"baselines", "no_baselines"} & flags.given(argv) else None,
        baseline=command.baseline,
        cost=command.cost,
        mixed=command.mixed,
        caption=command.caption,
    )
    if command.out:
        ledger.check_place(Path(command.out))
    runs = chosen_runs(command, results())
    table = build_table(runs, layout)
    if not command.out:
        say(render(table, style, manner=replace(manner, fit=width())), end="")
        return
    commands = "\n".join(dict.fromkeys(printable(run.command) for run in runs))
    made = f"{printable(flags.program())}\n{datetime.date.today()}, {platform.machine()}; runs made by\n{commands}"
    path = Path(command.out)
    write_whole(path, render(table, style, header=made, manner=manner), make_folder=True)
    ledger.write(ledger.beside(path), runs, header=made)
    say(f"{counted(len(table.rows), 'row', 'rows')} to {path}, and the runs to {ledger.beside(path).name}")
