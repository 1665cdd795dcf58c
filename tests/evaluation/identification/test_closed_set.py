from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.evaluation.identification import closed_set as identification
from sandbox.evaluation.identification.closed_set import cmc, search

from galleries import Case, by_loop, case_of


def closed_set(*case: np.ndarray, **how: Any) -> np.ndarray:
    return search(*case, **how).rank


CASES = st.builds(case_of, st.integers(0, 10**6), st.sampled_from([1, 2, 1000]))


@settings(max_examples=80)
@given(CASES, st.sampled_from(["best", "mean"]))
def test_rank_and_top_equal_those_of_a_loop_over_people(case: Case, template: str) -> None:
    probes, probe_y, gallery, gallery_y = case
    if template == "mean":  # not on a tie that the order of a sum decides: whole numbers have none in one dimension
        gallery = gallery + np.random.default_rng(0).normal(size=gallery.shape).astype(np.float32)
    found = search(probes, probe_y, gallery, gallery_y, template=template)  # type: ignore[arg-type]
    expected = [by_loop(p, int(right), gallery, gallery_y, template) for p, right in zip(probes, probe_y, strict=True)]
    assert found.rank.tolist() == [rank for rank, _ in expected]
    assert found.top.tolist() == pytest.approx([top for _, top in expected], rel=1e-6, abs=1e-12)
    assert found.rank.dtype == np.int64 and found.top.dtype == np.float32
    assert ((found.rank > 0) == found.mated).all()


@settings(max_examples=40)
@given(CASES, st.integers(0, 10**6), st.sampled_from(["best", "mean"]), st.integers(1, 30))
def test_neither_the_order_of_rows_nor_the_chunks_matter(case: Case, seed: int, template: str, chunk: int) -> None:
    probes, probe_y, gallery, gallery_y = case
    whole = closed_set(probes, probe_y, gallery, gallery_y, template=template)  # type: ignore[arg-type]
    order = np.random.default_rng(seed).permutation(len(gallery))
    shuffled = closed_set(probes, probe_y, gallery[order], gallery_y[order], template=template)  # type: ignore[arg-type]
    np.testing.assert_array_equal(whole, shuffled)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identification, "_CHUNK", chunk)
        np.testing.assert_array_equal(whole, closed_set(probes, probe_y, gallery, gallery_y, template=template))  # type: ignore[arg-type]


def test_people_who_tie_with_the_right_one_stand_ahead() -> None:
    gallery, gallery_y = np.array([[1.0, 0], [1, 0], [1, 0], [0, 1]]), np.array([3, 1, 2, 4])
    probes = np.array([[1.0, 0], [1, 0], [0, 1], [1, 1]])
    assert closed_set(probes, np.array([1, 3, 4, 4]), gallery, gallery_y).tolist() == [3, 3, 1, 4]
    # Two rows of one person that tie are still one person.
    assert closed_set(probes[:1], np.array([1]), gallery, np.array([1, 1, 1, 4])).tolist() == [1]


def test_best_and_mean_templates_differ_where_they_should() -> None:
    gallery, gallery_y = np.array([[1.0, 0], [0, 1], [0.8, 0.6]]), np.array([1, 1, 2])
    probe = np.array([[1.0, 0]])
    best = search(probe, np.array([1]), gallery, gallery_y, template="best")
    mean = search(probe, np.array([1]), gallery, gallery_y, template="mean")
    assert (best.rank.tolist(), mean.rank.tolist()) == ([1], [2])
    assert best.top[0] == 1 and mean.top[0] == np.float32(0.8)
    assert search(np.array([[3.0, 4]]), np.array([1]), gallery, gallery_y, template="mean").top[0] == np.float32(
        4.949747468
    )


def test_a_template_that_cancels_scores_zero_with_everybody() -> None:
    found = search(
        np.eye(2), np.array([1, 2]), np.array([[1.0, 0], [-1, 0], [0, -1]]), np.array([1, 1, 2]), template="mean"
    )
    assert found.top.tolist() == [0, 0] and found.rank.tolist() == [2, 2]


def test_failures_are_misses_and_are_never_accepted() -> None:
    x, y = np.eye(3), np.array([1, 2, 9])
    x[2], failed = np.nan, np.array([False, False, True])
    gallery, gallery_y = np.eye(3)[:2], np.array([1, 2])
    assert closed_set(np.eye(3), y, gallery, gallery_y, failed=np.array([True, False, False])).tolist() == [0, 1, 0]
    found = search(x, y, gallery, gallery_y, failed=failed, gallery_failed=np.array([False, True]))
    assert found.rank.tolist() == [1, 0, 0]  # 2 could not be enrolled
    assert found.mated.tolist() == [True, True, False]
    assert found.top.tolist() == [1, 0, -np.inf]
    nobody = search(x, y, gallery, gallery_y, failed=failed, gallery_failed=np.ones(2, bool))
    assert nobody.rank.tolist() == [0, 0, 0] and nobody.mated.tolist() == [True, True, False]
    assert np.isneginf(nobody.top).all()


def test_cmc_never_finds_rank_zero() -> None:
    hits = cmc(np.array([1, 0, 3, 2]), [1, 2, 100])
    assert {k: hit.tolist() for k, hit in hits.items()} == {
        1: [True, False, False, False],
        2: [True, False, False, True],
        100: [True, False, True, True],
    }
    with pytest.raises(SandboxError, match="a rank counts from 1; 0 was asked for"):
        cmc(np.array([1]), [0])


X, Y = np.eye(4), np.array([1, 1, 2, 2])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: closed_set(X, Y[:3], X, Y), "probes (4, 4) with labels (3,) do not fit: (N, D) with (N,) are needed"),
        (lambda: closed_set(X, Y, X, Y, failed=np.zeros(3, bool)), "with labels (4,) and failures (3,) do not fit"),
        (lambda: closed_set(X, Y, X[:, :2], Y), "probes have 4 dimensions, the gallery 2"),
        (lambda: closed_set(X, Y, X[:0], Y[:0]), "the gallery is empty: nobody is enrolled"),
        (
            lambda: closed_set(X, Y, np.where(X > 0, np.inf, X)[::-1], Y),
            "4 of 4 gallery rows are not finite, the first is row 0",
        ),
        (lambda: closed_set(X, Y, X, Y, template="median"), "a template is 'best' or 'mean', not 'median'"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_searched_is_refused_in_one_sentence(call, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SandboxError) as caught:
        call()
    assert words in str(caught.value) and "\n" not in str(caught.value)
