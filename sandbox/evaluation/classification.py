"""Classification: which of the classes that were trained on is it.

Ties count against the classifier, in every figure alike: a class whose logit equals that of the right class stands
ahead of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sandbox.errors import SandboxError

_CHUNK = 4_000_000  # logits looked at together


@dataclass(frozen=True)
class Confused:
    """Two classes of which one is taken for the other."""

    truth: int
    taken_for: int
    n: int
    """Samples of the first that are taken for the second."""
    of: int
    """Samples of the first."""


@dataclass(frozen=True)
class Classification:
    """Top-k hits of N samples, and what each was taken for."""

    hits: dict[int, np.ndarray]
    """For each k asked for (N,) bool: the right class is among the first k. The mean is the top-k accuracy."""
    y: np.ndarray
    """(N,) int64, the truth."""
    taken_for: np.ndarray
    """(N,) int64, the first class of each sample; not the right one where another ties with it."""

    def most_confused(self, most: int = 5) -> list[Confused]:
        """The pairs of classes confused most often, by samples, then by share of the class, then by number."""
        wrong = self.y != self.taken_for
        pairs, counts = np.unique(np.stack([self.y[wrong], self.taken_for[wrong]], 1), axis=0, return_counts=True)
        of = np.bincount(self.y)
        found = [Confused(int(a), int(b), int(n), int(of[a])) for (a, b), n in zip(pairs, counts, strict=True)]
        return sorted(found, key=lambda one: (-one.n, -one.n / one.of, one.truth, one.taken_for))[:most]


def classification(logits: np.ndarray, y: np.ndarray, *, top: Sequence[int] = (1, 5)) -> Classification:
    """Top-k hits, and what every sample was taken for.

    Args:
        logits: (N, C) float, larger is more likely; an infinite logit is a logit like any other.
        y: (N,) integer labels 0..C-1.
        top: the k of top-k; a k of C or more is always hit.

    Raises:
        SandboxError: shapes that do not fit, a label outside 0..C-1, a logit that is NaN, or a k below 1.
    """
    if logits.ndim != 2 or y.shape != (len(logits),) or not logits.size:
        raise SandboxError(f"logits {logits.shape} and labels {y.shape} do not fit: (N, C) and (N,) are needed")
    if any(k < 1 for k in top):
        raise SandboxError(f"top-k counts from 1; {min(top)} was asked for")
    classes = logits.shape[1]
    outside = (y < 0) | (y >= classes)
    if outside.any():
        row = int(outside.argmax())
        raise SandboxError(
            f"{int(outside.sum())} of {len(y)} labels lie outside 0..{classes - 1}, the classes that have a logit; "
            f"the first is {y[row]} in row {row}"
        )
    rank, taken_for = _rank(logits, y)
    return Classification({k: rank <= k for k in top}, y.astype(np.int64), taken_for)


def _rank(logits: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rank of the right class, and the first class: the right one only where nothing ties with it.

    Raises:
        SandboxError: a logit that is NaN; its row is named.
    """
    rank, taken_for = np.empty(len(y), np.int64), np.empty(len(y), np.int64)
    step = max(1, _CHUNK // logits.shape[1])
    for start in range(0, len(y), step):
        block, right = logits[start : start + step], y[start : start + step]
        bad = np.isnan(block).any(axis=1)
        if bad.any():
            raise SandboxError(f"logits hold NaN, first in row {start + int(bad.argmax())}")
        each = np.arange(len(block))
        ahead = (block >= block[each, right][:, None]).sum(axis=1)
        other = np.ones(block.shape, bool)
        other[each, right] = False
        best = np.where(other, block, -np.inf).max(axis=1)
        rival = (other & (block == best[:, None])).argmax(axis=1)
        rank[start : start + step] = ahead
        taken_for[start : start + step] = np.where(ahead == 1, right, rival)
    return rank, taken_for
