"""Pairs to look at on either side of a threshold: some hundred of each kind, spread over the scores.

Genuine pairs are drawn from all. Impostors are those that some image finds nearest, which are the hard ones, beside
pairs that are drawn at random.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sandbox.evaluation.retrieval.search import Searcher
from sandbox.evaluation.similarity import as_products
from sandbox.evaluation.verification.metrics import score_pairs
from sandbox.reporting.page.found.operating import Operating
from sandbox.reporting.page.found.searched import Searched
from sandbox.runs.embeddings import KeptSet

MOST = 160
"""Pairs of a kind."""
_POOL = 40_000
_HARD = 4
"""Neighbours of an image that are looked at."""


@dataclass(frozen=True)
class Near:
    """Pairs, rising by score."""

    left: np.ndarray = field(repr=False)
    """(P,) int64 rows."""
    right: np.ndarray = field(repr=False)
    """(P,) int64 rows."""
    scores: np.ndarray = field(repr=False)
    """(P,) float32, as the evaluator has them."""
    same: np.ndarray = field(repr=False)
    """(P,) bool, genuine."""


def near_pairs(kept: KeptSet, counted: Operating, found: Searched | None = None) -> Near:
    """Pairs of both kinds, half of them spread over the scores, half where errors are equal.

    Args:
        kept: embeddings, and pairs where they were given.
        counted: of the same embeddings.
        found: what they find, where that is known.
    """
    if kept.pairs is None:
        left, right = _candidates(kept, found)
        same = kept.labels[left] == kept.labels[right]
    else:
        left, right, same = kept.pairs.left, kept.pairs.right, kept.pairs.same
    apart = left != right
    left, right, same = left[apart], right[apart], same[apart]
    scores = score_pairs(kept.x, left, right)
    frr = 1 - counted.genuine_from / counted.genuine
    middle = counted.threshold[int(np.argmin(np.abs(frr - counted.impostors_from / counted.impostors)))]
    kinds = [np.flatnonzero(same), np.flatnonzero(~same)]
    picked = np.concatenate([kind[_spread(scores[kind], float(middle))] for kind in kinds])
    picked = picked[np.argsort(scores[picked], kind="stable")]
    return Near(left[picked], right[picked], scores[picked], same[picked])


def _spread(scores: np.ndarray, middle: float) -> np.ndarray:
    """Places of up to `MOST` scores: even steps over their range, even steps over their order, and those nearest."""
    order = np.argsort(scores, kind="stable")
    if len(order) <= MOST:
        return order
    wanted = np.linspace(scores[order[0]], scores[order[-1]], MOST // 4)
    by_score = order[np.searchsorted(scores, wanted, sorter=order).clip(max=len(order) - 1)]
    by_order = order[np.linspace(0, len(order) - 1, MOST // 4).astype(np.int64)]
    start = int(np.searchsorted(scores, middle, sorter=order))
    reach = MOST // 4
    around = order[max(0, start - reach) : start + reach]
    return np.unique(np.concatenate([by_score, by_order, around]))


def _candidates(kept: KeptSet, found: Searched | None) -> tuple[np.ndarray, np.ndarray]:
    """(left, right) rows of pairs: within classes, those found nearest, and random ones."""
    random = np.random.default_rng(0)
    y = kept.labels
    order = np.argsort(y, kind="stable")
    counts = np.bincount(y)
    starts = np.cumsum(counts) - counts
    anchors = np.flatnonzero(counts[y] > 1)
    anchors = anchors[random.integers(0, len(anchors), _POOL)] if len(anchors) else anchors
    mates = order[starts[y[anchors]] + random.integers(0, counts[y[anchors]])]
    queries, ids = _nearest(kept, random) if found is None else (found.rows, found.ids)
    drawn = random.integers(0, len(y), (2, _POOL))
    pairs = [(anchors, mates), (np.repeat(queries, ids.shape[1]), ids.ravel()), (drawn[0], drawn[1])]
    together = [np.stack([np.minimum(a, b), np.maximum(a, b)]) for a, b in pairs]
    once = np.unique(np.concatenate(together, axis=1), axis=1)
    return once[0], once[1]


def _nearest(kept: KeptSet, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    queries = random.permutation(len(kept.labels))[: _POOL // _HARD]
    unit = as_products(kept.x)[0]
    return queries, Searcher(unit).search(unit[queries], min(_HARD, len(unit) - 1), own=queries)[0]
