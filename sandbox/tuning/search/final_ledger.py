"""The runs behind a table of tuning, a line a run, beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.reporting.records import ledger
from sandbox.reporting.records.read import read_run
from sandbox.tuning.plan.plan import Plan
from sandbox.tuning.search.final import fresh_runs
from sandbox.tuning.study.study import Study


def write_ledger(table: Path, searches: Sequence[tuple[Plan, Study]], count: int, header: str) -> list[str]:
    """Write what was trained on fresh seeds into NAME.csv beside the table; which runs are not in it, and why.

    Args:
        table: the file of the table.
        searches: each plan with its study.
        count: seeds.
        header: how the table was made; a comment in front.

    Raises:
        SandboxError: it cannot be written.
    """
    runs, left = [], list[str]()
    for folder in (folder for fresh in fresh_runs(searches, count) for folder in fresh.runs):
        try:
            folder.facts_of_finished()
            runs.append(read_run(folder))
        except SandboxError as error:
            left.append(str(error))
    ledger.write(ledger.beside(table), runs, header=header)
    return left
