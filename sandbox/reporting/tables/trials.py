"""What tuning spent before a run that stands in a table."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.reporting.records.run import Run
from sandbox.reporting.records.spent import spent_before


def trials_of(run: Run) -> str:
    """'12 trials of the study NAME' for a run whose values were searched; empty for any other.

    Where nothing tells how many there were, the number is called unknown.
    """
    name, spent = spent_before(run)
    if not name and spent is None:
        return ""
    count = f"{spent:,} {'trial' if spent == 1 else 'trials'}" if spent is not None else "an unknown number of trials"
    return f"{count} of the study {name}" if name else count


def said(rows: Iterable[tuple[str, Run]]) -> str:
    """The sentence on trials, of rows by name; empty where nothing was tuned."""
    found = {name: text for name, run in rows if (text := trials_of(run))}
    return f"Trials spent before: {'; '.join(f'{name} {text}' for name, text in found.items())}." if found else ""
