"""Figures by other tables' names: each against a ranking by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score

from sandbox.errors import SandboxError
from sandbox.evaluation.retrieval.by_scores import retrieval_by_scores
from sandbox.evaluation.retrieval.metrics import retrieval
from sandbox.evaluation.similarity import Similarity
from sandbox.recipe.extra import parse_extra

ALL = parse_extra("map, minp, ndcg@1, ndcg@3, ndcg@500, precision@2, precision@500")


def by_hand(scores: np.ndarray, y: np.ndarray, gallery_y: np.ndarray, alone: bool) -> dict[str, list[float]]:
    """Each query sorts the gallery by score, then by row; figures follow from their definitions."""
    found: dict[str, list[float]] = {one.key: [] for one in ALL}
    for i in range(len(y)):
        order = sorted((j for j in range(len(gallery_y)) if not (alone and i == j)), key=lambda j: (-scores[i, j], j))
        hit = [bool(gallery_y[j] == y[i]) for j in order]
        places = [place for place, right in enumerate(hit, 1) if right]
        if not places:
            continue
        found["retrieval/map"].append(sum(sum(hit[:p]) / p for p in places) / len(places))
        found["retrieval/minp"].append(len(places) / places[-1])
        for k in (1, 3, 500):
            gain = sum(1 / math.log2(p + 1) for p in places if p <= k)
            best = sum(1 / math.log2(p + 1) for p in range(1, min(len(places), k) + 1))
            found[f"retrieval/ndcg@{k}"].append(gain / best)
        for k in (2, 500):
            found[f"retrieval/precision@{k}"].append(sum(hit[:k]) / k)
    return found


def scores_of(x: np.ndarray, gallery: np.ndarray, metric: Similarity) -> np.ndarray:
    """In float64, rounded to float32."""
    a, b = x.astype(np.float64), gallery.astype(np.float64)
    if metric == "l2":
        return (-((a[:, None] - b[None]) ** 2).sum(2)).astype(np.float32)
    return (a @ b.T).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 40), st.integers(1, 8), st.booleans(), st.sampled_from(["dot", "l2"]))
def test_figures_equal_brute_force_with_ties_and_lone_queries(
    seed: int, n: int, classes: int, apart: bool, metric: Similarity
) -> None:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    y[:2] = 0
    x = rng.integers(-2, 3, (n, 3)).astype(np.float32)
    x[0] = x[1] = 1  # that no row is too short for its metric
    gallery_y = np.append(0, rng.integers(0, classes, n // 2 + 1)) if apart else y
    gallery = rng.integers(-2, 3, (len(gallery_y), 3)).astype(np.float32) if apart else x
    gallery[:2] = 1
    against: dict[str, Any] = {"gallery": gallery, "gallery_y": gallery_y} if apart else {}
    found = retrieval(x, y, **against, metric=metric, extra=ALL)
    expected = by_hand(scores_of(x, gallery, metric), y, gallery_y, alone=not apart)
    for key, values in expected.items():
        np.testing.assert_allclose(found.values[key], values, rtol=0, atol=1e-12, err_msg=key)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 40), st.booleans())
def test_any_scores_give_what_their_ranking_gives(seed: int, n: int, alone: bool) -> None:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, n)
    y[:2] = 0
    gallery_y = y if alone else np.append(0, rng.integers(0, 4, n))
    scores = rng.integers(0, 5, (n, len(gallery_y))).astype(np.float32)
    found = retrieval_by_scores(lambda a, b: scores[a:b], y, gallery_y, alone=alone, recall_at=(1, 2), extra=ALL)
    for key, values in by_hand(scores, y, gallery_y, alone).items():
        np.testing.assert_allclose(found.values[key], values, rtol=0, atol=1e-12, err_msg=key)


def test_by_inner_products_they_are_what_retrieval_says() -> None:
    rng = np.random.default_rng(3)
    y = rng.integers(0, 9, 60)
    x = rng.normal(size=(60, 8)).astype(np.float32)
    scores = (x.astype(np.float64) @ x.T.astype(np.float64)).astype(np.float32)
    one = retrieval(x, y, metric="dot", extra=ALL)
    other = retrieval_by_scores(lambda a, b: scores[a:b], y, y, alone=True, extra=ALL)
    assert one.values.keys() == other.values.keys()
    for key, values in one.values.items():
        np.testing.assert_allclose(other.values[key], values, rtol=0, atol=1e-12, err_msg=key)


def test_average_precision_and_ndcg_are_scikit_learns_where_nothing_ties() -> None:
    rng = np.random.default_rng(5)
    x, gallery = rng.normal(size=(20, 6)), rng.normal(size=(50, 6))
    y, gallery_y = rng.integers(0, 5, 20), rng.integers(0, 5, 50)
    found = retrieval(x, y, gallery=gallery, gallery_y=gallery_y, metric="dot", extra=parse_extra("map, ndcg@7"))
    scores, right = x.astype(np.float32) @ gallery.astype(np.float32).T, gallery_y[None] == y[:, None]
    precision = [average_precision_score(right[i], scores[i]) for i in range(20)]
    gain = [ndcg_score(right[i : i + 1], scores[i : i + 1], k=7) for i in range(20)]
    np.testing.assert_allclose(found.values["retrieval/map"], precision, atol=1e-12)
    np.testing.assert_allclose(found.values["retrieval/ndcg@7"], gain, atol=1e-12)


def test_they_have_intervals_by_identity_and_no_part_of_a_gallery_will_do() -> None:
    rng = np.random.default_rng(1)
    y = np.repeat(np.arange(12), 4)
    x = rng.normal(size=(48, 6)) + 2 * rng.normal(size=(12, 6))[y]
    figures = retrieval(x, y, extra=ALL).figures()
    for one in ALL:
        entry = figures[one.key]
        assert 0 <= entry["low"] <= entry["value"] <= entry["high"] <= 1 and entry["n"] == 48, one
    assert retrieval(x, y).values.keys() == retrieval(x, y, extra=ALL).values.keys() - {one.key for one in ALL}
    with pytest.raises(SandboxError, match="map is of the whole gallery, but the index hnsw looks at a part of it"):
        retrieval(x, y, index="hnsw", extra=ALL)
    near = retrieval(x, y, index="hnsw", extra=parse_extra("precision@2"))
    np.testing.assert_array_equal(
        near.values["retrieval/precision@2"], retrieval(x, y, extra=ALL).values["retrieval/precision@2"]
    )
