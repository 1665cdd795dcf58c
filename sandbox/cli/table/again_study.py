"""Tables that tune.py made: which of their studies are here, and how far they are."""

from __future__ import annotations

import tempfile
from pathlib import Path

from sandbox.called import RECIPES, called
from sandbox.cli import flags
from sandbox.cli.outputs import from_here
from sandbox.cli.table.again_started import start
from sandbox.reporting.again.lines import Line
from sandbox.wording import counted


def told(line: Line) -> list[str]:
    """A sentence on each study of a tune.py command: absent, or its trials and retrained runs."""
    from sandbox.cli.commands import tune
    from sandbox.tuning.study.read import read_study

    named = flags.value(line.words, "--recipe")
    base = tune.load(named, RECIPES, tune.data_kinds()) if named else tune.Recipe()
    command = flags.parse(
        tune.Command, line.words, prog=called("tune"), description="", default=tune.Command(settings=base)
    )
    if command.protocol:
        command = tune.under_protocol(command, flags.given(line.words))
    found = []
    for folder in tune.folders_of(command, tune.planned(command)):
        if not folder.is_dir():
            found.append(f"the study {from_here(folder)} is absent")
            continue
        study = read_study(folder, command.storage)
        over = sum(trial.counts for trial in study.trials)
        runs = len([*folder.glob("final/*/run/report.json"), *folder.glob("final/*/combined.json")])
        found.append(
            f"the study {from_here(folder)} has {over:,} of {counted(command.trials, 'trial', 'trials')} and "
            f"{runs:,} of {2 * command.final:,} runs on fresh seeds"
        )
    return found


def rebuilt(line: Line) -> str:
    """The text of the table that its command writes, going on with the studies that are here."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "again.md"
        start("tune", [*flags.without(line.words, ("--table",)), "--table", str(made)])
        return made.read_text(encoding="utf-8")
