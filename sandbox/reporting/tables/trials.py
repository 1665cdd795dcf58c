"""What tuning spent before a run that stands in a table."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from sandbox.reporting.records.run import Run

_TRIAL = re.compile(r"trial-([0-9]+)")


def trials_of(run: Run) -> str:
    """'12 trials of the study NAME' for a run whose values were searched; empty for any other.

    The number is that of trials that were begun, failed and pruned ones among them; where the study's folder does not
    tell, it is called unknown.
    """
    spent = run.facts.get("trials")
    study = _study(run.path)
    if study is not None:
        begun = {found[1] for path in (study / "runs").glob("trial-*") if (found := _TRIAL.match(path.name))}
        spent = spent if isinstance(spent, int) else len(begun) or None
    name = study.name if study is not None else _from(run.command)
    if not name and not isinstance(spent, int):
        return ""
    count = (
        f"{spent:,} {'trial' if spent == 1 else 'trials'}" if isinstance(spent, int) else "an unknown number of trials"
    )
    return f"{count} of the study {name}" if name else count


def said(rows: Iterable[tuple[str, Run]]) -> str:
    """The sentence on trials, of rows by name; empty where nothing was tuned."""
    found = {name: text for name, run in rows if (text := trials_of(run))}
    return f"Trials spent before: {'; '.join(f'{name} {text}' for name, text in found.items())}." if found else ""


def _study(path: Path) -> Path | None:
    """The study whose winner a run is: STUDY/final/tuned-.../run."""
    folder = path.resolve().parent
    study = folder.parent.parent
    is_winner = folder.parent.name == "final" and folder.name.startswith("tuned-")
    return study if is_winner and (study / "study.json").is_file() else None


def _from(command: str) -> str:
    """The study that run.py's --from names."""
    try:
        words = shlex.split(command)
    except ValueError:
        return ""
    for place, word in enumerate(words):
        if word.startswith("--from="):
            return Path(word.partition("=")[2].partition(":")[0]).name
        if word == "--from" and place + 1 < len(words):
            return Path(words[place + 1].partition(":")[0]).name
    return ""
