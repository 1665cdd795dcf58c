"""Images of one template as one row, as the IJB protocols compare people: first within a medium, then over media.

``image2template_feature`` of InsightFace's IJB evaluation: unit rows of one medium (the frames of a video) are
averaged, the means of the media are added, and the sum becomes a unit row.
"""

from __future__ import annotations

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.similarity import unit


def template_rows(
    x: np.ndarray, y: np.ndarray, template: np.ndarray, medium: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """One row for each template.

    Args:
        x: (N, D) unit rows.
        y: (N,) integer labels.
        template: (N,) whole numbers or names.
        medium: (N,) the same; media of one name in two templates are two.

    Returns:
        (T, D) float32 unit rows in the order of the templates' names, and their labels (T,).

    Raises:
        SandboxError: a template with images of two classes.
    """
    names, first, of = np.unique(template, return_index=True, return_inverse=True)
    labels = y[first]
    wrong = np.flatnonzero(labels[of] != y)
    if len(wrong):
        raise SandboxError(f"template {names[of[wrong[0]]]} holds images of two classes, the second in row {wrong[0]}")
    media = np.unique(medium, return_inverse=True)[1]
    pairs, group = np.unique(np.stack([of, media], 1), axis=0, return_inverse=True)
    within = _sums(x.astype(np.float64), group, len(pairs)) / np.bincount(group)[:, None]
    return unit(_sums(within, pairs[:, 0], len(names))).astype(np.float32), labels


def _sums(rows: np.ndarray, group: np.ndarray, count: int) -> np.ndarray:
    """(count, D): the sum of the rows of each group."""
    total = np.zeros((count, rows.shape[1]))
    np.add.at(total, group, rows)
    return total
