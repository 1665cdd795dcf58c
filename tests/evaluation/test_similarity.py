from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.evaluation.similarity import SIMILARITIES, as_products, check_dimensions, check_embeddings, check_lengths


def by_definition(x: np.ndarray, metric: str) -> np.ndarray:
    """(N, N) float64: each pair on its own."""
    wide = x.astype(np.float64)
    out = np.zeros((len(x), len(x)))
    for i, a in enumerate(wide):
        for j, b in enumerate(wide):
            if metric == "l2":
                out[i, j] = -((a - b) ** 2).sum()
            elif metric == "dot":
                out[i, j] = (a * b).sum()
            elif a.any() and b.any():
                a_unit, b_unit = a / np.abs(a).max(), b / np.abs(b).max()
                out[i, j] = (a_unit * b_unit).sum() / ((a_unit**2).sum() * (b_unit**2).sum()) ** 0.5
    return out


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 20), st.sampled_from(["f2", "f4", "f8"]))
@pytest.mark.parametrize("metric", SIMILARITIES)
def test_products_are_the_similarity_by_its_definition(metric, seed: int, n: int, dim: int, kind: str) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, dim)).astype(kind)
    x[rng.integers(n)] = 0
    left, right = as_products(x, metric)
    scores = left.astype(np.float64) @ right.astype(np.float64).T
    # Cosine and dot round each row to float32, l2 does not.
    np.testing.assert_allclose(scores, by_definition(x, metric), rtol=0, atol=1e-12 if metric == "l2" else 2e-5)
    assert scores == pytest.approx(scores.T, abs=1e-12)
    assert len(left) == len(right) == n


def test_types_and_widths_are_as_promised() -> None:
    x = np.ones((4, 3), np.float16)
    for metric in ("cosine", "dot"):
        left, right = as_products(x, metric)  # type: ignore[arg-type]
        assert left is right and left.shape == (4, 3) and left.dtype == np.float32
    left, right = as_products(x, "l2")
    assert left.shape == right.shape == (4, 5) and left.dtype == right.dtype == np.float64


def test_float16_is_widened_exactly_before_anything_is_computed() -> None:
    x = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float16) * np.float16(300)  # squares overflow float16
    for metric in SIMILARITIES:
        for narrow, wide in zip(as_products(x, metric), as_products(x.astype(np.float64), metric), strict=True):  # type: ignore[arg-type]
            np.testing.assert_array_equal(narrow, wide)


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e-3, 1e30, 1e300])
def test_length_does_not_change_a_cosine(scale: float) -> None:
    x = np.random.default_rng(1).normal(size=(20, 6))
    scaled, plain = as_products(x * scale)[0], as_products(x)[0]
    np.testing.assert_allclose(scaled, plain, rtol=3e-7)
    np.testing.assert_allclose(np.linalg.norm(scaled.astype(np.float64), axis=1), 1, atol=2e-7)


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("length", [1e30, 1e-30])
def test_rows_of_very_different_length_are_each_brought_to_length_one(kind: str, length: float) -> None:
    x = np.array([[3.0, 4.0], [3 * length, 4 * length], [0, 0]]).astype(kind)
    np.testing.assert_allclose(as_products(x)[0], [[0.6, 0.8], [0.6, 0.8], [0.0, 0.0]], rtol=2e-7)


