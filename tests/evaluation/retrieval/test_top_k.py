from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.evaluation.retrieval.top_k import first_rank, select_top, settle_ties


def ranked(row: np.ndarray, own: int) -> list[int]:
    """Columns by score, highest first, then by column; the own one is not there."""
    return sorted((j for j in range(len(row)) if j != own), key=lambda j: (-float(row[j]), j))


def check(scores: np.ndarray, own: list[int], k: int) -> None:
    scores = np.asarray(scores, dtype=np.float32)
    ids, best = np.full((len(scores), k), -7, np.int64), np.full((len(scores), k), np.nan, np.float32)
    select_top(scores, np.array(own), ids, best)
    for i, row in enumerate(scores):
        expected = ranked(row, own[i])[:k]
        assert ids[i].tolist() == expected
        assert best[i].tobytes() == row[expected].tobytes()


KINDS = {
    "smooth": lambda rng, n: rng.normal(size=n),
    "many ties": lambda rng, n: rng.integers(-2, 3, n) / 4,
    "constant": lambda rng, n: np.full(n, -0.3),
    "zeros of both signs": lambda rng, n: rng.choice([0.0, -0.0], n),
    "zeros and denormals": lambda rng, n: rng.choice([0.0, -0.0, 1e-45, -1e-45], n),
    "denormals": lambda rng, n: rng.integers(-900, 900, n) * 1e-43,
    "outlier above": lambda rng, n: np.where(rng.permutation(n) == 0, 3e38, rng.normal(size=n)),
    "outlier below": lambda rng, n: np.where(rng.permutation(n) == 0, -3e38, rng.integers(0, 4, n)),
    "range beyond float32": lambda rng, n: rng.choice([-3e38, -1.0, 0.0, 3e38], n),
    "neighbouring floats": lambda rng, n: np.float32(1) + rng.integers(0, 5, n) * np.float32(2**-23),
}


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 70), st.booleans(), st.data())
@pytest.mark.parametrize("kind", KINDS)
def test_the_best_are_those_of_a_sort(kind: str, seed: int, columns: int, alone: bool, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    alone = alone and columns > 1
    scores = np.stack([KINDS[kind](rng, columns) for _ in range(5)])
    own = rng.integers(0, columns, 5).tolist() if alone else [-1] * 5
    check(scores, own, data.draw(st.integers(1, columns - alone)))


@pytest.mark.parametrize("columns", [999, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_the_best_of_many_columns_in_cells_longer_than_an_insertion_sort(kind: str, columns: int) -> None:
    rng = np.random.default_rng(columns)
    scores = np.stack([KINDS[kind](rng, columns) for _ in range(4)])
    for k in (1, 2, 24, 25, 500, columns - 1):
        check(scores, [-1, 0, columns - 1, columns // 2], k)
    check(scores, [-1] * 4, columns)


def test_rows_with_and_without_a_column_of_their_own_do_not_disturb_each_other() -> None:
    scores = np.array([[1, 1, 1], [3, 2, 1], [1, 2, 3]])
    check(scores, [1, -1, 2], 2)
    check(scores, [-1, 0, -1], 1)


def blurred(rng: np.random.Generator, exact: np.ndarray, slack: float) -> np.ndarray:
    """Scores that are off by less than half the slack, as sums in float32 are."""
    return (exact + 0.49 * slack * rng.uniform(-1, 1, exact.shape)).astype(np.float32)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 50), st.integers(1, 6), st.booleans(), st.sampled_from([0, 0.3]))
@pytest.mark.parametrize("kind", KINDS)
def test_the_first_rank_is_that_of_a_sort(
    kind: str, seed: int, columns: int, classes: int, alone: bool, slack: float
) -> None:
    rng = np.random.default_rng(seed)
    exact = np.stack([KINDS[kind](rng, columns) for _ in range(6)]).astype(np.float32)
    own = rng.integers(0, columns, 6) if alone else np.full(6, -1)
    gallery_labels, labels = rng.integers(0, classes, columns), rng.integers(0, classes + 1, 6)
    scores, ranks = blurred(rng, exact, slack), np.full(6, -7)
    # Queries that are unit vectors: their inner products with the gallery are the exact scores.
    gallery = np.ascontiguousarray(exact.T)
    slacks = np.full(6, slack, np.float32)
    first_rank(scores, own, labels, gallery_labels, np.eye(6, dtype=np.float32), gallery, slacks, ranks)
    for i in range(6):
        hits = [gallery_labels[j] == labels[i] for j in ranked(exact[i], own[i])]
        assert ranks[i] == (hits.index(True) + 1 if any(hits) else 0)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 40), st.sampled_from([0, 0.02, 0.3]), st.data())
@pytest.mark.parametrize("kind", ["smooth", "many ties", "constant", "outlier above", "neighbouring floats"])
def test_near_ties_are_settled_by_exact_scores_or_said_to_be_unsettled(
    kind: str, seed: int, columns: int, slack: float, data: st.DataObject
) -> None:
    rng = np.random.default_rng(seed)
    exact = np.stack([KINDS[kind](rng, columns) for _ in range(6)]).astype(np.float32)
    near = blurred(rng, exact, slack)
    k = data.draw(st.integers(1, columns))
    fetched = min(k + data.draw(st.integers(1, 3)), columns)
    last = k if fetched > k else fetched + 1  # as the search has it: with nothing beyond, no run can go on there
    ids = np.stack([np.array(ranked(row, -1)[:fetched]) for row in near])
    scores, unsettled = np.take_along_axis(near, ids, 1), np.zeros(6, bool)
    slacks, gallery = np.full(6, slack, np.float32), np.ascontiguousarray(exact.T)
    settle_ties(np.eye(6, dtype=np.float32), gallery, slacks, last, ids, scores, unsettled)
    for i in range(6):
        order = ranked(exact[i], -1)
        blurred_order = np.sort(near[i])[::-1]
        if not unsettled[i]:
            assert ids[i, :k].tolist() == order[:k]
            np.testing.assert_allclose(scores[i, :k], exact[i, order[:k]], atol=slack / 2)
        else:
            assert blurred_order[k - 1] - blurred_order[k] <= slacks[i]


def test_ties_that_were_settled_have_their_exact_scores() -> None:
    gallery = np.array([[0.5], [0.75], [0.75], [-1.0]], np.float32)
    ids, scores = np.array([[0, 2, 1, 3]]), np.array([[0.7501, 0.75, 0.7499, -1.0]], np.float32)
    unsettled = np.zeros(1, bool)
    settle_ties(np.ones((1, 1), np.float32), gallery, np.full(1, 0.01, np.float32), 5, ids, scores, unsettled)
    assert (ids.tolist(), scores.tolist(), unsettled.tolist()) == ([[1, 2, 0, 3]], [[0.75, 0.75, 0.5, -1]], [False])
