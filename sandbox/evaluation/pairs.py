"""Scores of pairs, and which pairs are genuine: what every figure over them asks before it counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sandbox.errors import SandboxError

Precision = type[np.float32] | type[np.float64]


def check_shapes(scores: np.ndarray, same: np.ndarray) -> None:
    """Refuse scores (M,) that do not stand beside same (M,).

    Raises:
        SandboxError: other shapes.
    """
    if scores.ndim != 1 or scores.shape != same.shape:
        raise SandboxError(f"scores {scores.shape} and same {same.shape} do not fit: both are (M,)")


def check_finite(scores: np.ndarray, precision: Precision = np.float32) -> np.ndarray:
    """The scores as floating point of this precision.

    Args:
        scores: (M,) numbers.
        precision: what they are compared in; a score beyond its range is not finite.

    Raises:
        SandboxError: a score that is not finite (the first is named).
    """
    with np.errstate(over="ignore"):
        scores = np.asarray(scores).astype(precision)
    bad = ~np.isfinite(scores)
    if bad.any():
        raise SandboxError(
            f"{int(bad.sum()):,} of {len(scores):,} scores are not finite as {scores.dtype}, "
            f"the first in row {bad.argmax()}"
        )
    return scores


def check_scores(
    scores: np.ndarray, same: np.ndarray, precision: Precision = np.float32
) -> tuple[np.ndarray, np.ndarray]:
    """The scores as floating point of this precision, and same as bool.

    Args:
        scores: (M,) higher is more alike.
        same: (M,) whether a pair is genuine.
        precision: what the scores are compared in.

    Raises:
        SandboxError: shapes that do not fit, no pairs, or a score that is not finite (the first is named).
    """
    scores, same = np.asarray(scores), np.asarray(same)
    check_shapes(scores, same)
    if len(scores) == 0:
        raise SandboxError("there are no pairs: a score is needed for one or more")
    return check_finite(scores, precision), same.astype(bool)


@dataclass(frozen=True)
class Pairs:
    """Pairs of images of one split, each to be called same or different."""

    left: np.ndarray
    """(M,) int64 indices into the ImageSet of the split."""
    right: np.ndarray
    """(M,) int64 indices into the ImageSet of the split."""
    same: np.ndarray
    """(M,) bool, True where both images show one class."""
    fold: np.ndarray | None = None
    """(M,) int64 folds for cross-validation, counted from 1, or None."""
    notes: tuple[str, ...] = ()
    """Sentences on how the list was read that they are from."""

    def __len__(self) -> int:
        """How many pairs."""
        return len(self.same)

    @property
    def mix(self) -> tuple[int, int]:
        """How many are genuine, and how many are not."""
        genuine = int(np.count_nonzero(self.same))
        return genuine, len(self) - genuine
