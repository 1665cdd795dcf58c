"""The modified Hausdorff distance of drawings: a classical way to compare them, without anything learnt.

Dubuisson and Jain, "A modified Hausdorff distance for object matching", ICPR 1994: of the two mean distances from the
points of one drawing to the nearest of the other, the larger. Points are the pixels of ink, and each drawing's are
centred on their mean, as the authors of Omniglot's one-shot task do for their baseline.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sandbox.errors import SandboxError
from sandbox.evaluation.fewshot.oneshot import accuracy_of
from sandbox.evaluation.figures import Figures
from sandbox.evaluation.trials import Trials


def oneshot_hausdorff(ink: np.ndarray, trials: Trials) -> Figures:
    """One-shot accuracy of naming each query after the example at the smallest distance.

    Args:
        ink: (N, H, W) bool drawings, each with ink.
        trials: over them.

    Raises:
        SandboxError: a drawing without ink, or no trials.
    """
    if not ink.any(axis=(1, 2)).all():
        raise SandboxError("a drawing has no ink, so that it is at no distance from any other")
    points = [centred_points(drawing) for drawing in ink]
    distance = np.empty(trials.support.shape)
    for place, (query, examples) in enumerate(zip(trials.query, trials.support, strict=True)):
        distance[place] = [modified_hausdorff(points[query], points[example]) for example in examples]
    return accuracy_of(-distance, trials)


def centred_points(drawing: np.ndarray) -> np.ndarray:
    """(P, 2) float64 row and column of each pixel of ink of a drawing (H, W) bool, less their mean."""
    points = np.argwhere(drawing).astype(np.float64)
    return points - points.mean(axis=0)


@njit(cache=True)
def modified_hausdorff(one: np.ndarray, other: np.ndarray) -> float:
    """The larger of the two mean distances to the nearest point, of points (P, 2) and (Q, 2) float64."""
    nearest = np.full(len(other), np.inf)
    there = 0.0
    for p in range(len(one)):
        least = np.inf
        for q in range(len(other)):
            squared = (one[p, 0] - other[q, 0]) ** 2 + (one[p, 1] - other[q, 1]) ** 2
            least = min(least, squared)
            nearest[q] = min(nearest[q], squared)
        there += np.sqrt(least)
    return max(there / len(one), np.sqrt(nearest).mean())
