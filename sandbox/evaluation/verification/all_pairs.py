"""Every pair of rows scored and counted in one pass, without keeping the pairs.

Genuine scores, which are few, are sorted; each impostor score is placed among them, so that AUC is exact, not bounded.
Where there are more than `_MOST_LEVELS` genuine pairs, they are taken in windows of the score with a pass for each.
Scores are inner products in float64, rounded to float32: equal pairs then tie, whichever block they came from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.blocks import block_rows, evenly, over_blocks, threads
from sandbox.evaluation.intervals.influence import DenseSpread, Moments
from sandbox.evaluation.verification.counting import Grid, count_impostors, make_grid
from sandbox.evaluation.verification.roc import Curve, curve_from_counts, joined

_MOST_LEVELS = 1 << 22
_SAMPLE_ROWS = 128
_TABLES = 1 << 28  # bytes that the identities' tables of all threads may take


@dataclass(frozen=True)
class AllPairs:
    """What is known of all pairs after one pass."""

    curve: Curve
    spread: DenseSpread
    moments: Moments


def count_all_pairs(
    left: np.ndarray, right: np.ndarray, y: np.ndarray, *, far: Sequence[float] = (), thresholds: Sequence[float] = ()
) -> AllPairs:
    """Count every pair of rows.

    Args:
        left: (N, D), and
        right: (N, D): ``left[i] @ right[j]`` is the score of i and j, the same as of j and i.
        y: (N,) int64; a pair is genuine where they agree.
        far: false accept rates that the curve must answer exactly.
        thresholds: further scores at which it must answer.

    Raises:
        SandboxError: no genuine or no impostor pair.
    """
    rows = _Sorted(left, right, y)
    grids = _grids(rows, np.asarray(thresholds, dtype=np.float32))
    pieces, spread = [], None
    remaining = rows.genuine
    for grid, at in grids:
        slots, by_impostor = _count(rows, grid)
        piece = curve_from_counts(grid.levels, at, slots, rows.genuine, rows.impostors, remaining)
        remaining -= int(at.sum())
        pieces.append(piece if at.sum() == rows.genuine else piece.thinned(far, thresholds))
        if spread is None:
            spread = DenseSpread(grid.edges, _genuine_by_identity(rows, grid), by_impostor)
    assert spread is not None
    return AllPairs(joined(pieces), spread, rows.moments())


class _Sorted:
    """Rows sorted by class, so that the impostors of a row are one stretch of columns."""

    def __init__(self, left: np.ndarray, right: np.ndarray, y: np.ndarray):
        order = np.argsort(y, kind="stable")
        labels, self.identity, size = np.unique(y[order], return_inverse=True, return_counts=True)
        self.left = np.ascontiguousarray(left[order], dtype=np.float64)
        self.right = self.left if right is left else np.ascontiguousarray(right[order], dtype=np.float64)
        self.identity = self.identity.astype(np.int32)
        self.starts = np.append(0, np.cumsum(size))
        self.ends = self.starts[1:][self.identity]
        self.identities = len(labels)
        n = len(y)
        self.genuine = int((size.astype(object) * (size - 1)).sum() // 2)
        self.impostors = n * (n - 1) // 2 - self.genuine
        if not self.genuine or not self.impostors:
            which = "genuine" if not self.genuine else "impostor"
            raise SandboxError(
                f"verification needs both kinds of pair; there is no {which} pair among {n * (n - 1) // 2}"
            )

    def __len__(self) -> int:
        return len(self.left)

    def genuine_scores(self) -> Iterator[tuple[int, np.ndarray]]:
        """(identity, (m,) float32 scores) of the pairs within each class, large classes in parts."""
        upper: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for identity in np.flatnonzero(np.diff(self.starts) > 1):
            start, end = self.starts[identity], self.starts[identity + 1]
            for first in range(start, end - 1, 1024):
                last = min(first + 1024, end)
                scores = (self.left[first:last] @ self.right[first:end].T).astype(np.float32)
                if end - first <= 64:
                    if end - first not in upper:
                        upper[end - first] = np.triu_indices(end - first, 1)
                    yield int(identity), scores[upper[end - first]]
                else:
                    yield int(identity), scores[np.triu_indices(last - first, 1, end - first)]

    def sample(self) -> tuple[np.ndarray, np.ndarray]:
        """Genuine and impostor scores of rows spread evenly over the classes; each at least one."""
        rows = evenly(len(self), _SAMPLE_ROWS)
        lonely = int(np.flatnonzero(np.diff(self.starts) > 1)[0])  # some class has a pair
        rows = np.union1d(rows, [self.starts[lonely]])
        scores = (self.left[rows] @ self.right.T).astype(np.float32)
        same = self.identity[rows, None] == self.identity[None, :]
        impostors = scores[~same]
        scores[np.arange(len(rows)), rows] = np.nan
        genuine = scores[same]
        return genuine[~np.isnan(genuine)], impostors

    def moments(self) -> Moments:
        """Means and variances of the scores, from sums over rows: no pair is looked at."""
        every, every_square = _sums(self.left, self.right)
        own = np.einsum("ij,ij->i", self.left, self.right)
        total = np.array([(every - own.sum()) / 2, (every_square - (own**2).sum()) / 2])
        genuine = np.zeros(2)
        for identity in np.flatnonzero(np.diff(self.starts) > 1):
            part = slice(self.starts[identity], self.starts[identity + 1])
            once, square = _sums(self.left[part], self.right[part])
            genuine += [(once - own[part].sum()) / 2, (square - (own[part] ** 2).sum()) / 2]
        impostors = total - genuine
        g, i = genuine / self.genuine, impostors / self.impostors
        return Moments(*(float(v) for v in (g[0], max(g[1] - g[0] ** 2, 0.0), i[0], max(i[1] - i[0] ** 2, 0.0))))


def _sums(left: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Sum of left[i] @ right[j] over all i and j, and of its square."""
    once = float(left.sum(0) @ right.sum(0))
    if len(left) < left.shape[1]:
        return once, float(((left @ right.T) ** 2).sum())
    return once, float(((left.T @ left) * (right.T @ right)).sum())


