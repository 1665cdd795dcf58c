"""Retrieval: does each query find the images of its class first.

With R the number of gallery images of the query's class (the query itself not counted):
recall@k = 1 if any of the first k is a match; precision@1 the first; R-precision the share of matches in the first R;
MAP@R = 1/R sum_{i<=R} precision@i * [i-th is a match] (Musgrave et al., "A Metric Learning Reality Check", 2020);
MRR = 1 / rank of the first match. Equal scores rank by gallery row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.figures import Figures, few_identities
from sandbox.evaluation.intervals.bootstrap import bootstrap_means
from sandbox.evaluation.retrieval.rating import products, rate_nearest, rate_top, rate_whole
from sandbox.evaluation.retrieval.search import Index, first_match_ranks, index_recall, nearest
from sandbox.evaluation.similarity import Similarity, as_products, check_dimensions, check_embeddings, check_lengths
from sandbox.recipe.extra import Extra


@dataclass(frozen=True)
class Retrieval:
    """What each query that has a match found."""

    values: dict[str, np.ndarray] = field(repr=False)
    """``retrieval/map@r`` and so on -> (Q',) float64, one value for each scored query."""
    rows: np.ndarray = field(repr=False)
    """(Q',) which queries are scored."""
    labels: np.ndarray = field(repr=False)
    """(Q',) their labels."""
    unmatched: int
    """Queries without a match in the gallery: by rule not scored."""
    queries: int
    index_recall: np.ndarray | None = field(default=None, repr=False)
    """Share of the exact neighbours that an approximate index found, for a sample of queries."""

    def figures(self, *, intervals: bool = True) -> Figures:
        """Means with 95 % intervals that resample identities, and the number of unmatched queries.

        Args:
            intervals: leave them out to save time between validations.
        """
        values = np.column_stack(list(self.values.values()))
        marked = few_identities(len(np.unique(self.labels))) if intervals else {}
        if intervals:
            means, low, high = bootstrap_means(values, self.labels)
        figures: Figures = {}
        for place, key in enumerate(self.values):
            entry: dict[str, float | int] = {"value": float(means[place] if intervals else values[:, place].mean())}
            if intervals:
                entry |= {"low": float(low[place]), "high": float(high[place])}
            figures[key] = entry | {"n": len(self.rows)} | marked
        count = self.unmatched
        ends = {"low": count, "high": count} if intervals else {}
        figures["retrieval/unmatched"] = {"value": count, **ends, "n": self.queries}
        if self.index_recall is not None:
            mean, low, high = bootstrap_means(self.index_recall, np.arange(len(self.index_recall)))
            bounds = {"low": float(low[0]), "high": float(high[0])} if intervals else {}
            figures["retrieval/index_recall"] = {"value": float(mean[0]), **bounds, "n": len(self.index_recall)}
        return figures


def retrieval(
    x: np.ndarray,
    y: np.ndarray,
    *,
    gallery: np.ndarray | None = None,
    gallery_y: np.ndarray | None = None,
    recall_at: Sequence[int] = (1, 5, 10),
    metric: Similarity = "cosine",
    index: Index = "flat",
    extra: Sequence[Extra] = (),
) -> Retrieval:
    """What each query finds, in a gallery or among the other rows of x.

    Args:
        x: (N, D) embeddings of any floating type; float16 is widened exactly.
        y: (N,) integer labels.
        gallery: (G, D) to search in; without it each query searches the other rows of `x`.
        gallery_y: (G,) labels of the gallery.
        recall_at: the k of recall@k, 1 or more; a k beyond the gallery counts the whole gallery.
        metric: how alike two rows are; see `as_products`.
        index: ``flat`` is exact; ``ivf`` and ``hnsw`` are approximate, and `Retrieval.index_recall` says how much so.
            With them a match beyond the neighbours that were looked up counts as never found.
        extra: further figures; those of pairs are passed over.

    Raises:
        SandboxError: shapes that do not fit, embeddings that are not finite, no query with a match, a k below 1, or
            figures of the whole gallery with an index that looks at a part of it.
    """
    if any(k < 1 for k in recall_at):
        raise SandboxError(f"recall@{min(recall_at)} means nothing: k is at least 1")
    near, whole = [one for one in extra if one.top], [one for one in extra if one.whole]
    if whole and index != "flat":
        raise SandboxError(
            f"{whole[0]} is of the whole gallery, but the index {index} looks at a part of it; take flat"
        )
    check_embeddings(x, y)
    if (gallery is None) != (gallery_y is None):
        raise SandboxError("a gallery and its labels come together; one of them is missing")
    alone = gallery is None
    against, against_y = (x, y) if gallery is None or gallery_y is None else (gallery, gallery_y)
    if not alone:
        check_embeddings(against, against_y)
        check_dimensions(x, against)
    y, against_y = y.astype(np.int64), against_y.astype(np.int64)
    matches = count_matches(y, against_y) - alone
    scored = np.flatnonzero(matches > 0)
    if len(scored) == 0:
        why = "every class has a single image" if alone else "no label of a query is in the gallery"
        raise SandboxError(f"no query has a match: {why}")
    queries, targets = as_products(x, metric)
    if not alone:
        targets = as_products(against, metric)[1]
        check_lengths(x, against, metric)
        check_lengths(against, x, metric)
    reach = min(max(int(matches.max()), *recall_at, *(one.top for one in near), 1), len(against) - alone)
    # (N, 3): R-precision, MAP@R, rank of the first match or 0
    found, further = np.zeros((len(x), 3)), np.zeros((len(x), len(near)))
    for start, ids, _ in nearest(queries, targets, reach, leave_one_out=alone, index=index):
        part = slice(start, start + len(ids))
        rate_nearest(ids, y[part], against_y, matches[part], found[part])
        further[part] = rate_top(ids, y[part], against_y, matches[part], near)
    if index == "flat":
        late = scored[found[scored, 2] == 0]
        found[late, 2] = first_match_ranks(queries, y, targets, against_y, late, alone=alone)
    checked = None
    if index != "flat":
        checked = index_recall(queries, targets, reach, leave_one_out=alone, index=index)
    values = named(found[scored], recall_at) | {one.key: further[scored, at] for at, one in enumerate(near)}
    if whole:
        values |= named_whole(rate_whole(products(queries, targets), y, against_y, alone=alone)[scored], whole)
    return Retrieval(values, scored, y[scored], len(x) - len(scored), len(x), checked)


def count_matches(y: np.ndarray, gallery_y: np.ndarray) -> np.ndarray:
    """(N,) int64: how many gallery rows have each query's label."""
    labels, counts = np.unique(gallery_y, return_counts=True)
    place = np.searchsorted(labels, y).clip(max=len(labels) - 1)
    return np.where(labels[place] == y, counts[place], 0)


def named(found: np.ndarray, recall_at: Sequence[int]) -> dict[str, np.ndarray]:
    """By key, what `rate_nearest` wrote (Q', 3), the rank of the first match being known of all."""
    first = found[:, 2]
    hit = first > 0
    values = {f"retrieval/recall@{k}": (hit & (first <= k)).astype(np.float64) for k in recall_at}
    return values | {
        "retrieval/precision@1": (first == 1).astype(np.float64),
        "retrieval/r_precision": found[:, 0],
        "retrieval/map@r": found[:, 1],
        "retrieval/mrr": np.divide(1.0, first, out=np.zeros(len(first)), where=hit),
    }


def named_whole(found: np.ndarray, extra: Sequence[Extra]) -> dict[str, np.ndarray]:
    """By key, those figures of the whole gallery that are asked for, of what `rate_whole` gives (Q', 3)."""
    place = {"map": 1, "minp": 2}
    return {one.key: found[:, place[one.name]] for one in extra if one.whole}
