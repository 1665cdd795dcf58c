"""What evaluate.py prints of several runs as one."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from sandbox.cli.say import say
from sandbox.cli.tables import print_figures, print_rows

if TYPE_CHECKING:
    from sandbox.evaluation.figures import Figures
    from sandbox.scoring.ensemble import ScoredEnsemble

_FIRST = (
    ("retrieval/map@r",),
    ("retrieval/recall@1", "retrieval/precision@1"),
    ("verification/auc",),
    ("verification/accuracy@*-fold", "verification/accuracy@validation", "verification/balanced_accuracy@validation"),
)
"""The figures of the first table: of each row the first that there is. None whose threshold was chosen on what is
scored."""


def print_ensemble(found: ScoredEnsemble) -> None:
    """A row a run, their mean and what they are as one, in four figures at most; then all figures side by side."""
    from sandbox.evaluation.figures import printed_name, spell, spell_interval

    rows = found.rows()
    keys = _shown(found.concatenated.figures)
    heads = [text for key in keys for text in (printed_name(key), "95 % interval")]
    cells = [
        [name, *(text for key in keys for text in (spell(figures.get(key)), spell_interval(figures.get(key))))]
        for name, figures in rows.items()
    ]
    print_rows(("", *heads), cells, right=range(1, len(heads) + 1))
    say(
        f"mean of {len(found.members)}: of the figures of the runs, its interval over runs; concatenated: of their "
        "embeddings side by side, whose cosine is the mean of theirs"
        + ("; averaged: of their mean, for runs that start from the same weights" if found.averaged else "")
    )
    say("")
    say("all figures of the concatenated embeddings:")
    print_figures(found.concatenated.figures)


def _shown(figures: Figures) -> list[str]:
    shown: list[str] = []
    for patterns in _FIRST:
        shown += [key for pattern in patterns for key in fnmatch.filter(figures, pattern)][:1]
    return shown
