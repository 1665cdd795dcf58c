"""Several models of the same images: their embeddings side by side or averaged, and the mean of their figures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sandbox.evaluation.figures import Figures
from sandbox.evaluation.intervals.paired import t_interval


def side_by_side(parts: Sequence[np.ndarray]) -> np.ndarray:
    """The embeddings of several models side by side, (N, D1 + D2 + ...) float32 unit rows.

    The cosine of two such rows is the mean of the models' cosines, where each has rows of unit length.

    Args:
        parts: of each model, (N, D) unit rows of the same images in the same order; a row of zeros stays one.
    """
    return _unit(np.concatenate(parts, axis=1).astype(np.float64))


def mean_rows(parts: Sequence[np.ndarray]) -> np.ndarray:
    """The mean of the embeddings of several models, (N, D) float32 unit rows.

    It means something only where a direction is the same for all models, as for those that start from the same
    weights: models that learnt apart are turned against each other at random.

    Args:
        parts: of each model, (N, D) unit rows of the same images in the same order and of as many numbers.
    """
    return _unit(np.mean([part.astype(np.float64) for part in parts], axis=0))


def mean_figures(members: Sequence[Figures]) -> Figures:
    """The mean over models of each figure that all of them have, with its 95 % t-interval over models.

    ``n`` counts models. A figure that some of them has too little data for is marked so; counts are left out.

    Args:
        members: the figures of each model, two at least.
    """
    means: Figures = {}
    for key in members[0]:
        entries = [figures[key] for figures in members if key in figures]
        if len(entries) < len(members) or not all(isinstance(entry["value"], float) for entry in entries):
            continue
        mean, half = t_interval([float(entry["value"]) for entry in entries])
        ends = {} if math.isnan(half) else {"low": mean - half, "high": mean + half}
        marked = {"supported": False} if any(entry.get("supported") is False for entry in entries) else {}
        means[key] = {"value": mean, **ends, "n": len(entries), **marked}
    return means


def _unit(rows: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, length, out=np.zeros_like(rows), where=length > 0).astype(np.float32)
