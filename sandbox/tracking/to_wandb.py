"""Weights & Biases: offline in the run's folder unless WANDB_MODE says otherwise, so that nothing is sent by itself."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import wandb

from sandbox.recipe.specs import Recipe
from sandbox.tracking.tracker import settings

PROJECT = "metric-learning-sandbox"


class _Wandb:
    def __init__(self, folder: Path, recipe: Recipe, step: int):
        mode = os.environ.get("WANDB_MODE", "offline")
        self.run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT), name=folder.name, id=folder.name.replace("/", "-"),
            dir=str(folder), config=settings(recipe), mode=mode, resume="allow",
            settings=wandb.Settings(silent=True),
        )  # fmt: skip

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        self.run.log(dict(values), step=step)

    def figures(self, values: Mapping[str, float]) -> None:
        self.run.summary.update(dict(values))

    def pictures(self, files: Sequence[Path]) -> None:
        self.run.log({f"figures/{file.stem}": wandb.Image(str(file)) for file in files})

    def close(self) -> None:
        self.run.finish()


def begin(folder: Path, recipe: Recipe, step: int) -> _Wandb:
    """A run of the project."""
    return _Wandb(folder, recipe, step)
