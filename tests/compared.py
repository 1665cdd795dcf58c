"""Finished runs to compare, written without any training: figures as one says, embeddings around a centre a class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sandbox.evaluation.report import Labelled, Options, evaluate
from sandbox.recipe.episodes import Episodes
from sandbox.recipe.specs import Recipe
from sandbox.runs.embeddings import KeptSet, write_embeddings
from sandbox.runs.folder import RunFolder, create

FIGURES = ("retrieval/map@r", "retrieval/recall@1", "verification/auc", "verification/eer")


def told(parent: Path, recipe: Recipe, figures: Mapping[str, float] | float, split: str = "abc") -> RunFolder:
    """A finished run that is known by its test figures alone; a number is MAP@R."""
    named = figures if isinstance(figures, Mapping) else {"retrieval/map@r": figures}
    folder = create(parent, recipe, "a test")
    folder.write_json("report.json", {"test": {key: {"value": value, "n": 10} for key, value in named.items()}})
    folder.update(status="done", split=split)
    return folder


def embedded(parent: Path, recipe: Recipe, x: np.ndarray, y: np.ndarray, split: str = "abc") -> RunFolder:
    """A finished run that keeps test embeddings x (N, D) of labels y (N,), with the figures that they have."""
    spec = recipe.evaluate
    episodes = Episodes.of(spec.episodes, spec.episode_count, spec.episode_queries)
    folder = create(parent, recipe, "a test")
    rows, options = x.astype(np.float32), Options(recall_at=(1, 5), episodes=episodes)
    folder.write_json("report.json", {"test": evaluate(Labelled(rows, y), options).figures})
    write_embeddings(folder, {"test": KeptSet(rows, y)}, closed_set=False)
    folder.update(status="done", split=split)
    return folder


def drawn(seed: int, spread: float, *, identities: int = 12, each: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Unit embeddings (N, 8) and labels (N,): classes whose images stray by `spread` from a centre of their own.

    The centres, and in which direction each image strays, follow from the seed alone.
    """
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(identities), each)
    centres, strays = rng.normal(size=(identities, 8)), rng.normal(size=(len(y), 8))
    x = centres[y] + spread * strays
    return x / np.linalg.norm(x, axis=1, keepdims=True), y
