from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.evaluation.lint import identical_rows
from sandbox.evaluation.lint.identical_rows import first_identical, row_blocks

SEEDS = st.integers(0, 10**6)


def by_loop(*arrays: np.ndarray) -> list[int]:
    """Each row against all before it, as numbers."""
    rows = [row for array in arrays for row in array]
    return [next(j for j in range(i + 1) if (rows[i] == rows[j]).all()) for i in range(len(rows))]


@settings(max_examples=100)
@given(SEEDS, st.lists(st.integers(0, 15), min_size=1, max_size=3), st.sampled_from([(), (1,), (5,), (2, 1, 3)]))
def test_the_first_identical_row_is_that_of_a_loop(seed: int, sizes: list[int], shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(seed)
    dtypes = [rng.choice(["u1", "f2", "f4", "f8"]) for _ in sizes]  # of several arrays the widest is compared
    arrays = [rng.integers(0, 2, (size, *shape)).astype(dtype) for size, dtype in zip(sizes, dtypes, strict=True)]
    for array in arrays:
        if array.dtype.kind == "f":
            array *= rng.choice([-1, 1], array.shape).astype(array.dtype)  # makes -0.0, which equals 0.0
    first = first_identical(*arrays)
    assert first.dtype == np.int64
    assert first.tolist() == by_loop(*arrays)


def test_rows_without_columns_are_all_the_same() -> None:
    assert first_identical(np.empty((4, 0))).tolist() == [0, 0, 0, 0]


def test_rows_that_are_not_a_number_are_told_apart_by_their_bytes() -> None:
    x = np.array([[np.nan, 1], [np.nan, 2], [np.nan, 1]])
    assert first_identical(x).tolist() == [0, 1, 0]


@pytest.mark.parametrize("block", [1, 7, 40])
def test_the_size_of_a_block_changes_nothing(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).integers(0, 2, (40, 4)).astype(np.float32)
    whole = first_identical(x)
    monkeypatch.setattr(identical_rows, "_BLOCK", block)
    assert first_identical(x).tolist() == whole.tolist() == by_loop(x)


@given(st.integers(0, 40), st.integers(0, 12), st.integers(1, 30))
def test_blocks_take_each_row_once_and_are_never_wider_than_asked(rows: int, width: int, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identical_rows, "_BLOCK", block)
        parts = [range(rows)[part] for part in row_blocks(rows, width)]
    assert [row for part in parts for row in part] == list(range(rows))
    assert all(len(part) == 1 or len(part) * width <= block for part in parts)


@given(SEEDS, st.integers(0, 12), st.sampled_from(["u1", "f4", "f8"]))
def test_rows_that_share_a_hash_are_told_apart_by_their_bytes(seed: int, n: int, dtype: str) -> None:
    x = np.random.default_rng(seed).integers(0, 2, (n, 3)).astype(dtype)
    first = [next(j for j in range(n) if (x[i] == x[j]).all()) for i in range(n)]
    rows = identical_rows._Rows(x)
    for hashes in (np.zeros(n, np.uint64), x[:, 0].astype(np.uint64), identical_rows._hashes(rows)):
        assert identical_rows._first_twins(rows, hashes).tolist() == first


def test_hashes_of_rows_that_differ_in_little_differ() -> None:
    grid = np.array(list(itertools.product(range(6), repeat=5)))
    for dtype in (np.uint8, np.float16, np.float32, np.float64):
        assert len(np.unique(identical_rows._hashes(identical_rows._Rows(grid.astype(dtype))))) == len(grid)
