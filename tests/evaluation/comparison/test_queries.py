"""Queries and identities won and lost."""

from __future__ import annotations

import numpy as np

from sandbox.evaluation.comparison.queries import Wins, wins_by_identity, wins_by_query


def test_a_case_by_hand() -> None:
    a = np.array([[1.0, 0.0, 0.5, 1.0], [0.0, 0.0, 0.5, 1.0]])
    b = np.array([[0.0, 0.5, 0.5, 0.9], [1.0, 0.0, 0.5, 0.1 + 0.2 + 0.7]])  # the first seed's win is the second's loss
    assert wins_by_query(a, b) == Wins(1, 2, 1)
    assert wins_by_identity(a, b, np.array([7, 7, 3, 3])) == Wins(1, 0, 1)
    assert wins_by_query(a, b).n == 4
    assert wins_by_query(b, a) == Wins(1, 2, 1) and wins_by_query(a, a) == Wins(0, 4, 0)


def test_it_is_the_naive_count() -> None:
    rng = np.random.default_rng(0)
    a, b, labels = rng.integers(0, 2, (3, 40)) / 1.0, rng.integers(0, 2, (3, 40)) / 1.0, rng.integers(0, 7, 40)
    means = [[float(x[:, q].mean()) for q in range(40)] for x in (a, b)]
    won = sum(x > y + 1e-9 for x, y in zip(*means, strict=True))
    lost = sum(y > x + 1e-9 for x, y in zip(*means, strict=True))
    assert wins_by_query(a, b) == Wins(won, 40 - won - lost, lost)
    own = [[np.mean([m[q] for q in range(40) if labels[q] == label]) for label in range(7)] for m in means]
    won = sum(x > y + 1e-9 for x, y in zip(*own, strict=True))
    assert wins_by_identity(a, b, labels).wins == won
