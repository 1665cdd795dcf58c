"""Retrieval by any scores: what `retrieval` says of inner products, of a matrix that comes in blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.blocks import block_rows, over_blocks
from sandbox.evaluation.retrieval.metrics import Retrieval, count_matches, named, named_whole
from sandbox.evaluation.retrieval.rating import Block, own_columns, rank_matches, rate_nearest, rate_top
from sandbox.evaluation.retrieval.top_k import select_top
from sandbox.recipe.extra import Extra


def retrieval_by_scores(
    block: Block,
    y: np.ndarray,
    gallery_y: np.ndarray,
    *,
    alone: bool,
    recall_at: Sequence[int] = (1, 5, 10),
    extra: Sequence[Extra] = (),
) -> Retrieval:
    """What each query finds by these scores; equal ones rank by gallery row.

    Args:
        block: the scores, higher is more alike; called in several threads.
        y: (Q,) integer labels of the queries.
        gallery_y: (G,) of the gallery.
        alone: query i is gallery row i, and is not its own neighbour.
        recall_at: the k of recall@k.
        extra: further figures; those of pairs are passed over.

    Raises:
        SandboxError: no query has a match.
    """
    y, gallery_y = y.astype(np.int64), gallery_y.astype(np.int64)
    matches = count_matches(y, gallery_y) - alone
    scored = np.flatnonzero(matches > 0)
    if not len(scored):
        raise SandboxError("no query has a match")
    near = [one for one in extra if one.top]
    reach = min(max(int(matches.max()), *recall_at, *(one.top for one in near), 1), len(gallery_y) - alone)
    found, whole, further = np.zeros((len(y), 3)), np.zeros((len(y), 3)), np.zeros((len(y), len(near)))

    def consume(start: int, end: int, worker: int) -> None:
        part, scores, own = slice(start, end), block(start, end), own_columns(start, end, alone)
        ids, best = np.empty((end - start, reach), np.int64), np.empty((end - start, reach), np.float32)
        select_top(scores, own, ids, best)
        rate_nearest(ids, y[part], gallery_y, matches[part], found[part])
        further[part] = rate_top(ids, y[part], gallery_y, matches[part], near)
        rank_matches(scores, own, y[part], gallery_y, whole[part])

    for _ in over_blocks(len(y), block_rows(len(gallery_y), 8), consume):
        pass
    found[:, 2] = whole[:, 0]
    values = named(found[scored], recall_at) | {one.key: further[scored, at] for at, one in enumerate(near)}
    values |= named_whole(whole[scored], extra)
    return Retrieval(values, scored, y[scored], len(y) - len(scored), len(y))
