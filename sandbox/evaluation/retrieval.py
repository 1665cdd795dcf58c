"""Retrieval: does each query find the images of its class first.

With R the number of gallery images of the query's class (the query itself not counted):
recall@k = 1 if any of the first k is a match; precision@1 the first; R-precision the share of matches in the first R;
MAP@R = 1/R sum_{i<=R} precision@i * [i-th is a match] (Musgrave et al., "A Metric Learning Reality Check", 2020);
MRR = 1 / rank of the first match.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.neighbours import nearest

Figures = dict[str, dict[str, float | int]]


def retrieval(
    x: np.ndarray,
    y: np.ndarray,
    *,
    gallery: np.ndarray | None = None,
    gallery_y: np.ndarray | None = None,
    recall_at: Sequence[int] = (1, 5, 10),
) -> tuple[Figures, int]:
    """Mean figures over the queries that have a match, and how many queries have none.

    Args:
        x: (N, D) float32 embeddings; more alike means a larger inner product (unit rows: cosine).
        y: (N,) integer labels.
        gallery: (G, D) to search in; without it each query searches the other rows of `x`.
        gallery_y: (G,) labels of the gallery.
        recall_at: the k of recall@k; a k beyond the gallery counts the whole gallery.

    Returns:
        ``{"retrieval/map@r": {"value": v, "n": queries}, ...}``, and the number of queries without a match, which by
        rule are not scored.

    Raises:
        SandboxError: shapes that do not fit, embeddings that are not finite, or no query with a match.
    """
    check_embeddings(x, y)
    alone = gallery is None
    against, against_y = (x, y) if gallery is None or gallery_y is None else (gallery, gallery_y)
    if not alone:
        check_embeddings(against, against_y)
        if against.shape[1] != x.shape[1]:
            raise SandboxError(f"queries have {x.shape[1]} dimensions, the gallery {against.shape[1]}")
    matches = count_matches(y, against_y) - alone
    scored = np.flatnonzero(matches > 0)
    if len(scored) == 0:
        raise SandboxError("no query has a match: every class has a single image")
    reach = min(max(int(matches.max()), *recall_at, 1), len(against) - alone)
    sums = dict.fromkeys([*(f"retrieval/recall@{k}" for k in recall_at), *_RANKED], 0.0)
    for start, ids, _ in nearest(x, against, reach, leave_one_out=alone):
        rows = slice(start, start + len(ids))
        use = matches[rows] > 0
        hit = (against_y[ids] == y[rows, None])[use]
        _add(sums, hit, matches[rows][use], recall_at)
        missed = ~hit.any(1)
        if missed.any():
            queries = np.flatnonzero(use)[missed] + start
            sums["retrieval/mrr"] += _late_ranks(x, y, against, against_y, queries, alone)
    return {key: {"value": float(total / len(scored)), "n": len(scored)} for key, total in sums.items()}, len(y) - len(
        scored
    )


_RANKED = ("retrieval/precision@1", "retrieval/r_precision", "retrieval/map@r", "retrieval/mrr")


def count_matches(y: np.ndarray, gallery_y: np.ndarray) -> np.ndarray:
    """(N,) int64: how many gallery rows have each query's label."""
    labels, counts = np.unique(gallery_y, return_counts=True)
    place = np.searchsorted(labels, y).clip(max=len(labels) - 1)
    return np.where(labels[place] == y, counts[place], 0)


def check_embeddings(x: np.ndarray, y: np.ndarray) -> None:
    """Refuse what no figure could be trusted on.

    Raises:
        SandboxError: x is not (N, D), y not (N,), a row is not finite (the first is named), or nothing is there.
    """
    if x.ndim != 2 or y.ndim != 1 or len(x) != len(y):
        raise SandboxError(f"embeddings {x.shape} and labels {y.shape} do not fit: (N, D) and (N,) are needed")
    if len(x) == 0:
        raise SandboxError("there are no embeddings to evaluate")
    bad = ~np.isfinite(x).all(axis=1)
    if bad.any():
        raise SandboxError(
            f"{int(bad.sum())} of {len(x)} embeddings are not finite, the first in row {int(bad.argmax())}"
        )


def _add(sums: dict[str, float], hit: np.ndarray, matches: np.ndarray, recall_at: Sequence[int]) -> None:
    """Add the figures of a slice of queries; `hit` (n, k) says which neighbours match."""
    places = np.arange(1, hit.shape[1] + 1)
    for k in recall_at:
        sums[f"retrieval/recall@{k}"] += float(hit[:, :k].any(1).sum())
    sums["retrieval/precision@1"] += float(hit[:, 0].sum())
    within = hit & (places <= matches[:, None])
    precision = within.cumsum(1) / places
    sums["retrieval/r_precision"] += float((within.sum(1) / matches).sum())
    sums["retrieval/map@r"] += float(((precision * within).sum(1) / matches).sum())
    found = hit.any(1)
    sums["retrieval/mrr"] += float((1.0 / (hit[found].argmax(1) + 1)).sum())


def _late_ranks(
    x: np.ndarray, y: np.ndarray, gallery: np.ndarray, gallery_y: np.ndarray, queries: np.ndarray, alone: bool
) -> float:
    """Sum of 1/rank for queries whose first match lies beyond the neighbours that were fetched."""
    total = 0.0
    for start in range(0, len(queries), 256):
        block = queries[start : start + 256]
        scores = x[block] @ gallery.T
        if alone:
            scores[np.arange(len(block)), block] = -np.inf
        match = gallery_y[None, :] == y[block, None]
        if alone:
            match[np.arange(len(block)), block] = False
        best = np.where(match, scores, -np.inf).max(1)
        first = np.where(match & (scores == best[:, None]), np.arange(len(gallery)), len(gallery)).min(1)
        ahead = (scores > best[:, None]) | ((scores == best[:, None]) & (np.arange(len(gallery)) < first[:, None]))
        total += float((1.0 / (ahead.sum(1) + 1)).sum())
    return total
