"""Retrieval where rows are queries, gallery or both, and cameras are heeded: re-identification as it is published.

Every gallery row that counts is ranked; from the ranks of a query's matches follow all its figures, those of
`sandbox.evaluation.retrieval.metrics` and the average precision of the whole gallery.

Two average precisions are in use for Market-1501. The authors' MATLAB code (`compute_AP.m`) sums trapezoids,
1/R sum (precision@r + precision@(r - 1)) / 2 over the ranks r of the R matches, with precision@0 = 1; torchreid,
FastReID and the "strong baseline" sum rectangles, 1/R sum precision@r, the average precision of information retrieval.
The second is taken here: it is what newer tables hold, it is `map` elsewhere in this sandbox, and a trapezoid credits
a match with places at which there was none. A match on rank 2 alone is 0.5 by it, and 0.25 by the trapezoid.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit

from sandbox.errors import SandboxError
from sandbox.evaluation.blocks import block_rows, over_blocks
from sandbox.evaluation.retrieval.metrics import Retrieval, named, named_whole
from sandbox.evaluation.retrieval.rating import Block, products, ranks_of
from sandbox.evaluation.roles import Roles
from sandbox.evaluation.similarity import Similarity, as_products, check_embeddings
from sandbox.recipe.extra import Extra

_FIGURES = 5


def retrieval_by_roles(
    x: np.ndarray,
    y: np.ndarray,
    roles: Roles,
    *,
    recall_at: Sequence[int] = (1, 5, 10),
    metric: Similarity = "cosine",
    extra: Sequence[Extra] = (),
) -> Retrieval:
    """What each query finds in the gallery, exactly.

    Args:
        x: (N, D) embeddings of any floating type.
        y: (N,) integer labels.
        roles: of the rows; a gallery row whose label no query has is wrong for all of them, as distractors are.
        recall_at: the k of recall@k, which re-identification calls rank-k, 1 or more.
        metric: how alike two rows are.
        extra: further figures; those of pairs are passed over.

    Raises:
        SandboxError: shapes that do not fit, embeddings that are not finite, a k below 1, or no query with a match.
    """
    check_embeddings(x, y)
    _check_roles(y, roles)
    left, right = as_products(x, metric)
    block = products(left[roles.query], right[roles.gallery])
    return rated_by_roles(block, y, roles, recall_at=recall_at, extra=extra)


def rated_by_roles(
    block: Block, y: np.ndarray, roles: Roles, *, recall_at: Sequence[int] = (1, 5, 10), extra: Sequence[Extra] = ()
) -> Retrieval:
    """The same by any scores (queries, gallery), such as those of re-ranking; equal ones rank by gallery row.

    Raises:
        SandboxError: roles and labels do not fit, a k is below 1, or no query has a match.
    """
    _check_roles(y, roles)
    if any(k < 1 for k in recall_at):
        raise SandboxError(f"recall@{min(recall_at)} means nothing: k is at least 1")
    rows, columns = np.flatnonzero(roles.query), np.flatnonzero(roles.gallery)
    labels, gallery_labels = y[rows].astype(np.int64), y[columns].astype(np.int64)
    # Without cameras each row has one of its own, so that the only row of a query's camera is itself.
    camera = np.arange(len(y)) if roles.camera is None else roles.camera.astype(np.int64)
    near = [one for one in extra if one.top]
    tops = np.array([one.top for one in near], np.int64)
    found, at_k = np.zeros((len(rows), 1 + _FIGURES)), np.zeros((len(rows), len(near), 2))

    def consume(start: int, end: int, worker: int) -> None:
        part = slice(start, end)
        _rate(
            block(start, end),
            labels[part],
            gallery_labels,
            camera[rows[part]],
            camera[columns],
            rows[part],
            columns,
            tops,
            found[part],
            at_k[part],
        )

    if len(columns):
        for _ in over_blocks(len(rows), block_rows(len(columns), 8), consume):
            pass
    scored = np.flatnonzero(found[:, 0] > 0)
    if not len(scored):
        where = "" if roles.camera is None else " that another camera saw"
        raise SandboxError(f"no query has a match{where} in the gallery")
    values = named(found[scored][:, [1, 2, 3]], recall_at)
    values |= {
        one.key: at_k[scored, at, 0] / one.top
        if one.name == "precision"
        else _gain(found[scored, 0], at_k[scored, at, 1], one)
        for at, one in enumerate(near)
    }
    values |= named_whole(found[scored][:, [3, 4, 5]], extra)
    return Retrieval(values, rows[scored], labels[scored], len(rows) - len(scored), len(rows))


def nearest_by_roles(
    x: np.ndarray, y: np.ndarray, roles: Roles, queries: np.ndarray, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """The gallery rows most like each query, among those that count for it.

    Args:
        x: (N, D) rows that are compared by inner product.
        y: (N,) integer labels.
        roles: of the rows.
        queries: (Q,) rows that ask.
        most: neighbours; fewer where less counts for one of the queries.

    Returns:
        ids (Q, K) int64, rows of x, and scores (Q, K) float32, most alike first, equal ones by row.
    """
    columns = np.flatnonzero(roles.gallery)
    camera = np.arange(len(y)) if roles.camera is None else roles.camera
    block = products(x[queries], x[columns])
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    step = block_rows(len(columns), 8)
    for start in range(0, len(queries), step):
        rows = queries[start : start + step, None]
        hidden = (rows == columns) | ((y[rows] == y[columns]) & (camera[rows] == camera[columns]))
        most = min(most, len(columns) - int(hidden.sum(1).max()))
        scores = np.where(hidden, np.float32(-np.inf), block(start, start + len(rows)))
        order = np.argsort(-scores, axis=1, kind="stable")[:, :most]
        parts.append((columns[order], np.take_along_axis(scores, order, 1)))
    ids, found = (np.concatenate([part[which][:, :most] for part in parts]) for which in (0, 1))
    return ids, found


def _check_roles(y: np.ndarray, roles: Roles) -> None:
    if len(roles) != len(y):
        raise SandboxError(f"there are {len(y)} labels, but {len(roles)} rows that are queries or of the gallery")


def _gain(matches: np.ndarray, gained: np.ndarray, one: Extra) -> np.ndarray:
    """nDCG@k: what was gained over what the best order would gain, each (Q',)."""
    best = np.append(0, np.cumsum(1 / np.log2(np.arange(2, one.top + 2))))
    return np.asarray(gained / best[np.minimum(matches.astype(np.int64), one.top)])


@njit(nogil=True, cache=True)
def _rate(
    scores: np.ndarray,
    labels: np.ndarray,
    gallery_labels: np.ndarray,
    camera: np.ndarray,
    gallery_camera: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    tops: np.ndarray,
    out: np.ndarray,
    at_k: np.ndarray,
) -> None:
    """Rank the matches of each query of a block (n, G) of scores.

    Writes into out (n, 6) the number of matches, R-precision, MAP@R, rank of the first match, average precision and
    inverse negative penalty; into at_k (n, K, 2) the matches within each of `tops` (K,) and their discounted gain.
    Rows (n,) and columns (G,) say which image each is.
    """
    width = len(gallery_labels)
    for i in range(len(labels)):
        row = scores[i]
        count = 0
        for j in range(width):
            count += gallery_labels[j] == labels[i] and gallery_camera[j] != camera[i] and columns[j] != rows[i]
        out[i, 0] = count
        if count == 0:
            continue
        place, value = np.empty(count, np.int64), np.empty(count, np.float32)
        at = 0
        for j in range(width):
            if gallery_labels[j] == labels[i] and gallery_camera[j] != camera[i] and columns[j] != rows[i]:
                place[at], value[at] = j, row[j]
                at += 1
        ranks = ranks_of(row, place, value, gallery_labels, labels[i])
        for hit in range(count):
            rank = ranks[hit]
            precision = (hit + 1) / rank
            out[i, 4] += precision / count
            if hit == 0:
                out[i, 3] = rank
            if rank <= count:
                out[i, 1] += 1 / count
                out[i, 2] += precision / count
            if hit == count - 1:
                out[i, 5] = precision
            for k in range(len(tops)):
                if rank <= tops[k]:
                    at_k[i, k, 0] += 1
                    at_k[i, k, 1] += 1 / np.log2(rank + 1)
