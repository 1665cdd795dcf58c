"""Pictures of a trial: how it learnt, which queries it finds best and which worst, how its scores lie."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from sandbox.data.catalog import load
from sandbox.data.images.image_set import ImageSet
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec
from sandbox.reporting.plots.curves import draw_curves, draw_scores, sampled_scores
from sandbox.reporting.plots.neighbours import best_and_worst, draw_neighbours, search_queries
from sandbox.runs.embeddings import read_embeddings
from sandbox.runs.folder import RunFolder


def picture_trial(folder: RunFolder, out: Path, images: ImageSet | None = None, *, title: str = "") -> list[Path]:
    """Draw what a run left: its curves, and where it is finished its retrievals and its scores on validation.

    Args:
        folder: the run; its log is enough.
        out: where `curves.png`, `retrievals.png` and `scores.png` go; made where it is not there.
        images: validation as the run saw it, for the retrievals; see `validation_images`.
        title: over the curves, such as why it was pruned.

    Returns:
        The pictures that could be drawn, in the order to be shown.

    Raises:
        SandboxError: the run is damaged, the images are not those that it saw, or a picture cannot be written.
    """
    drawn: list[Path] = []
    rows = folder.read_log()
    if rows:
        drawn.append(out / "curves.png")
        draw_curves(rows, folder.recipe().evaluate.monitor, drawn[-1], title=title)
    if not (folder.path / "report.json").is_file():
        return drawn
    kept = read_embeddings(folder)
    val = kept.take("val")
    if images is not None:
        if len(images) != len(val.x) or not np.array_equal(images.labels, val.labels - val.labels.min()):
            raise SandboxError(f"the images are not those of validation that the run {folder.path} saw")
    if images is not None and not images.are_rows:
        best, worst = best_and_worst(search_queries(val.x, images.labels, val.roles), images.labels)
        groups = [("Found best on validation", best), ("Fail worst", worst)]
        drawn.append(out / "retrievals.png")
        draw_neighbours(groups, images.pixels, images.labels, images.classes, drawn[-1])
    verified = kept.take("val/verify") if "val/verify" in kept else val
    if verified.pairs is None:
        genuine, impostor = sampled_scores(verified.x, verified.labels)
    else:
        pairs = verified.pairs
        scores = np.einsum("ij,ij->i", verified.x[pairs.left], verified.x[pairs.right])
        genuine, impostor = scores[pairs.same], scores[~pairs.same]
    if len(genuine) and len(impostor):
        drawn.append(out / "scores.png")
        draw_scores(genuine, impostor, drawn[-1], threshold=folder.validation_threshold())
    return drawn


def validation_images(folder: RunFolder) -> ImageSet:
    """The images of validation, read again as the run's recipe says.

    Raises:
        SandboxError: the data cannot be read, or is no longer what the run saw.
    """
    facts, splits = folder.read_json("run.json"), _splits(folder.recipe().data)
    seen = facts.get("split") if isinstance(facts, dict) else None
    if splits.digest != seen:
        raise SandboxError(
            f"the data has changed since the run {folder.path}: its split was {seen} and is {splits.digest} now, so no "
            "image can be put to an embedding"
        )
    return splits.part("val")[0]


@lru_cache(maxsize=1)
def _splits(spec: DataSpec) -> Splits:
    """A data set, kept for the next trial, which mostly sees the same."""
    return load(spec)
