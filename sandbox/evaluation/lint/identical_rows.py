"""Rows that are identical, in an array or between arrays, found without comparing each with each.

Rows are the same where their bytes are, with -0.0 equal to 0.0; bytes are found by a 64-bit hash, and each find is
confirmed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_BLOCK = 1 << 18  # numbers at a time: what is copied stays in the cache


def first_identical(*arrays: np.ndarray) -> np.ndarray:
    """For each row the first row with the same bytes, which is the row itself where there is none before it.

    Args:
        arrays: one or more of (N, ...), of any dtypes and one shape of row; their rows count on from one array to the
            next. Arrays of several dtypes are compared in the one that NumPy promotes them to.

    Returns:
        (sum of N,) int64 places.
    """
    rows = _Rows(*arrays)
    return _first_twins(rows, _hashes(rows))


def row_blocks(rows: int, width: int) -> Iterator[slice]:
    """Slices of rows, in order, such that a block of rows of this width stays in the cache."""
    step = max(1, _BLOCK // max(width, 1))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


class _Rows:
    """The rows of one array, or of several as if they were one, as 64-bit words of their bytes."""

    def __init__(self, *arrays: np.ndarray):
        self.arrays = arrays
        self.shape, self.dtype = arrays[0].shape[1:], np.result_type(*arrays)
        self.bytes = int(np.prod(self.shape)) * self.dtype.itemsize
        self.width = -(-self.bytes // 8)

    def __len__(self) -> int:
        return sum(map(len, self.arrays))

    def words(self, places: np.ndarray) -> np.ndarray:
        """(n, width) uint64 of these rows; the last word is filled up with zeros."""
        values, start = np.empty((len(places), *self.shape), self.dtype), 0
        for array in self.arrays:
            mine = (places >= start) & (places < start + len(array))
            values[mine] = array[places[mine] - start]
            start += len(array)
        if self.dtype.kind == "f":
            values += self.dtype.type(0)  # -0.0 + 0.0 is 0.0
        out = np.zeros((len(places), self.width), np.uint64)
        if self.bytes:
            out.view(np.uint8)[:, : self.bytes] = values.reshape(len(places), -1).view(np.uint8)
        return out


def _first_twins(rows: _Rows, hashes: np.ndarray) -> np.ndarray:
    """`first_identical`, given a hash of each row: (N,) uint64, equal where the rows are."""
    first = np.arange(len(rows))
    left = first.copy()
    while len(left):  # once, but for rows that share a hash and not their bytes
        left = left[np.argsort(hashes[left], kind="stable")]
        new = np.append(True, hashes[left][1:] != hashes[left][:-1])
        leader = left[np.maximum.accumulate(np.where(new, np.arange(len(left)), 0))]
        row, leader = left[~new], leader[~new]
        equal = np.ones(len(row), bool)
        for part in row_blocks(len(row), rows.width):
            equal[part] = (rows.words(row[part]) == rows.words(leader[part])).all(1)
        first[row[equal]] = leader[equal]
        left = np.sort(row[~equal])
    return first


def _hashes(rows: _Rows) -> np.ndarray:
    """(N,) uint64: each word is mixed with a key of its place, and the words are added up."""
    keys = np.random.default_rng(0).integers(0, 2**64, rows.width, dtype=np.uint64)
    out = np.empty(len(rows), np.uint64)
    for part in row_blocks(len(rows), rows.width):
        words = rows.words(np.arange(part.start, part.stop))
        words ^= keys
        words *= np.uint64(0x9E3779B97F4A7C15)
        words ^= words >> np.uint64(32)
        words *= np.uint64(0xD6E8FEB86659FD93)
        words ^= words >> np.uint64(29)
        out[part] = words.sum(axis=1, dtype=np.uint64)
    return out
