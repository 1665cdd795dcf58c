from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.evaluation.after.reciprocal import reranked


def by_hand(rows: np.ndarray, k1: int, k2: int, share: float) -> np.ndarray:
    """(N, N) the final distance between all rows, with sets and dense vectors, as the paper's authors count it."""
    wide = rows.astype(np.float64)
    cosine = wide @ wide.T
    distance = np.maximum(2 - 2 * cosine, 0)
    farthest = distance.max(1, keepdims=True)
    distance = distance / np.where(farthest > 0, farthest, 1)
    n = len(rows)
    order = [
        [i, *sorted((j for j in range(n) if j != i), key=lambda j: (-np.float32(cosine[i, j]), j))] for i in range(n)
    ]

    def mutual(i: int, k: int) -> set[int]:
        return {j for j in order[i][: k + 1] if i in order[j][: k + 1]}

    vectors = np.zeros((n, n))
    for i in range(n):
        own = mutual(i, k1)
        joined = set(own)
        for candidate in own:
            theirs = mutual(candidate, int(np.around(k1 / 2)))
            if len(theirs & own) > 2 / 3 * len(theirs):
                joined |= theirs
        for j in joined:
            vectors[i, j] = np.exp(-distance[i, j])
        vectors[i] /= vectors[i].sum()
    vectors = np.array([vectors[order[i][:k2]].mean(0) for i in range(n)])
    lesser = np.minimum(vectors[:, None], vectors[None]).sum(2)
    return (1 - share) * (1 - lesser / (2 - lesser)) + share * distance


def drawn(rng: np.random.Generator, n: int, kind: str) -> np.ndarray:
    if kind == "clustered":
        x = rng.normal(size=(5, 6))[rng.integers(0, 5, n)] + 0.4 * rng.normal(size=(n, 6))
    else:
        x = rng.choice([-1.0, 1.0], (n, 3)) if kind == "tied" else rng.normal(size=(n, 6))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("kind", ["random", "clustered", "tied"])
@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.integers(8, 36), st.integers(1, 7), st.sampled_from([0.0, 0.3, 1.0]))
def test_the_final_distance_is_that_of_sets_and_dense_vectors(
    kind: str, seed: int, n: int, k1: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    rows, k2 = drawn(rng, n, kind), int(rng.integers(1, k1 + 1))
    expected = by_hand(rows, k1, k2, share)
    alone = reranked(rows, None, k1=k1, k2=k2, share=share)
    np.testing.assert_allclose(-alone(0, n), expected, atol=1e-6)
    np.testing.assert_allclose(-alone(2, 5), expected[2:5], atol=1e-6)
    cut = n // 3
    apart = reranked(rows[:cut], rows[cut:], k1=k1, k2=k2, share=share)
    np.testing.assert_allclose(-apart(0, cut), expected[:cut, cut:], atol=1e-6)


def test_weighed_wholly_by_the_distance_the_order_stays_and_the_same_rows_all_have_one_score() -> None:
    rng = np.random.default_rng(0)
    rows = drawn(rng, 30, "random")
    scores = reranked(rows, None, k1=5, k2=2, share=1.0)(0, 30)
    cosine = rows.astype(np.float64) @ rows.T.astype(np.float64)
    off = ~np.eye(30, dtype=bool)
    for i in range(30):
        assert np.argsort(-scores[i][off[i]]).tolist() == np.argsort(-cosine[i][off[i]]).tolist()
    same = reranked(np.tile(rows[:1], (6, 1)), None, k1=3, k2=2, share=0.3)(0, 6)
    assert np.isfinite(same).all() and (same[:, 0] <= 0).all()
