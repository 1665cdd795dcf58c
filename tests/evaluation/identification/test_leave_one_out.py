"""Ranks of people without a gallery, against a loop."""

from __future__ import annotations

import numpy as np
import pytest

from sandbox.evaluation.identification import leave_one_out
from sandbox.evaluation.identification.leave_one_out import ranks_among_others
from sandbox.evaluation.retrieval.metrics import retrieval


def naive(x: np.ndarray, y: np.ndarray) -> list[int]:
    """For each image with a fellow: people whose best other image is at least as alike as the right person's."""
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    ranks = []
    for row in range(len(y)):
        best = {
            person: max(
                (float(np.float32(unit[row] @ unit[n])) for n in np.flatnonzero(y == person) if n != row), default=-9
            )
            for person in set(y.tolist())
        }
        if best[y[row]] > -9:
            ranks.append(sum(score >= best[y[row]] for score in best.values()))
    return ranks


def rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([3, 7, 8, 20, 21], [5, 4, 1, 6, 2]))  # one person has a single image
    x = np.random.default_rng(1).normal(size=(30, 6))[y] + 1.5 * rng.normal(size=(len(y), 6))
    return x, y


def test_ranks_are_those_of_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = rows()
    ranks, people = ranks_among_others(x, y)
    assert ranks.tolist() == naive(x, y) and people.tolist() == y[y != 8].tolist() and ranks.max() > 2
    monkeypatch.setattr(leave_one_out, "_CHUNK", 40)  # a few rows at a time
    assert ranks_among_others(x, y)[0].tolist() == ranks.tolist()


def test_rank_one_is_recall_at_one() -> None:
    x, y = rows()
    ranks, _ = ranks_among_others(x, y)
    assert (ranks == 1).mean() == retrieval(x, y, recall_at=(1,)).figures(intervals=False)["retrieval/recall@1"][
        "value"
    ]


def test_ties_count_against_the_system_and_few_are_spread() -> None:
    x, y = np.ones((6, 3)), np.array([0, 0, 1, 1, 2, 2])
    assert ranks_among_others(x, y)[0].tolist() == [3] * 6
    assert ranks_among_others(x, y, most=3)[1].tolist() == [0, 1, 2]
    assert len(ranks_among_others(x[:1], y[:1])[0]) == 0
