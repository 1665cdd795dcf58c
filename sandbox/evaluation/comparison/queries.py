"""Which queries, and which identities, one way of training serves better than another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Wins:
    """A count of what A serves better than B."""

    wins: int
    ties: int
    losses: int

    @property
    def n(self) -> int:
        """What was counted."""
        return self.wins + self.ties + self.losses


def wins_by_query(a: np.ndarray, b: np.ndarray) -> Wins:
    """Queries that do better with A, as well, and worse, on average over shared seeds.

    Args:
        a: (S, Q) what each query gets from A with each seed; more is better.
        b: (S, Q) the same of B, with the same seeds and queries.
    """
    return _count((a - b).mean(0))


def wins_by_identity(a: np.ndarray, b: np.ndarray, labels: np.ndarray) -> Wins:
    """The same of identities: each is the mean over its queries, labels (Q,)."""
    _, place = np.unique(labels, return_inverse=True)
    return _count(np.bincount(place, weights=(a - b).mean(0)) / np.bincount(place))


def _count(apart: np.ndarray) -> Wins:
    better, worse = int((apart > _ROUNDING).sum()), int((apart < -_ROUNDING).sum())
    return Wins(better, len(apart) - better - worse, worse)
