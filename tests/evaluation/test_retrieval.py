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
from sandbox.evaluation import neighbours
from sandbox.evaluation.retrieval import count_matches, retrieval

ALL = 10_000  # a k beyond every gallery here


def unit(rng: np.random.Generator, n: int, dim: int = 16) -> np.ndarray:
    x = rng.normal(size=(n, dim)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def tied(rng: np.random.Generator, n: int, dim: int = 2) -> np.ndarray:
    """Small whole numbers: inner products are exact, and many are equal."""
    return rng.integers(-1, 2, (n, dim)).astype(np.float32)


def by_brute_force(x, y, gallery, gallery_y, alone, ks):  # type: ignore[no-untyped-def]
    """Each query ranks the gallery by score, then by row; figures follow from their definitions."""
    rows = []
    for i in range(len(x)):
        order = sorted(
            (j for j in range(len(gallery)) if not (alone and j == i)),
            key=lambda j: (-float(np.dot(x[i].astype(float), gallery[j].astype(float))), j),
        )
        hits = [gallery_y[j] == y[i] for j in order]
        r = sum(hits)
        if r == 0:
            continue
        precision = [sum(hits[: place + 1]) / (place + 1) for place in range(r)]
        rows.append(
            {
                "retrieval/precision@1": float(hits[0]),
                "retrieval/r_precision": sum(hits[:r]) / r,
                "retrieval/map@r": sum(p for p, hit in zip(precision, hits[:r], strict=True) if hit) / r,
                "retrieval/mrr": 1 / (hits.index(True) + 1),
                **{f"retrieval/recall@{k}": float(any(hits[:k])) for k in ks},
            }
        )
    return {key: sum(row[key] for row in rows) / len(rows) for key in rows[0]}, len(x) - len(rows)


def check(x, y, gallery=None, gallery_y=None, ks=(1, 3)) -> None:  # type: ignore[no-untyped-def]
    alone = gallery is None
    expected, lone = by_brute_force(x, y, x if alone else gallery, y if alone else gallery_y, alone, ks)
    figures, unmatched = retrieval(x, y, gallery=gallery, gallery_y=gallery_y, recall_at=ks)
    assert figures.keys() == expected.keys()
    assert unmatched == lone
    for key, value in expected.items():
        assert figures[key]["value"] == pytest.approx(value, abs=1e-12), key
        assert figures[key]["n"] == len(x) - lone


@settings(deadline=None, max_examples=40)
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


@settings(deadline=None, max_examples=40)
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


@pytest.mark.parametrize("rows_at_once", [1, 3, 7])
@pytest.mark.parametrize("make", [unit, tied])
def test_the_size_of_a_slice_changes_nothing(make, rows_at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    x, y = make(rng, 60), rng.integers(0, 15, 60)
    whole, _ = retrieval(x, y)
    monkeypatch.setattr(neighbours, "_SLICE", rows_at_once * 12)
    sliced, _ = retrieval(x, y)
    assert {key: figure["value"] for key, figure in sliced.items()} == pytest.approx(
        {key: figure["value"] for key, figure in whole.items()}, abs=1e-12
    )


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
    ours, _ = retrieval(x, y)
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
    ours, _ = retrieval(x, y, gallery=gallery, gallery_y=gallery_y)
    for name, their_name in (("precision@1", "precision_at_1"), ("map@r", "mean_average_precision_at_r")):
        assert ours[f"retrieval/{name}"]["value"] == pytest.approx(theirs[their_name], abs=1e-9)


def test_a_query_without_a_match_is_counted_and_not_scored() -> None:
    x = np.eye(5, dtype=np.float32)
    figures, unmatched = retrieval(x, np.array([0, 1, 2, 2, 9]))
    assert unmatched == 3
    assert {figure["n"] for figure in figures.values()} == {2}


def test_all_of_one_class_is_perfect() -> None:
    figures, unmatched = retrieval(unit(np.random.default_rng(0), 12), np.zeros(12, dtype=np.int64))
    assert unmatched == 0
    assert {figure["value"] for figure in figures.values()} == {1.0}


def test_a_k_beyond_the_gallery_counts_the_whole_gallery() -> None:
    x, y = unit(np.random.default_rng(0), 6), np.array([0, 0, 1, 1, 2, 2])
    assert retrieval(x, y, recall_at=(ALL,))[0][f"retrieval/recall@{ALL}"]["value"] == 1.0


@pytest.mark.parametrize("offset", [2**24, 2**40, -5])
def test_large_and_negative_labels_are_told_apart(offset: int) -> None:
    rng = np.random.default_rng(0)
    x, y = unit(rng, 40), rng.integers(0, 20, 40)
    assert retrieval(x, y + offset) == retrieval(x, y)


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
    figures, unmatched = retrieval(x, y, recall_at=(1,))
    assert unmatched == 28
    assert figures["retrieval/precision@1"]["value"] == 0.0
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
