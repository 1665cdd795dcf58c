from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning.distances import DotProductSimilarity
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import CustomKNN

from sandbox.errors import SandboxError
from sandbox.evaluation import blocks
from sandbox.evaluation.intervals.bootstrap import bootstrap_means
from sandbox.evaluation.retrieval import search as neighbours
from sandbox.evaluation.retrieval.metrics import count_matches, retrieval
from sandbox.evaluation.similarity import SIMILARITIES, Similarity

ALL = 10_000  # a k beyond every gallery here


def unit(rng: np.random.Generator, n: int, dim: int = 16) -> np.ndarray:
    x = rng.normal(size=(n, dim)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def tied(rng: np.random.Generator, n: int, dim: int = 2) -> np.ndarray:
    """Small whole numbers: inner products are exact, and many are equal."""
    return rng.integers(-1, 2, (n, dim)).astype(np.float32)


def alike(a: np.ndarray, b: np.ndarray, metric: str) -> float:
    a, b = a.astype(float), b.astype(float)
    if metric == "l2":
        return -float(((a - b) ** 2).sum())
    length = np.linalg.norm(a) * np.linalg.norm(b) if metric == "cosine" else 1.0
    return float(np.dot(a, b) / length) if length else 0.0


def by_brute_force(x, y, gallery, gallery_y, alone, ks, metric):  # type: ignore[no-untyped-def]
    """Each query ranks the gallery by score, then by row; figures follow from their definitions."""
    rows = []
    for i in range(len(x)):
        order = sorted(
            (j for j in range(len(gallery)) if not (alone and j == i)),
            key=lambda j: (-alike(x[i], gallery[j], metric), j),
        )
        hits = [gallery_y[j] == y[i] for j in order]
        r = sum(hits)
        if r == 0:
            continue
        precision = [sum(hits[: place + 1]) / (place + 1) for place in range(r)]
        rows.append(
            {
                "row": i,
                "retrieval/precision@1": float(hits[0]),
                "retrieval/r_precision": sum(hits[:r]) / r,
                "retrieval/map@r": sum(p for p, hit in zip(precision, hits[:r], strict=True) if hit) / r,
                "retrieval/mrr": 1 / (hits.index(True) + 1),
                **{f"retrieval/recall@{k}": float(any(hits[:k])) for k in ks},
            }
        )
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def check(x, y, gallery=None, gallery_y=None, ks=(1, 3), metric: Similarity = "dot") -> None:  # type: ignore[no-untyped-def]
    alone = gallery is None
    expected = by_brute_force(x, y, x if alone else gallery, y if alone else gallery_y, alone, ks, metric)
    result = retrieval(x, y, gallery=gallery, gallery_y=gallery_y, recall_at=ks, metric=metric)
    rows = expected.pop("row")
    assert result.rows.tolist() == rows.tolist()
    assert result.labels.tolist() == y[rows].tolist()
    assert (result.unmatched, result.queries) == (len(x) - len(rows), len(x))
    assert result.values.keys() == expected.keys()
    figures = result.figures(intervals=False)
    for key, value in expected.items():
        np.testing.assert_allclose(result.values[key], value, rtol=0, atol=1e-12, err_msg=key)
        assert figures.pop(key) == {"value": pytest.approx(value.mean(), abs=1e-12), "n": len(rows)}
    assert figures == {"retrieval/unmatched": {"value": len(x) - len(rows), "n": len(x)}}


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(3, 40), st.integers(1, 12), st.booleans())
def test_figures_equal_brute_force(seed: int, n: int, classes: int, apart: bool) -> None:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    y[:2] = 0  # at least one query has a match
    if apart:
        gallery_y = np.concatenate([[0], rng.integers(0, classes, n // 2)])
        check(unit(rng, n), y, unit(rng, len(gallery_y)), gallery_y)
    else:
        check(unit(rng, n), y)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(3, 40), st.integers(1, 12), st.booleans())
def test_equal_scores_rank_by_gallery_row(seed: int, n: int, classes: int, apart: bool) -> None:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    y[:2] = 0
    if apart:
        gallery_y = np.concatenate([[0], rng.integers(0, classes, n // 2)])
        check(tied(rng, n), y, tied(rng, len(gallery_y)), gallery_y, ks=(1, 3, ALL))
    else:
        check(tied(rng, n), y, ks=(1, 3, ALL))


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(3, 30), st.sampled_from(SIMILARITIES), st.booleans())
def test_every_similarity_ranks_by_its_definition(seed: int, n: int, metric: Similarity, apart: bool) -> None:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, n)
    y[:2] = 0
    x = rng.normal(size=(n, 5)) * rng.uniform(0.2, 3, (n, 1))
    gallery_y = np.concatenate([[0], rng.integers(0, 4, n)])
    gallery = rng.normal(size=(len(gallery_y), 5)) * rng.uniform(0.2, 3, (len(gallery_y), 1))
    if apart:
        check(x, y, gallery, gallery_y, metric=metric)
    else:
        check(x, y, metric=metric)


@pytest.mark.parametrize("metric", ["dot", "l2"])
def test_float16_is_evaluated_as_the_numbers_it_holds(metric: Similarity) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.integers(-40, 41, (50, 6)).astype(np.float16), rng.integers(0, 9, 50)
    check(x, y, metric=metric)
    check(x[:20], y[:20], x[20:], y[20:], metric=metric)


@pytest.mark.parametrize("slice_size", [12, 36, 84, 10**9])
@pytest.mark.parametrize("many", [1, 64, 10**9])
@pytest.mark.parametrize("make", [unit, tied])
def test_the_size_of_a_slice_and_the_way_of_searching_change_nothing(  # type: ignore[no-untyped-def]
    make, many: int, slice_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    x, y = make(rng, 60), rng.integers(0, 15, 60)
    whole = retrieval(x, y, metric="dot").figures()
    monkeypatch.setattr(neighbours, "_SLICE", slice_size)
    monkeypatch.setattr(neighbours, "_MANY", many)
    monkeypatch.setattr(blocks, "_MOST_ROWS", 9)
    assert retrieval(x, y, metric="dot").figures() == whole


@pytest.mark.parametrize("classes", [1, 4, 30])
def test_figures_equal_those_of_pytorch_metric_learning(classes: int) -> None:
    rng = np.random.default_rng(classes)
    x, y = unit(rng, 90), rng.integers(0, classes, 90)
    theirs = AccuracyCalculator(
        include=("precision_at_1", "r_precision", "mean_average_precision_at_r"),
        k="max_bin_count",
        device=torch.device("cpu"),
        knn_func=CustomKNN(DotProductSimilarity()),
    ).get_accuracy(torch.from_numpy(x), torch.from_numpy(y))
    ours = retrieval(x, y).figures()
    assert ours["retrieval/precision@1"]["value"] == pytest.approx(theirs["precision_at_1"], abs=1e-9)
    assert ours["retrieval/r_precision"]["value"] == pytest.approx(theirs["r_precision"], abs=1e-9)
    assert ours["retrieval/map@r"]["value"] == pytest.approx(theirs["mean_average_precision_at_r"], abs=1e-9)


def test_figures_equal_those_of_pytorch_metric_learning_against_a_gallery() -> None:
    rng = np.random.default_rng(5)
    x, y, gallery, gallery_y = unit(rng, 40), rng.integers(0, 6, 40), unit(rng, 70), rng.integers(0, 6, 70)
    theirs = AccuracyCalculator(
        include=("precision_at_1", "r_precision", "mean_average_precision_at_r"),
        k="max_bin_count",
        device=torch.device("cpu"),
        knn_func=CustomKNN(DotProductSimilarity()),
    ).get_accuracy(*map(torch.from_numpy, (x, y, gallery, gallery_y)))
    ours = retrieval(x, y, gallery=gallery, gallery_y=gallery_y).figures()
    for name, their_name in (
        ("precision@1", "precision_at_1"),
        ("r_precision", "r_precision"),
        ("map@r", "mean_average_precision_at_r"),
    ):
        assert ours[f"retrieval/{name}"]["value"] == pytest.approx(theirs[their_name], abs=1e-9)


def test_a_query_without_a_match_is_counted_and_not_scored() -> None:
    x = np.eye(5, dtype=np.float32)
    result = retrieval(x, np.array([0, 1, 2, 2, 9]))
    assert result.rows.tolist() == [2, 3]
    figures = result.figures()
    assert figures.pop("retrieval/unmatched") == {"value": 3, "low": 3, "high": 3, "n": 5}
    assert {figure["n"] for figure in figures.values()} == {2}


def test_all_of_one_class_is_perfect() -> None:
    result = retrieval(unit(np.random.default_rng(0), 12), np.zeros(12, dtype=np.int64))
    assert result.unmatched == 0
    figures = result.figures()
    del figures["retrieval/unmatched"]
    assert {figure["value"] for figure in figures.values()} == {1.0}
    assert all(np.isnan(figure["low"]) and np.isnan(figure["high"]) for figure in figures.values())


def test_a_k_beyond_the_gallery_counts_the_whole_gallery() -> None:
    x, y = unit(np.random.default_rng(0), 6), np.array([0, 0, 1, 1, 2, 2])
    assert retrieval(x, y, recall_at=(ALL,)).values[f"retrieval/recall@{ALL}"].tolist() == [1.0] * 6


@pytest.mark.parametrize("offset", [2**24, 2**40, -5])
def test_large_and_negative_labels_are_told_apart(offset: int) -> None:
    rng = np.random.default_rng(0)
    x, y = unit(rng, 40), rng.integers(0, 20, 40)
    assert retrieval(x, y + offset).figures() == retrieval(x, y).figures()


def test_mrr_counts_matches_far_beyond_the_neighbours_that_are_fetched() -> None:
    """Class 0 has two images at opposite ends of a line; everything else lies between them."""
    angle = 3 * np.linspace(0, 1, 50) ** 1.7  # uneven, so that no two stand equally far
    x = np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)
    y = np.arange(50) % 7 + 1
    y[0] = y[-1] = 0
    check(x, y, ks=(1,))


def test_twins_that_crowd_out_a_querys_own_row_do_not_make_it_its_own_match() -> None:
    x = np.ones((30, 2), dtype=np.float32)
    y = np.arange(30)
    y[29] = 28
    result = retrieval(x, y, recall_at=(1,))
    assert result.unmatched == 28
    assert result.values["retrieval/precision@1"].tolist() == [0.0, 0.0]
    check(x, y, ks=(1, ALL))


def test_count_matches_counts_labels_of_the_gallery() -> None:
    counts = count_matches(np.array([3, 1, 4, -7, 99]), np.array([1, 3, 3, 5]))
    assert counts.tolist() == [2, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (np.ones((3, 2)), np.zeros(2, int), r"embeddings \(3, 2\) and labels \(2,\) do not fit"),
        (np.ones(3), np.zeros(3, int), "do not fit"),
        (np.ones((0, 2)), np.zeros(0, int), "there are no embeddings"),
        (np.ones((3, 2)), np.arange(3), "no query has a match"),
        (np.array([[1, 0], [0, np.nan], [np.inf, 0]]), np.zeros(3, int), "2 of 3 embeddings.*first in row 1"),
    ],
)
def test_what_cannot_be_scored_is_refused(x: np.ndarray, y: np.ndarray, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        retrieval(x.astype(np.float32), y)


def test_a_gallery_of_other_dimensions_or_with_gaps_is_refused() -> None:
    x, y = np.ones((2, 2), np.float32), np.zeros(2, int)
    with pytest.raises(SandboxError, match="queries have 2 dimensions, the gallery 3"):
        retrieval(x, y, gallery=np.ones((2, 3), np.float32), gallery_y=y)
    with pytest.raises(SandboxError, match="first in row 0"):
        retrieval(x, y, gallery=x * np.float32(np.nan), gallery_y=y)


@pytest.mark.parametrize("k", [0, -3])
def test_a_k_below_one_is_refused(k: int) -> None:
    with pytest.raises(SandboxError, match=f"recall@{k} means nothing: k is at least 1"):
        retrieval(np.eye(2), np.zeros(2, int), recall_at=(1, k))


def test_a_gallery_that_knows_none_of_the_labels_is_refused() -> None:
    with pytest.raises(SandboxError, match="no query has a match: no label of a query is in the gallery"):
        retrieval(np.eye(2), np.zeros(2, int), gallery=np.eye(2), gallery_y=np.ones(2, int))


def test_rows_of_zeros_match_nothing_more_than_anything_else() -> None:
    x = np.array([[0, 0], [1, 0], [0, 1], [0, 0]])
    check(x, np.array([0, 1, 1, 0]), metric="cosine")


def test_intervals_resample_the_labels_of_the_scored_queries() -> None:
    rng = np.random.default_rng(4)
    result = retrieval(unit(rng, 80), rng.integers(0, 30, 80))
    figures = result.figures()
    for key, values in result.values.items():
        ((mean,), (low,), (high,)) = bootstrap_means(values, result.labels)
        assert figures[key] == pytest.approx({"value": mean, "low": low, "high": high, "n": len(result.rows)})
        assert figures[key]["low"] <= figures[key]["value"] <= figures[key]["high"]
    assert figures["retrieval/map@r"]["low"] < figures["retrieval/map@r"]["high"]


@pytest.mark.parametrize("index", ["ivf", "hnsw"])
def test_an_approximate_index_is_judged_and_never_beats_what_it_found(index) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(6)
    y = np.repeat(np.arange(150), 10)
    x = unit(rng, 150, 8)[y] + 0.3 * rng.normal(size=(1500, 8)).astype(np.float32)
    exact, quick = retrieval(x, y), retrieval(x, y, index=index)
    assert exact.index_recall is None and "retrieval/index_recall" not in exact.figures()
    assert quick.index_recall is not None and quick.index_recall.shape == (1000,)
    entry = quick.figures()["retrieval/index_recall"]
    assert entry["value"] == pytest.approx(quick.index_recall.mean()) and entry["n"] == 1000
    assert entry["low"] <= entry["value"] <= entry["high"]
    assert quick.figures(intervals=False)["retrieval/index_recall"].keys() == {"value", "n"}
    for key, values in quick.values.items():
        assert values.mean() == pytest.approx(exact.values[key].mean(), abs=0.12)
    assert quick.values["retrieval/recall@10"].mean() <= exact.values["retrieval/recall@10"].mean() + 1e-12
