"""Figures by group: verification among the rows of each value of a column, all at one threshold.

One threshold, since a system in use has one: a threshold of its own for each group would hide that one group is
rejected, or taken for one another, more often than the others (as NIST's FRVT Part 3, NISTIR 8280, reports it).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.figures import Figures
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.similarity import Similarity
from sandbox.evaluation.verification.errors import error_figures
from sandbox.evaluation.verification.metrics import verify_all_pairs, verify_pairs
from sandbox.wording import counted, first_names, printable

MOST = 50
"""Values of a column that figures are given by."""


@dataclass(frozen=True)
class Groups:
    """A column of a set."""

    name: str
    values: np.ndarray = field(repr=False)
    """(N,) strings; rows with an empty one are of no group."""

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        """Each value, sorted, and its rows (n,) int64."""
        for value in np.unique(self.values):
            if value:
                yield str(value), np.flatnonzero(self.values == value)


def check_groups(groups: Groups, called: str) -> None:
    """Refuse a column of more values than a person reads, or of none.

    Raises:
        SandboxError: says how many there are.
    """
    count = len([value for value in np.unique(groups.values) if value])
    if not count:
        raise SandboxError(f"{called} is {printable(groups.name)}, but that column is empty")
    if count > MOST:
        raise SandboxError(
            f"{called} is {printable(groups.name)}, which has {count:,} values, but figures are given by {MOST} at most"
        )


def by_value(
    x: np.ndarray,
    y: np.ndarray,
    groups: Groups,
    threshold: float,
    *,
    pairs: Pairs | None = None,
    metric: Similarity = "cosine",
    intervals: bool = True,
) -> Figures:
    """AUC, and balanced accuracy, FNMR and FMR at the threshold, among the rows of each value.

    Args:
        x: (N, D) embeddings.
        y: (N,) integer labels.
        groups: a column of the rows.
        threshold: of all rows together, or chosen on validation; the same for every value.
        pairs: pairs of the rows, of which those count that have both images in a group; all pairs where None.
        metric: what the score is.
        intervals: leave them out to save time between validations.

    Returns:
        ``{"by/category=shirt/verification/fnmr": {...}, ...}``; a value without genuine or without impostor pairs has
        none, see `left_out`.
    """
    figures: Figures = {}
    for value, rows in groups:
        own = None if pairs is None else _within(pairs, rows, len(y))
        if not _both_kinds(y[rows], own):
            continue
        if own is None:
            judged = verify_all_pairs(x[rows], y[rows], thresholds=[threshold], metric=metric)
        else:
            judged = verify_pairs(x, own.left, own.right, own.same, y=y, thresholds=[threshold], metric=metric)
        whole = judged.figures((), balanced_threshold=threshold, intervals=intervals)
        balanced = whole["verification/balanced_accuracy@validation"]
        found = {"verification/auc": whole["verification/auc"], "verification/balanced_accuracy": balanced}
        found |= error_figures(judged, threshold, intervals=intervals)
        figures |= {f"by/{groups.name}={value}/{key}": entry for key, entry in found.items()}
    return figures


def left_out(groups: Groups, y: np.ndarray, pairs: Pairs | None = None) -> list[str]:
    """Sentences on values that have no figures, and on rows without a value."""
    lone = [
        value
        for value, rows in groups
        if not _both_kinds(y[rows], None if pairs is None else _within(pairs, rows, len(y)))
    ]
    said = []
    if lone:
        values = counted(len(lone), "value", "values")
        said.append(
            f"{values} of {groups.name} without genuine or without impostor pairs left out: {first_names(lone)}"
        )
    if blank := int((groups.values == "").sum()):
        said.append(f"{counted(blank, 'image has', 'images have')} no {groups.name}, and are in no group")
    return said


def _within(pairs: Pairs, rows: np.ndarray, count: int) -> Pairs:
    """The pairs both of whose images are among the rows."""
    inside = np.zeros(count, bool)
    inside[rows] = True
    kept = inside[pairs.left] & inside[pairs.right]
    return Pairs(left=pairs.left[kept], right=pairs.right[kept], same=pairs.same[kept])


def _both_kinds(y: np.ndarray, pairs: Pairs | None) -> bool:
    if pairs is not None:
        return bool(len(pairs.same) and pairs.same.any() and not pairs.same.all())
    counts = np.unique(y, return_counts=True)[1]
    return len(counts) > 1 and bool((counts > 1).any())
