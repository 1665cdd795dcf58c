"""Verification: do genuine pairs score above impostor pairs.

Everything comes from one table: for each distinct genuine score, how many genuine and how many impostor pairs reach it.
The true accept rate changes only at genuine scores, so the table holds every point that AUC, EER and TAR@FAR need, and
the impostor scores, which are many, are counted and never kept. Scores are inner products in float64, rounded to
float32: equal pairs then tie exactly, whichever block of a matrix product they came from.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.retrieval import Figures, check_embeddings

_BLOCK = 512


def verify_all_pairs(x: np.ndarray, y: np.ndarray, *, far: Sequence[float]) -> Figures:
    """Verification over every pair of rows, scored by their inner product, without keeping the pairs.

    Args:
        x: (N, D) float32 embeddings; unit rows make the score the cosine.
        y: (N,) integer labels; a pair is genuine where they agree.
        far: false accept rates at which the true accept rate is wanted.

    Raises:
        SandboxError: embeddings that are not finite, or no genuine or no impostor pair.
    """
    check_embeddings(x, y)
    order = np.argsort(y, kind="stable")
    x, y = x[order].astype(np.float64), y[order]
    class_end = np.searchsorted(y, y, side="right")
    counts = _Counts(_genuine_scores(x, class_end))
    for start in range(0, len(x), _BLOCK):
        rows = slice(start, min(start + _BLOCK, len(x)))
        first = int(class_end[start])  # rows are sorted by class: every later class makes an impostor pair
        scores = (x[rows] @ x[first:].T).astype(np.float32)
        counts.add(scores[np.arange(first, len(x)) >= class_end[rows, None]])
    return counts.figures(far)


def verify_scores(scores: np.ndarray, same: np.ndarray, *, far: Sequence[float]) -> Figures:
    """Verification over given scores.

    Args:
        scores: (M,) higher is more alike; compared as float32.
        same: (M,) bool, whether a pair is genuine.
        far: false accept rates at which the true accept rate is wanted.

    Raises:
        SandboxError: scores that are not finite, or no genuine or no impostor pair.
    """
    if scores.shape != same.shape or scores.ndim != 1:
        raise SandboxError(f"scores {scores.shape} and same {same.shape} do not fit: both are (M,)")
    if not np.isfinite(scores).all():
        raise SandboxError(f"{int((~np.isfinite(scores)).sum())} of {len(scores)} scores are not finite")
    scores, same = scores.astype(np.float32), same.astype(bool)
    counts = _Counts(scores[same])
    counts.add(scores[~same])
    return counts.figures(far)


def verify_pairs(
    x: np.ndarray, left: np.ndarray, right: np.ndarray, same: np.ndarray, *, far: Sequence[float]
) -> Figures:
    """Verification over given pairs of rows of x (N, D), scored by their inner product."""
    wide = x.astype(np.float64)
    scores = np.concatenate(
        [np.einsum("ij,ij->i", wide[left[s : s + 8192]], wide[right[s : s + 8192]]) for s in range(0, len(left), 8192)]
        or [np.empty(0)]
    )
    return verify_scores(scores, same, far=far)


def _genuine_scores(x: np.ndarray, class_end: np.ndarray) -> np.ndarray:
    """Scores of all pairs within a class, for rows sorted by class."""
    parts = []
    start = 0
    while start < len(x):
        block = x[start : class_end[start]]
        parts.append((block @ block.T)[np.triu_indices(len(block), 1)].astype(np.float32))
        start = int(class_end[start])
    return np.concatenate(parts)


class _Counts:
    """How many genuine and impostor pairs lie at and above each distinct genuine score."""

    def __init__(self, genuine: np.ndarray):
        self.levels, self.at = np.unique(genuine, return_counts=True)  # ascending
        self.between = np.zeros(len(self.levels) + 1, np.int64)  # impostors from level i-1 up to, not at, level i
        self.tied = np.zeros(len(self.levels), np.int64)  # impostors equal to level i

    def add(self, impostors: np.ndarray) -> None:
        """Count impostor scores (m,) float32."""
        if not len(self.levels):
            self.between[0] += len(impostors)
            return
        place = np.searchsorted(self.levels, impostors, side="right")
        self.between += np.bincount(place, minlength=len(self.between))
        below = np.maximum(place - 1, 0)
        equal = self.levels[below] == impostors
        self.tied += np.bincount(below[equal & (place > 0)], minlength=len(self.tied))

    def figures(self, far: Sequence[float]) -> Figures:
        """AUC (ties count half), EER and TAR@FAR, each with the number of pairs behind it."""
        genuine, impostors = int(self.at.sum()), int(self.between.sum())
        if not genuine or not impostors:
            which = "genuine" if not genuine else "impostor"
            raise SandboxError(
                f"verification needs both kinds of pair; there is no {which} pair among {genuine + impostors}"
            )
        below = np.cumsum(self.between)[:-1]  # impostors strictly below each level
        auc = float((self.at * (below + 0.5 * self.tied)).sum() / (genuine * impostors))
        tar = self.at[::-1].cumsum()[::-1] / genuine
        accepted = impostors - below  # impostors at or above each level
        pairs = genuine + impostors
        eer = _equal_error(tar, accepted / impostors, self.tied / impostors)
        figures: Figures = {
            "verification/auc": {"value": auc, "n": pairs},
            "verification/eer": {"value": eer, "n": pairs},
        }
        for target in far:
            allowed = np.flatnonzero(accepted / impostors <= target)
            value = float(tar[allowed[0]]) if len(allowed) else 0.0
            reached = float(accepted[allowed[0]] / impostors) if len(allowed) else 0.0
            figures[f"verification/tar@far={spell_rate(target)}"] = {
                "value": value,
                "n": pairs,
                "far": reached,
                "supported": impostors * target >= 30,
            }
        return figures


def _equal_error(tar: np.ndarray, far: np.ndarray, tied: np.ndarray) -> float:
    """Where false accepts equal false rejects, on the line between the two neighbouring thresholds.

    Each level gives two thresholds: at it (`far`, `tar`), and just above it, where what is `tied` with it is rejected.
    """
    above = np.append(tar[1:], 0.0)
    far = np.concatenate([[1.0], np.stack([far, far - tied], 1).ravel(), [0.0]])
    frr = np.concatenate([[0.0], 1 - np.stack([tar, above], 1).ravel(), [1.0]])
    cross = int(np.argmax(frr >= far))
    gap_before, gap_after = far[cross - 1] - frr[cross - 1], frr[cross] - far[cross]
    share = gap_before / (gap_before + gap_after) if gap_before + gap_after else 0.0
    return float(far[cross - 1] + share * (far[cross] - far[cross - 1]))


def spell_rate(rate: float) -> str:
    """`0.001` -> `1e-3`, as in report keys."""
    mantissa, exponent = f"{rate:e}".split("e")
    digits = mantissa.rstrip("0").rstrip(".")
    return f"{digits}e{int(exponent)}"
