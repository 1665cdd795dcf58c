"""The pictures of a run as PNG files in its `figures/`, for papers and slides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sandbox.reporting.plots import curves
from sandbox.reporting.plots.neighbours import draw_neighbours, search_queries
from sandbox.runs.embeddings import read_embeddings
from sandbox.runs.folder import RunFolder


def draw_run(folder: RunFolder, pixels: Any, split: str, pairs: Any = None, *, classes: Sequence[str] = ()) -> None:
    """Draw the pictures of a trained run into its `figures/`.

    Args:
        folder: the run; its log and embeddings are read.
        pixels: (N, H, W, C) uint8 images of the judged split; None for rows of numbers, which have no pictures.
        split: which split that is, ``test`` or ``val``.
        pairs: given verification pairs with `left`, `right`, `same`; random pairs are drawn where there are none.
        classes: the name of each label, where they have names.
    """
    kept = read_embeddings(folder).take(split)
    x, y = kept.x, kept.labels
    if pairs is None:
        genuine, impostor = curves.sampled_scores(x, y)
    else:
        scores = np.einsum("ij,ij->i", x[pairs.left], x[pairs.right])
        genuine, impostor = scores[pairs.same], scores[~pairs.same]
    places = folder.path / "figures"
    curves.draw_curves(folder.read_log(), folder.recipe().evaluate.monitor, places / "curves.png")
    curves.draw_scores(genuine, impostor, places / "scores.png")
    if pixels is None:
        return
    found = search_queries(x, y, kept.roles, most=8)
    draw_neighbours([("", found)], pixels, y, classes, places / "neighbours.png")