def _grids(rows: _Sorted, thresholds: np.ndarray) -> Iterator[tuple[Grid, np.ndarray]]:
    """The genuine scores, sorted, with how many pairs have each; in windows of the score where they are many."""
    sampled, impostors = rows.sample()
    for low, high in _windows(rows):
        parts, kept = [], 0
        merged, at = np.empty(0, np.float32), np.empty(0, np.int64)
        for _, scores in rows.genuine_scores():
            parts.append(scores[(scores >= low) & (scores < high)])
            kept += len(parts[-1])
            if kept > 2 * _MOST_LEVELS:  # only where very many tie
                merged, at = _merge(merged, at, np.concatenate(parts))
                parts, kept = [], 0
        merged, at = _merge(merged, at, np.concatenate([*parts, np.empty(0, np.float32)]))
        asked = np.setdiff1d(thresholds[(thresholds >= low) & (thresholds < high)], merged)
        if len(asked):
            where = np.searchsorted(merged, asked)
            merged, at = np.insert(merged, where, asked), np.insert(at, where, 0)
        if len(merged):
            genuine = np.repeat(merged, np.minimum(at, 1)) if rows.genuine <= _MOST_LEVELS else sampled
            yield make_grid(merged, genuine, impostors), at


def _merge(levels: np.ndarray, at: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    new, count = np.unique(scores, return_counts=True)
    if not len(levels):
        return new, count.astype(np.int64)
    both, place = np.unique(np.concatenate([levels, new]), return_inverse=True)
    return both, np.bincount(place, weights=np.concatenate([at, count])).astype(np.int64)


def _windows(rows: _Sorted) -> list[tuple[float, float]]:
    """Stretches of the score, each with at most about `_MOST_LEVELS` genuine pairs."""
    if rows.genuine <= _MOST_LEVELS:
        return [(-np.inf, np.inf)]
    sampled, _ = rows.sample()
    low, high = float(sampled.min()), float(sampled.max())
    edges = np.linspace(low, high, (1 << 20) + 1) if high > low else np.array([low, low + 1])
    count = np.zeros(len(edges) + 1, np.int64)
    for _, scores in rows.genuine_scores():
        count += np.bincount(np.searchsorted(edges, scores, side="right"), minlength=len(count))
    window = (np.cumsum(count) - 1) // _MOST_LEVELS
    cuts = edges[np.flatnonzero(np.diff(window))]
    ends = [-np.inf, *np.unique(cuts).tolist(), np.inf]
    return list(pairwise(ends))


def _count(rows: _Sorted, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """(slots, by_identity) of every impostor pair."""
    largest = int(np.diff(rows.starts).max()) * len(rows)
    kind = np.int32 if largest < 2**31 else np.int64
    table_bytes = rows.identities * grid.bins * np.dtype(kind).itemsize
    workers = max(1, min(threads(), _TABLES // table_bytes))
    slots = [np.zeros(2 * len(grid.levels) + 1, np.int64) for _ in range(workers)]
    by_identity = [np.zeros((rows.identities, grid.bins), kind) for _ in range(workers)]

    def consume(start: int, end: int, worker: int) -> None:
        first = int(rows.ends[start])
        if first == len(rows):
            return
        count_impostors(
            rows.left[start:end] @ rows.right[first:].T,
            rows.ends[start:end] - first,
            rows.identity[start:end],
            rows.identity[first:],
            grid.levels,
            grid.low,
            grid.scale,
            grid.first,
            grid.coarse,
            slots[worker],
            by_identity[worker],
        )

    for _ in over_blocks(len(rows), block_rows(len(rows), 8), consume, workers):
        pass
    return sum(slots[1:], slots[0]), sum(by_identity[1:], by_identity[0])


def _genuine_by_identity(rows: _Sorted, grid: Grid) -> np.ndarray:
    table = np.zeros((rows.identities, grid.bins), np.int64)
    for identity, scores in rows.genuine_scores():
        table[identity] += np.bincount(grid.bin_of(scores), minlength=grid.bins)
    return table
