"""Which runs there are in folders, finished or begun, for a command that makes those that are missing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.cli.outputs import from_here
from sandbox.cli.say import say
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from sandbox.reporting.again.standing import Standing
    from sandbox.reporting.records.run import Run


def standing_in(folders: Sequence[Path], kept: Path | None = None) -> Standing:
    """What there is in run folders and in a ledger; what cannot be read is said.

    Args:
        folders: that hold runs; one that is not there holds none.
        kept: the ledger of a table, where there is one.
    """
    from sandbox.reporting.again.standing import standing
    from sandbox.reporting.records import ledger
    from sandbox.reporting.records.read import read_runs
    from sandbox.runs.folder import run_folders

    runs: list[Run] = []
    begun = {}
    for folder in filter(Path.is_dir, folders):
        states = [(one, one.status()) for one in run_folders(folder)]
        if any(state == "done" for _, state in states):
            try:
                found, notes = read_runs([folder])
            except SandboxError as error:  # none that can be read
                found, notes = [], [str(error)]
            runs += found
            for note in notes:
                say(f"note: {note}", file=sys.stderr)
        for one, state in states:
            if state.startswith(("interrupted", "running")):
                facts = one.read_json("run.json")
                if facts.get("purpose"):  # for a picture, and no result
                    continue
                begun[str(facts.get("digest")), facts.get("seed")] = from_here(one.path)
    return standing(runs, ledger.read(kept) if kept and ledger.is_ledger(kept) else [], begun)
