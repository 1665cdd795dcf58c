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
class Classification:
    """What N samples of C classes were taken for."""

    hits: dict[int, np.ndarray]
    """For each k asked for (N,) bool: the right class is among the first k. The mean is the top-k accuracy."""
    class_accuracy: np.ndarray
    """(C,) float64, the share of each class's samples that are right at the first place; NaN for a class without
    samples, which has no accuracy and is to be left out of a table or a mean."""
    class_n: np.ndarray
    """(C,) int64, samples of each class."""
    y: np.ndarray
    """(N,) int64, the truth."""
    taken_for: np.ndarray
    """(N,) int64, the first class of each sample; not the right one where another ties with it."""

    @property
    def confusion(self) -> np.ndarray:
        """(C, C) int64, rows are the truth, columns what it was taken for.

        Made when asked for: a hundred thousand classes have accuracies, but no room for their square.
        """
        classes = len(self.class_n)
        cells = np.bincount(self.y * classes + self.taken_for, minlength=classes**2)
        return cells.reshape(classes, classes)

    @property
    def mean_class_accuracy(self) -> float:
        """The mean over the classes that have samples, each weighing the same."""
        return float(self.class_accuracy[self.class_n > 0].mean())


def classification(logits: np.ndarray, y: np.ndarray, *, top: Sequence[int] = (1, 5)) -> Classification:
    """Top-k hits, the accuracy of each class, and what every sample was taken for.

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
    y = y.astype(np.int64)
    class_n = np.bincount(y, minlength=classes)
    with np.errstate(invalid="ignore"):
        class_accuracy = np.bincount(y[rank == 1], minlength=classes) / class_n
    return Classification({k: rank <= k for k in top}, class_accuracy, class_n, y, taken_for)


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
