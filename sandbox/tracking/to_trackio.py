"""trackio: a project on this machine, which ``trackio show --project metric-learning-sandbox`` opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import trackio

from sandbox.recipe.specs import Recipe
from sandbox.tracking.tracker import settings

PROJECT = "metric-learning-sandbox"


class _Trackio:
    def __init__(self, folder: Path, recipe: Recipe, step: int):
        self.run = trackio.init(project=PROJECT, name=folder.name, config=settings(recipe), resume="allow")
        self.last = step

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        self.last = max(self.last, step)
        trackio.log(dict(values), step=step)

    def figures(self, values: Mapping[str, float]) -> None:
        trackio.log(dict(values), step=self.last)

    def pictures(self, files: Sequence[Path]) -> None:
        for file in files:
            trackio.log({f"figures/{file.stem}": trackio.Image(str(file))}, step=self.last)

    def close(self) -> None:
        trackio.finish()


def begin(folder: Path, recipe: Recipe, step: int) -> _Trackio:
    """A run of the project."""
    return _Trackio(folder, recipe, step)
