from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.evaluation import blocks
from sandbox.evaluation.retrieval import search as neighbours
from sandbox.evaluation.retrieval.search import Index, first_match_ranks, index_recall, nearest


def fetched(
    x: np.ndarray, gallery: np.ndarray, k: int, alone: bool, index: Index = "flat"
) -> tuple[np.ndarray, np.ndarray]:
    parts = list(nearest(x, gallery, k, leave_one_out=alone, index=index))
    assert [start for start, _, _ in parts] == list(np.cumsum([0, *(len(ids) for _, ids, _ in parts[:-1])]))
    return np.concatenate([ids for _, ids, _ in parts]), np.concatenate([scores for _, _, scores in parts])


def ranked(x: np.ndarray, gallery: np.ndarray, alone: bool) -> list[list[int]]:
    """Every gallery row but a query's own, by score and then by row."""
    scores = x.astype(np.float64) @ gallery.astype(np.float64).T
    every = range(len(gallery))
    return [
        sorted((j for j in every if not (alone and j == i)), key=lambda j: (-row[j], j)) for i, row in enumerate(scores)
    ]


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(2, 50), st.booleans(), st.data())
@pytest.mark.parametrize("many", [1, 10**9], ids=["sort", "faiss"])
def test_the_k_best_scores_come_first_and_ties_by_row(
    many: int, seed: int, n: int, alone: bool, data: st.DataObject
) -> None:
    rng = np.random.default_rng(seed)
    gallery = rng.integers(-1, 2, (n, 2)).astype(np.float32)
    x = gallery if alone else rng.integers(-1, 2, (data.draw(st.integers(1, 30)), 2)).astype(np.float32)
    k = data.draw(st.integers(1, n - alone))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "_MANY", many)
        ids, scores = fetched(x, gallery, k, alone)
    assert ids.dtype == np.int64 and scores.dtype == np.float32
    assert ids.tolist() == [order[:k] for order in ranked(x, gallery, alone)]
    assert scores.tolist() == [(gallery[row] @ q).tolist() for row, q in zip(ids, x, strict=True)]


@pytest.mark.parametrize("k", [1, 5, 63, 64, 199])
def test_both_ways_of_searching_find_the_same_where_nothing_ties(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).normal(size=(200, 12)).astype(np.float32)
    expected = [order[:k] for order in ranked(x, x, True)]
    for many in (1, 10**9):
        monkeypatch.setattr(neighbours, "_MANY", many)
        assert fetched(x, x, k, True)[0].tolist() == expected


@pytest.mark.parametrize("many", [1, 64, 10**9])
@pytest.mark.parametrize("size", [1, 20, 10**9])
def test_slices_and_blocks_cover_every_query_once(size: int, many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_SLICE", size)
    monkeypatch.setattr(neighbours, "_MANY", many)
    monkeypatch.setattr(blocks, "_BLOCK_BYTES", size)
    monkeypatch.setattr(blocks, "_MOST_ROWS", 9)
    x = np.random.default_rng(0).integers(-3, 4, (23, 3)).astype(np.float32)
    assert fetched(x, x, 22, True)[0].tolist() == ranked(x, x, True)
    assert fetched(x, x, 4, True)[0].tolist() == [order[:4] for order in ranked(x, x, True)]


@pytest.mark.parametrize("k", [3, 70])
def test_twins_that_crowd_out_a_querys_own_row_are_found_in_order_without_it(k: int) -> None:
    x = np.ones((90, 2), np.float32)
    assert fetched(x, x, k, True)[0].tolist() == [[j for j in range(90) if j != i][:k] for i in range(90)]


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(2, 40), st.integers(1, 6), st.booleans())
def test_the_first_match_is_where_a_full_ranking_has_it(seed: int, n: int, classes: int, alone: bool) -> None:
    rng = np.random.default_rng(seed)
    gallery, gallery_y = rng.integers(-1, 2, (n, 2)).astype(np.float32), rng.integers(0, classes, n)
    x, y = gallery, gallery_y
    if not alone:
        x, y = rng.integers(-1, 2, (7, 2)).astype(np.float32), rng.integers(0, classes + 1, 7)
    rows = rng.permutation(len(x))[: rng.integers(0, len(x) + 1)]
    orders = ranked(x, gallery, alone)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_MOST_ROWS", 8)
        ranks = first_match_ranks(x, y, gallery, gallery_y, rows, alone=alone)
    for row, rank in zip(rows, ranks, strict=True):
        hits = [gallery_y[j] == y[row] for j in orders[row]]
        assert rank == (hits.index(True) + 1 if any(hits) else 0)


@pytest.mark.parametrize("index", ["ivf", "hnsw"])
@pytest.mark.parametrize(("n", "k", "alone"), [(30, 29, True), (2000, 10, True), (2000, 10, False), (1500, 400, False)])
def test_an_approximate_index_says_which_share_it_finds(index: Index, n: int, k: int, alone: bool) -> None:
    rng = np.random.default_rng(0)
    gallery = rng.normal(size=(n, 8)).astype(np.float32)
    x = gallery if alone else rng.normal(size=(50, 8)).astype(np.float32)
    ids, scores = fetched(x, gallery, k, alone, index)
    rows = np.unique(np.linspace(0, len(x) - 1, min(len(x), 1000)).astype(np.int64))
    orders = ranked(x[rows], gallery, False)
    share = []
    for row, order in zip(rows, orders, strict=True):
        found = ids[row][ids[row] >= 0]
        assert len(set(found)) == len(found)
        assert not alone or row not in found
        exact = [j for j in order if not (alone and j == row)][:k]
        share.append(len(set(found) & set(exact)) / k)
        np.testing.assert_allclose(scores[row][: len(found)], gallery[found] @ x[row], atol=1e-5)
        assert (ids[row][len(found) :] == -1).all() and (scores[row][len(found) :] == -np.inf).all()
        assert (np.diff(scores[row][: len(found)]) <= 0).all()
    own = index_recall(x, gallery, k, leave_one_out=alone, index=index)
    np.testing.assert_allclose(own, share, atol=1e-12)
    assert 0.1 < own.mean() <= 1


def test_the_exact_index_finds_all() -> None:
    x = np.random.default_rng(0).normal(size=(1200, 4)).astype(np.float32)
    share = index_recall(x, x, 7, leave_one_out=True, index="flat")
    assert share.tolist() == [1.0] * 1000