def test_the_smallest_numbers_there_are_have_a_direction_too() -> None:
    x = np.array([[5e-324, 0], [0, -5e-324], [5e-324, 5e-324]])
    np.testing.assert_allclose(as_products(x)[0], [[1, 0], [0, -1], [0.5**0.5, 0.5**0.5]], rtol=1e-7)


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("metric", ["dot", "l2"])
def test_lengths_beyond_float32_are_refused_without_a_warning(metric, kind: str) -> None:  # type: ignore[no-untyped-def]
    x = np.full((2, 2), 1e30).astype(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(SandboxError, match=r"squared length .* give scores beyond float32; scale them"):
            as_products(x, metric)
        with pytest.raises(SandboxError, match="beyond float32"):
            as_products(np.full((2, 2), 1e200), metric)
        left, right = as_products(np.full((2, 2), 1e18), metric)
        assert np.isfinite((left.astype(np.float64) @ right.T.astype(np.float64)).astype(np.float32)).all()


def people(length: float) -> np.ndarray:
    """(24, 8) float64 rows about as long as said."""
    return np.random.default_rng(2).normal(size=(24, 8)) * (length / 8**0.5)


@pytest.mark.parametrize("length", [1e-24, 10**-19.3, 1e-20, 1e-17, 1e-45, 1e-300, 5e-324])
def test_rows_whose_scores_vanish_in_float32_are_refused_by_all_but_cosine(length: float) -> None:
    x = people(length) if length > 1e-323 else (people(1) > 0) * length
    for metric, what in (("dot", "dot products"), ("l2", "squared distances")):
        with pytest.raises(SandboxError, match=rf"{what} of embeddings this short vanish in float32 .* row \d+, has"):
            as_products(x, metric)  # type: ignore[arg-type]
    assert np.linalg.norm(as_products(x)[0], axis=1) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("metric", ["dot", "l2"])
def test_short_rows_among_long_ones_are_refused_unless_there_is_one(metric) -> None:  # type: ignore[no-untyped-def]
    x = people(1)
    x[4] *= 1e-24
    as_products(x, metric)
    x[7] *= 1e-24
    with pytest.raises(SandboxError, match=r"the shortest of 24, row [47], has length \d.*e-25"):
        as_products(x, metric)


@pytest.mark.parametrize("metric", ["dot", "l2"])
def test_rows_of_zeros_are_no_short_rows(metric) -> None:  # type: ignore[no-untyped-def]
    x = people(1)
    x[3:6] = 0
    as_products(x, metric)
    as_products(np.zeros((4, 3)), metric)


def test_short_queries_are_refused_where_the_gallery_makes_their_scores_vanish() -> None:
    x, gallery = people(1), people(1e-12)
    x[5] *= 1e-30
    as_products(x, "dot"), as_products(gallery, "dot")  # each is well on its own
    check_lengths(x, people(1), "dot")
    with pytest.raises(SandboxError, match="the shortest of 24, row 5"):
        check_lengths(x, gallery, "dot")


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from(SIMILARITIES), st.sampled_from(["f2", "f4", "f8"]))
def test_duplicates_stay_duplicates_wherever_they_stand(seed: int, metric, kind: str) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(9, 7)).astype(kind)
    order = rng.integers(0, 9, 40)
    for once, often in zip(as_products(x, metric), as_products(x[order], metric), strict=True):
        np.testing.assert_array_equal(once[order], often)


def test_an_unknown_similarity_is_refused() -> None:
    with pytest.raises(SandboxError, match="no similarity named 'euclid'; there are cosine, dot, l2"):
        as_products(np.ones((2, 2)), "euclid")  # type: ignore[arg-type]


ROWS = np.ones((3, 2))


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (ROWS, np.zeros(2, int), r"embeddings \(3, 2\) and labels \(2,\) do not fit: \(N, D\) and \(N,\) are needed"),
        (ROWS[0], np.zeros(2, int), "do not fit"),
        (ROWS, np.zeros((3, 1), int), "do not fit"),
        (ROWS[:0], np.zeros(0, int), "there are no embeddings to evaluate"),
        (ROWS[:, :0], np.zeros(3, int), "there are no embeddings to evaluate"),
        (ROWS, np.zeros(3), "labels are float64, but must be integers"),
        (ROWS, np.array([0, 2**63, 1], np.uint64), f"label {2**63} is beyond int64; number the classes from 0"),
        (np.array([[1, 0], [np.inf, 0], [0, np.nan]]), np.zeros(3, int), "2 of 3 embeddings .*, the first in row 1"),
    ],
)
def test_what_no_figure_could_be_trusted_on_is_refused(x: np.ndarray, y: np.ndarray, said: str) -> None:
    with pytest.raises(SandboxError, match=said) as caught:
        check_embeddings(x, y)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.uint64])
def test_labels_of_any_integer_type_are_accepted(kind: type) -> None:
    check_embeddings(ROWS, np.array([0, 1, 127], kind))


def test_queries_and_gallery_of_different_width_are_refused() -> None:
    check_dimensions(ROWS, ROWS[:1])
    with pytest.raises(SandboxError, match="queries have 2 dimensions, the gallery 3"):
        check_dimensions(ROWS, np.ones((2, 3)))
