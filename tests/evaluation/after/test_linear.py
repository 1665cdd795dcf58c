from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.decomposition import PCA

from sandbox.errors import SandboxError
from sandbox.evaluation.after.linear import fit_linear
from sandbox.recipe.after import Step, parse_steps


def step(text: str) -> Step:
    return parse_steps(text)[0]


def rows(seed: int, n: int, dim: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, dim)) * np.linspace(0.2, 2, dim) + 0.7
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def cosines(x: np.ndarray) -> np.ndarray:
    x = x.astype(np.float64)
    return x @ x.T / np.outer(np.linalg.norm(x, axis=1), np.linalg.norm(x, axis=1))


@pytest.mark.parametrize(("n", "dim", "dims"), [(200, 12, 5), (200, 12, 12), (9, 30, 8), (9, 30, 4)])
def test_pca_and_whitening_give_the_cosines_of_scikit_learns(n: int, dim: int, dims: int) -> None:
    held, test = rows(1, n, dim), rows(2, 40, dim)
    for name, whiten in (("pca", False), ("whiten", True)):
        got = fit_linear(step(f"{name}({dims})"), held, "validation").apply(test)
        theirs = PCA(dims, whiten=whiten, svd_solver="full").fit(held.astype(np.float64)).transform(test)
        np.testing.assert_allclose(cosines(got), cosines(theirs), atol=2e-5)
        assert got.shape == (40, dims) and got.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1, atol=1e-6)


def test_whitened_rows_of_the_fit_have_no_direction_that_stands_out() -> None:
    held = rows(3, 500, 10)
    fitted = fit_linear(step("whiten(6)"), held, "validation")
    assert fitted.turn is not None
    np.testing.assert_allclose(np.cov((held - fitted.mean) @ fitted.turn, rowvar=False, ddof=0), np.eye(6), atol=1e-6)


def test_centring_takes_the_mean_of_the_fit_off_and_of_no_other_rows() -> None:
    held, test = rows(4, 50, 7), rows(5, 20, 7)
    moved = test.astype(np.float64) - held.astype(np.float64).mean(0)
    got = fit_linear(step("center"), held, "validation").apply(test)
    np.testing.assert_allclose(got, moved / np.linalg.norm(moved, axis=1, keepdims=True), atol=1e-6)


def test_without_dims_all_is_kept_that_the_rows_span() -> None:
    flat = rows(6, 60, 8)
    flat[:, 5:] = 0
    for held, spanned in ((flat, 5), (rows(6, 60, 8), 8), (rows(6, 4, 8), 3)):
        assert fit_linear(step("whiten"), held, "validation").apply(rows(7, 3, 8)).shape == (3, spanned)


@pytest.mark.parametrize(
    ("text", "held", "said"),
    [
        ("whiten(9)", rows(1, 50, 8), "whiten(9) keeps 9 dimensions, but the embeddings have 8 before it"),
        ("pca(8)", rows(1, 8, 8), "pca(8) is fitted on validation, whose 8 rows allow 7 dimensions at most"),
        ("whiten(3)", np.eye(3, 6, dtype="f4")[[0, 1, 1, 0, 1]], "whiten(3) keeps 3 dimensions, but the 5 rows of"),
        ("whiten", np.ones((4, 6), "f4"), "whiten keeps 1 dimension, but the 4 rows of validation"),
        ("whiten", np.ones((1, 6), "f4"), "whiten is fitted on validation, whose 1 row allows 0 dimensions"),
    ],
)
def test_more_dimensions_than_rows_or_columns_allow_are_refused(text: str, held: np.ndarray, said: str) -> None:
    with pytest.raises(SandboxError, match=re.escape(said)):
        fit_linear(step(text), held, "validation")
