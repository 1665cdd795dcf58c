"""The search of people, by one image or by many: what does not hang on the image is done once.

`sandbox.evaluation.nearest` serves a whole evaluation and prepares its gallery in each call; here the gallery stays and
the images come one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.identification.closed_set import Template, templates
from sandbox.evaluation.retrieval.search import Index, faiss_index
from sandbox.recognition.gallery import Rows

# Rows fetched beyond those wanted: a lone tie across the last place is then settled without a second search.
_SPARE = 7
_APPROXIMATE_FETCH = 64
_MOST = 2048  # rows fetched at most; where that many nearly tie, all are scored
_SLICE = 4_000_000  # numbers of fetched rows at once
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Found:
    """The most alike people of Q images, K each."""

    names: np.ndarray
    """(Q, K) object: names, most alike first; None where an approximate index found fewer."""
    scores: np.ndarray
    """(Q, K) float32 cosines, -1 .. 1, with their templates; -inf where an approximate index found fewer."""


class Searcher:
    """People ready to be searched.

    A person's score is the cosine with the mean of their rows, scaled to unit length, or with the most alike of their
    rows. Scores are inner products in float64, rounded to float32; people whose scores are equal stand by name.
    """

    def __init__(self, rows: Rows, template: Template, index: Index = "flat"):
        self.names = np.array(rows.names, dtype=object)
        self.x: np.ndarray = rows.x if template == "best" else mean_rows(rows)
        self.owner: np.ndarray = rows.owner if template == "best" else np.arange(len(self.names))
        self.index = index
        self._faiss: Any = None if index == "flat" else faiss_index(self.x, _APPROXIMATE_FETCH, index)
        # As in `nearest`: float32 sums of D products may stand in the wrong order where they are closer than this.
        longest = np.sqrt(np.einsum("ij,ij->i", self.x, self.x).max())
        self._slack = 2 * self.x.shape[1] ** 0.5 * 2.0**-24 * float(longest)

    def search(self, x: np.ndarray, k: int = 1) -> Found:
        """The k most alike people of each image; all where there are fewer.

        Args:
            x: (Q, D) float unit rows.
            k: people wanted, at least 1.

        Raises:
            SandboxError: rows of another width or not finite, or k below 1.
        """
        if x.ndim != 2 or x.shape[1] != self.x.shape[1]:
            raise SandboxError(f"images to name are {x.shape}, but (N, {self.x.shape[1]}) is what people are kept as")
        if not np.isfinite(x).all():
            raise SandboxError(f"{int((~np.isfinite(x).all(axis=1)).sum())} of {len(x)} embeddings are not finite")
        if k < 1:
            raise SandboxError(f"{k} people are asked for, but at least 1 is")
        x, k = np.ascontiguousarray(x, dtype=np.float32), min(k, len(self.names))
        people, scores = np.empty((len(x), k), np.int64), np.empty((len(x), k), np.float32)
        left, fetch = np.arange(len(x)), k + _SPARE
        while len(left) and fetch <= _MOST:
            settled = np.zeros(len(left), bool)
            step = max(1, _SLICE // (fetch * self.x.shape[1]))
            for start in range(0, len(left), step):
                rows, part = left[start : start + step], slice(start, start + step)
                people[rows], scores[rows], settled[part] = self._once(x[rows], k, min(fetch, len(self.x)))
            left, fetch = left[~settled], 4 * fetch
        for row in left:
            people[row], scores[row] = self._all(x[row], k)
        names = self.names[people]
        names[people < 0] = None
        return Found(names, scores)

    def _once(self, x: np.ndarray, k: int, fetch: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """People (n, k), scores (n, k), and of which images (n,) they are sure, given so many rows of the gallery."""
        rows, last = self._fetch(x, fetch)
        scores = np.einsum("qd,qkd->qk", x.astype(np.float64), self.x[rows].astype(np.float64)).astype(np.float32)
        scores[rows < 0] = -np.inf
        order = np.lexsort((rows, -scores), axis=1)
        rows, scores = np.take_along_axis(rows, order, 1), np.take_along_axis(scores, order, 1)
        people = np.where(rows < 0, -1, self.owner[rows])
        first = _first(people) & (people >= 0)  # of several rows of one person, the most alike
        order = np.argsort(~first, axis=1, kind="stable")[:, :k]
        people, scores = np.take_along_axis(people, order, 1), np.take_along_axis(scores, order, 1)
        lacking = ~np.take_along_axis(first, order, 1)
        people[lacking], scores[lacking] = -1, -np.inf
        # Beyond what was fetched nothing scores above `last`, but for rounding.
        sure = scores[:, -1] > last + self._slack
        return (
            _padded(people, k, -1),
            _padded(scores, k, -np.inf),
            sure | (fetch == len(self.x)) | (self.index != "flat"),
        )

    def _all(self, x: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """People (k,) and scores (k,) of one image, from its scores with all rows."""
        scores = np.empty(len(self.x), np.float32)
        for start in range(0, len(scores), _BLOCK):
            rows = self.x[start : start + _BLOCK].astype(np.float64)
            scores[start : start + _BLOCK] = np.einsum("d,kd->k", x.astype(np.float64), rows)
        best = np.maximum.reduceat(scores, np.flatnonzero(np.diff(self.owner, prepend=-1)))
        people = np.argsort(-best, kind="stable")[:k]
        return people, best[people]

    def _fetch(self, x: np.ndarray, fetch: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows (n, fetch) that score highest in float32, -1 for none, and the lowest score (n,) among them."""
        import faiss

        if self._faiss is None:
            scores, rows = faiss.knn(x, self.x, fetch, metric=faiss.METRIC_INNER_PRODUCT)
        else:
            scores, rows = self._faiss.search(x, fetch)
        return rows, scores[:, -1]


def _first(people: np.ndarray) -> np.ndarray:
    """(n, m) bool: whether no place to the left in its row holds the same."""
    order = np.argsort(people, axis=1, kind="stable")
    new = np.diff(np.take_along_axis(people, order, 1), axis=1, prepend=-2) != 0
    first = np.empty(people.shape, bool)
    np.put_along_axis(first, order, new, 1)
    return first


def _padded(values: np.ndarray, k: int, fill: float) -> np.ndarray:
    """(n, k) of (n, m), where an approximate index fetched fewer."""
    return np.pad(values, ((0, 0), (0, k - values.shape[1])), constant_values=fill)


def mean_rows(rows: Rows) -> np.ndarray:
    """(people, D) float32: the template of each person; a single row is its own."""
    starts = np.flatnonzero(np.diff(rows.owner, prepend=-1))
    if len(starts) == len(rows):
        return rows.x
    return templates(rows.x, starts).astype(np.float32)
