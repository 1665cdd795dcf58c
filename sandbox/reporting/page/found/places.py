"""The map of a page: where t-SNE puts some hundred images, the hardest classes in colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sandbox.reporting.plots.map_layout import FEWEST, tsne
from sandbox.runs.embeddings import KeptSet

MOST, COLOURED = 600, 8
_EACH = 30
"""Images of a coloured class at most, so that the others have room."""
_ROUNDS = 400


@dataclass(frozen=True)
class Places:
    """Images on a map."""

    rows: np.ndarray = field(repr=False)
    """(M,) int64."""
    places: np.ndarray = field(repr=False)
    """(M, 2) float64 within the unit square, across and down."""
    coloured: tuple[int, ...]
    """Labels, the hardest class first."""


def place(kept: KeptSet, hardest: Sequence[int]) -> Places | None:
    """A map of a split; None where there are too few images, or all are alike.

    Args:
        kept: embeddings.
        hardest: labels, the hardest first; the first of them are in colour.
    """
    y = kept.labels
    coloured = tuple(hardest[:COLOURED])
    random = np.random.default_rng(0)
    drawn = random.permutation(len(y))
    mine = [drawn[y[drawn] == label][:_EACH] for label in coloured] if len(y) > MOST else []
    chosen = np.concatenate([*mine, drawn]).astype(np.int64)
    rows = np.sort(np.array(list(dict.fromkeys(chosen.tolist()))[:MOST], dtype=np.int64))
    x = kept.x[rows]
    if len(rows) < FEWEST or not np.ptp(x, axis=0).any():
        return None
    return Places(rows, tsne(x, 0, rounds=_ROUNDS)[0], coloured)
