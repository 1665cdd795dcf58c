from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.evaluation import neighbours
from sandbox.evaluation.neighbours import nearest


def fetched(x: np.ndarray, gallery: np.ndarray, k: int, alone: bool) -> tuple[np.ndarray, np.ndarray]:
    parts = list(nearest(x, gallery, k, leave_one_out=alone))
    assert [start for start, _, _ in parts] == list(np.cumsum([0, *(len(ids) for _, ids, _ in parts[:-1])]))
    return np.concatenate([ids for _, ids, _ in parts]), np.concatenate([scores for _, _, scores in parts])


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.integers(2, 50), st.booleans(), st.data())
def test_the_k_best_scores_come_first_and_ties_by_row(seed: int, n: int, alone: bool, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    gallery = rng.integers(-1, 2, (n, 2)).astype(np.float32)
    x = gallery if alone else rng.integers(-1, 2, (5, 2)).astype(np.float32)
    k = data.draw(st.integers(1, n - alone))
    ids, scores = fetched(x, gallery, k, alone)
    assert ids.shape == scores.shape == (len(x), k)
    for i in range(len(x)):
        others = np.delete(np.arange(n), i) if alone else np.arange(n)
        every = gallery @ x[i]
        assert set(ids[i]) <= set(others)
        assert len(set(ids[i])) == k
        assert scores[i].tolist() == sorted(every[others], reverse=True)[:k]
        assert every[ids[i]].tolist() == scores[i].tolist()
        assert all(a < b for a, b, s, t in zip(ids[i], ids[i][1:], scores[i], scores[i][1:], strict=False) if s == t)


@pytest.mark.parametrize("size", [1, 20, 10**9])
def test_slices_cover_every_query_once(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_SLICE", size)
    x = np.random.default_rng(0).integers(-3, 4, (23, 3)).astype(np.float32)
    ids, _ = fetched(x, x, 22, True)
    order = [np.lexsort((np.arange(23), -(x @ row))) for row in x]
    assert ids.tolist() == [[j for j in ranked if j != i] for i, ranked in enumerate(order)]
