"""The search of people: the exact search of rows, of which the most alike of each person counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.identification.closed_set import Template, templates
from sandbox.evaluation.retrieval.search import Index, Searcher
from sandbox.recognition.gallery import Gallery

_MOST = 64  # neighbours that an approximate index looks the wider for
_SLICE = 4_000_000  # numbers of fetched rows at once


@dataclass(frozen=True)
class Found:
    """The most alike people of Q images, K each."""

    names: np.ndarray
    """(Q, K) object: names, most alike first; None where an approximate index found fewer."""
    scores: np.ndarray
    """(Q, K) float32 cosines, -1 .. 1, with their templates; -inf where an approximate index found fewer."""


class PeopleSearcher:
    """Enrolled people, prepared to be searched by many images or one after the other.

    A person's score is the cosine with the mean of their rows, scaled to unit length, or with the most alike of their
    rows. Scores are inner products in float64, rounded to float32; people whose scores are equal stand by name.
    """

    def __init__(self, rows: Gallery, template: Template, index: Index = "flat"):
        self.names = np.array(rows.names, dtype=object)
        self.x: np.ndarray = rows.x if template == "best" else mean_rows(rows)
        self.person: np.ndarray = rows.person if template == "best" else np.arange(len(self.names))
        self._rows = Searcher(self.x, index, most=_MOST)

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
        people, scores = np.full((len(x), k), -1), np.full((len(x), k), -np.inf, np.float32)
        left, fetch = np.arange(len(x)), min(k, len(self.x))
        while len(left):
            step = max(1, _SLICE // (fetch * self.x.shape[1]))
            short = [self._fetched(x, left[at : at + step], fetch, people, scores) for at in range(0, len(left), step)]
            left = np.concatenate(short) if fetch < len(self.x) else left[:0]
            fetch = min(4 * fetch, len(self.x))
        names = self.names[people]
        names[people < 0] = None
        return Found(names, scores)

    def _fetched(
        self, x: np.ndarray, rows: np.ndarray, fetch: int, people: np.ndarray, scores: np.ndarray
    ) -> np.ndarray:
        """Fill in the people of some images from so many gallery rows; returns the images that these do not do for."""
        ids, _ = self._rows.search(x[rows], fetch)
        # Gallery stand person after person, so that rows of one score stand by name as well.
        whose = np.where(ids < 0, -1, self.person[ids])
        first = _first(whose) & (whose >= 0)  # of several rows of one person, the most alike
        k = people.shape[1]
        order = np.argsort(~first, axis=1, kind="stable")[:, :k]
        there = np.take_along_axis(first, order, 1)
        width = order.shape[1]
        best = np.take_along_axis(ids, order, 1)
        exact = np.einsum("qd,qkd->qk", x[rows].astype(np.float64), self.x[best].astype(np.float64))
        people[rows[:, None], np.arange(width)] = np.where(there, np.take_along_axis(whose, order, 1), -1)
        scores[rows[:, None], np.arange(width)] = np.where(there, exact.astype(np.float32), -np.inf)
        return rows[(first.sum(axis=1) < k) & (ids >= 0).all(axis=1)]


def _first(people: np.ndarray) -> np.ndarray:
    """(n, m) bool: whether no place to the left in its row holds the same."""
    order = np.argsort(people, axis=1, kind="stable")
    new = np.diff(np.take_along_axis(people, order, 1), axis=1, prepend=-2) != 0
    first = np.empty(people.shape, bool)
    np.put_along_axis(first, order, new, 1)
    return first


def mean_rows(rows: Gallery) -> np.ndarray:
    """(people, D) float32: the template of each person; a single row is its own."""
    starts = np.flatnonzero(np.diff(rows.person, prepend=-1))
    if len(starts) == len(rows):
        return rows.x
    return templates(rows.x, starts).astype(np.float32)
