"""The search of people against a loop over all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.evaluation.identification.closed_set import Template, search
from sandbox.evaluation.retrieval import search as neighbours
from sandbox.recognition.gallery import Gallery, make_gallery
from sandbox.recognition.search import PeopleSearcher, mean_rows


def ranked(x: np.ndarray, rows: Gallery, template: Template) -> list[tuple[np.float32, str]]:
    """Everybody, the most alike first, equal ones by name."""
    scores = []
    for place, name in enumerate(rows.names):
        own = rows.x[rows.person == place]
        if template == "mean":
            mean = own.astype(np.float64).sum(axis=0)
            near = mean / (np.linalg.norm(mean) or 1) if len(own) > 1 else own[0]
            own = mean_rows(rows)[place : place + 1]  # to the last bit, which a sum in another order may move
            np.testing.assert_allclose(own[0], near, atol=1e-6)
        scores.append((max(np.float32(row.astype(np.float64) @ x.astype(np.float64)) for row in own), name))
    return sorted(scores, key=lambda row: (-row[0], row[1]))


@given(st.integers(0, 10**6), st.integers(1, 30), st.sampled_from(["mean", "best"]), st.integers(1, 4), st.booleans())
@pytest.mark.parametrize("many", [1, 192])
def test_the_most_alike_come_first_and_ties_by_name(
    many: int, seed: int, people: int, template: Template, k: int, tied: bool
) -> None:
    rng = np.random.default_rng(seed)
    whose = [f"p{place:03d}" for place in rng.integers(0, people, 2 * people)]
    raw = rng.integers(-1, 2, (len(whose), 2)) if tied else rng.normal(size=(len(whose), 4))
    raw = raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-9)
    nothing = [""] * len(whose)
    rows = make_gallery(raw.astype(np.float32), whose, nothing, nothing, nothing)
    x = np.concatenate([rows.x[:3], rng.normal(size=(3, raw.shape[1])).astype(np.float32)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "_MANY", many)  # by FAISS, and by the bucket sort
        patch.setattr(neighbours, "_FEW", 4)
        found = PeopleSearcher(rows, template).search(x, k)
    for probe, names, scores in zip(x, found.names, found.scores, strict=True):
        expected = ranked(probe, rows, template)[:k]
        assert names.tolist() == [name for _, name in expected]
        assert scores.tolist() == [score for score, _ in expected]


def test_many_rows_of_one_person_do_not_hide_the_next(some_rows: Callable[..., Gallery]) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 8))
    x[:300] = x[0] + 0.01 * x[:300]
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    whose = ["crowd"] * 300 + [f"p{place}" for place in range(100)]
    nothing = [""] * 400
    rows = make_gallery(x, whose, nothing, nothing, nothing)
    found = PeopleSearcher(rows, "best").search(x[:2], 5)
    assert [names.tolist() for names in found.names] == [[n for _, n in ranked(p, rows, "best")[:5]] for p in x[:2]]


@pytest.mark.parametrize("template", ["mean", "best"])
def test_it_agrees_with_the_search_of_the_evaluation(template: Template, some_rows: Callable[..., Gallery]) -> None:
    rng = np.random.default_rng(1)
    rows, probes = some_rows(rng, 40, 5), some_rows(rng, 60, 1)
    top = search(probes.x, probes.person, rows.x, rows.person, template=template).top
    np.testing.assert_allclose(PeopleSearcher(rows, template).search(probes.x).scores[:, 0], top, atol=2e-7)


def test_rows_that_cancel_have_no_direction() -> None:
    x = np.array([[1, 0], [-1, 0], [0, 1]], np.float32)
    rows = make_gallery(x, ["a", "a", "b"], *[[""] * 3] * 3)
    assert mean_rows(rows).tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize("index", ["ivf", "hnsw"])
def test_an_index_finds_most_of_what_is_there(index: str, some_rows: Callable[..., Gallery]) -> None:
    rows = some_rows(np.random.default_rng(0), 500, 3)
    exact, quick = (PeopleSearcher(rows, "mean", kind).search(rows.x, 3) for kind in ("flat", index))  # type: ignore[arg-type]
    there = np.not_equal(quick.names, None)
    assert (quick.scores[~there] == -np.inf).all() and np.isfinite(quick.scores[there]).all()
    assert 0.6 < (quick.names[:, 0] == exact.names[:, 0]).mean() <= 1


@pytest.mark.parametrize(
    ("x", "k", "words"),
    [
        (np.zeros((2, 5), np.float32), 1, r"\(2, 5\), but \(N, 6\)"),
        (np.full((2, 6), np.nan, np.float32), 1, "2 of 2 embeddings are not finite"),
        (np.zeros((2, 6), np.float32), 0, "0 people are asked for"),
    ],
)
def test_what_cannot_be_searched_for_is_refused(
    x: np.ndarray, k: int, words: str, some_rows: Callable[..., Gallery]
) -> None:
    with pytest.raises(SandboxError, match=words):
        PeopleSearcher(some_rows(np.random.default_rng(0), 4, 2), "mean").search(x, k)


def test_no_images_give_no_names(some_rows: Callable[..., Gallery]) -> None:
    found = PeopleSearcher(some_rows(np.random.default_rng(0), 4, 2), "mean").search(np.empty((0, 6), np.float32), 2)
    assert found.names.shape == found.scores.shape == (0, 2)
