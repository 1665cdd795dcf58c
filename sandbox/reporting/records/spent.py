"""What tuning spent before a run: the study that its values are from, and how many trials that had."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from sandbox.reporting.records.run import Run

_TRIAL = re.compile(r"trial-([0-9]+)")


def spent_before(run: Run) -> tuple[str, int | None]:
    """The name of the study, empty where there is none, and its trials, None where nothing tells how many.

    The number is that of trials that were begun, failed and pruned ones among them.
    """
    count = run.facts.get("trials")
    folder = _study(run.path)
    if folder is None:
        name = run.facts.get("study")  # as a ledger keeps it
        return name if isinstance(name, str) else _from(run.command), count if isinstance(count, int) else None
    begun = {found[1] for path in (folder / "runs").glob("trial-*") if (found := _TRIAL.match(path.name))}
    return folder.name, count if isinstance(count, int) else len(begun) or None


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
