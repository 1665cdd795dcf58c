"""What each image of a split finds among the others: its nearest neighbours, and its MAP@R."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sandbox.evaluation.retrieval.by_roles import nearest_by_roles
from sandbox.evaluation.retrieval.search import Searcher
from sandbox.evaluation.roles import matches
from sandbox.evaluation.similarity import as_products
from sandbox.runs.embeddings import KeptSet

SHOWN = 6
"""Neighbours of a query."""


@dataclass(frozen=True)
class Searched:
    """Queries that have a match, in the order of their rows."""

    rows: np.ndarray = field(repr=False)
    """(Q,) int64."""
    ids: np.ndarray = field(repr=False)
    """(Q, K) int64: the rows that they find, nearest first."""
    scores: np.ndarray = field(repr=False)
    """(Q, K) float32 cosines."""
    right: np.ndarray = field(repr=False)
    """(Q, K) bool: whether those are of the query's class."""
    precision: np.ndarray = field(repr=False)
    """(Q,) float64: MAP@R of each."""
    lone: int = 0
    """Images without another of their class: by rule no queries."""

    @property
    def wrong(self) -> np.ndarray:
        """(Q,) bool: whether the nearest image is of another class."""
        return ~self.right[:, 0]


def search(kept: KeptSet) -> Searched | None:
    """What every image finds; None where no two images are of one class."""
    x, y = kept.x, kept.labels
    if not (np.bincount(y) > 1 if kept.roles is None else matches(y, kept.roles) > 0).any():
        return None
    found = kept.retrieved((1,))
    unit = as_products(x)[0]
    if kept.roles is None:
        ids, scores = Searcher(unit).search(unit[found.rows], min(SHOWN, len(x) - 1), own=found.rows)
    else:
        ids, scores = nearest_by_roles(unit, y, kept.roles, found.rows, SHOWN)
    right = y[ids] == y[found.rows][:, None]
    return Searched(found.rows, ids, scores, right, found.values["retrieval/map@r"], found.unmatched)


def worst_first(found: Searched, most: int) -> np.ndarray:
    """(min(Q, most),) places of the queries that a page holds: mistakes, then others drawn with a fixed seed.

    Mistakes come by MAP@R, the lowest first.
    """
    order = np.lexsort((found.precision, ~found.wrong))
    mistakes = int(found.wrong.sum())
    others = np.random.default_rng(0).permutation(order[mistakes:])
    return np.concatenate([order[:mistakes], others])[:most]
