"""Classes by difficulty, and which are taken for which, by the nearest neighbour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sandbox.reporting.page.found.searched import Searched

PAIRS, PICTURES = 3, 4
"""Confused classes that are shown side by side, and images of each."""


@dataclass(frozen=True)
class ClassRow:
    """A class as it is retrieved."""

    label: int
    images: int
    precision: float
    """Mean MAP@R of its queries."""
    first: float
    """R@1."""
    taken_for: int | None
    """The class that its queries find first most often where they find a wrong one; None where they find none."""
    mistakes: int
    """Queries that find that one first."""


@dataclass(frozen=True)
class ConfusedClasses:
    """Two classes of which the first is taken for the second."""

    truth: int
    taken_for: int
    mistakes: int
    queries: int
    rows: tuple[int, ...] = field(repr=False)
    """Images of the first, those first that are mistaken."""
    others: tuple[int, ...] = field(repr=False)
    """Images of the second, those first that they are taken for."""


def by_difficulty(found: Searched, y: np.ndarray) -> list[ClassRow]:
    """A row for each class with a query, the hardest first: by MAP@R, then R@1, then number.

    Args:
        found: what the queries find.
        y: (N,) int64 labels of all rows.
    """
    labels, counts = y[found.rows], np.bincount(y)
    classes = len(counts)
    queries = np.bincount(labels, minlength=classes)
    precision = np.bincount(labels, found.precision, classes) / queries.clip(1)
    first = np.bincount(labels, found.right[:, 0], classes) / queries.clip(1)
    most: dict[int, tuple[int, int]] = {}
    for truth, other, count in _confusions(found, y):
        most.setdefault(truth, (other, count))
    rows = [
        ClassRow(k, int(counts[k]), float(precision[k]), float(first[k]), *most.get(k, (None, 0)))
        for k in np.flatnonzero(queries).tolist()
    ]
    return sorted(rows, key=lambda row: (row.precision, row.first, row.label))


def confused_classes(found: Searched, y: np.ndarray) -> list[ConfusedClasses]:
    """The pairs of classes that are confused most often, each pair once."""
    shown: list[ConfusedClasses] = []
    for truth, other, count in _confusions(found, y):
        if any({one.truth, one.taken_for} == {truth, other} for one in shown):
            continue
        mine = y[found.rows] == truth
        mistaken = np.flatnonzero(mine & (y[found.ids[:, 0]] == other))
        rows = _first([*found.rows[mistaken], *np.flatnonzero(y == truth)])
        others = _first([*found.ids[mistaken, 0], *np.flatnonzero(y == other)])
        shown.append(ConfusedClasses(truth, other, count, int(mine.sum()), rows, others))
        if len(shown) == PAIRS:
            break
    return shown


def _confusions(found: Searched, y: np.ndarray) -> list[tuple[int, int, int]]:
    """(class, class that is found first in its place, how often), most often first."""
    wrong = found.wrong
    if not wrong.any():
        return []
    both = np.stack([y[found.rows[wrong]], y[found.ids[wrong, 0]]], 1)
    pairs, counts = np.unique(both, axis=0, return_counts=True)
    order = np.lexsort((pairs[:, 1], pairs[:, 0], -counts))
    return [(int(pairs[k, 0]), int(pairs[k, 1]), int(counts[k])) for k in order]


def _first(rows: Sequence[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(int(row) for row in rows))[:PICTURES]
