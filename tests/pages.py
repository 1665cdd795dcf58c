"""Finished runs without a training: embeddings drawn around the centres of classes, and their images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sandbox.data.images.image_set import ImageSet
from sandbox.evaluation.figures import Figures
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.report import Labelled, Options, evaluate
from sandbox.recipe.specs import BackboneSpec, DataSpec, Recipe
from sandbox.runs.embeddings import KeptSet, write_embeddings
from sandbox.runs.folder import RunFolder, create

EVIL = "</script><script>alert(1)</script>"


def drawn_images(labels: np.ndarray, classes: tuple[str, ...], *, side: int = 16, noise: int = 0) -> ImageSet:
    """An image set in which each class has a grey of its own, and each image a bar at its own place."""
    random = np.random.default_rng(0)
    pixels = np.zeros((len(labels), side, side, 1), np.uint8)
    pixels += (40 + 160 * labels[:, None, None, None] // max(len(classes), 1)).astype(np.uint8)
    for row in range(len(labels)):
        pixels[row, :, row % side] = 255
    if noise:
        pixels = random.integers(0, noise, pixels.shape).astype(np.uint8)
    return ImageSet(pixels, labels, classes, tuple(f"image-{row}" for row in range(len(labels))))


def around_centres(labels: np.ndarray, *, dim: int = 8, spread: float = 0.9, seed: int = 0) -> np.ndarray:
    """(N, dim) float32 unit rows, those of a class near each other."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(7).normal(size=(int(labels.max()) + 1, dim))
    x = centres[labels] + spread * random.normal(size=(len(labels), dim))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def made_run(
    parent: Path,
    x: np.ndarray,
    labels: np.ndarray,
    *,
    pairs: Pairs | None = None,
    seed: int = 0,
    report: dict[str, Figures] | None = None,
    **facts: Any,
) -> RunFolder:
    """A finished run whose test embeddings are these, and whose validation's are their first half.

    Its report is scored where none is given.
    """
    recipe = Recipe(
        loss="triplet_margin(miner=batch_hard)",
        miner="none",
        data=DataSpec(name="digits"),
        backbone=BackboneSpec(name="conv4", embedding_dim=x.shape[1]),
        seed=seed,
    )
    half = len(labels) // 2
    sets = {"val": KeptSet(x[:half], labels[:half]), "test": KeptSet(x, labels, pairs)}
    options = Options(far=(1e-1, 1e-2, 1e-3, 1e-4))
    report = report or {
        name: evaluate(Labelled(kept.x, kept.labels), options, pairs=kept.pairs).figures for name, kept in sets.items()
    }
    shown = {
        "split": "0123456789ab",
        "objective": recipe.loss,
        "notes": ["a note"],
        "steps": 4,
        "parameters": {"all": 9},
    }
    shown["data"] = {name: {"images": 1234, "classes": len(np.unique(kept.labels))} for name, kept in sets.items()}
    shown["best"] = {"step": 2, "value": 0.5, "monitor": "retrieval/map@r"}
    shown["peak_memory"], shown["seconds"] = {"resident": 2_053_046_272, "device": None}, {"total": 143.2}
    folder = create(parent, recipe, "python experiments/run.py --loss triplet --miner hard", **(shown | facts))
    write_embeddings(folder, sets, closed_set=False)
    folder.write_json("report.json", report)
    for step in range(1, 5):
        folder.log({"step": step, "loss": 1 / step, "lr": 0.003, "mean_cosine": 0.5 + step / 10, "active": 1.0})
        folder.log({"step": step, "val": {"retrieval/map@r": 0.5 - abs(step - 2) / 10}})
    folder.update(status="done")
    return folder
