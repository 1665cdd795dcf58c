"""MLflow: the store that MLFLOW_TRACKING_URI names, or ``mlruns`` where one is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import mlflow

from sandbox.recipe.specs import Recipe
from sandbox.tracking.tracker import settings

EXPERIMENT = "metric-learning-sandbox"
_REFUSED = re.compile(r"[^\w/.\- ]")


class _Mlflow:
    def __init__(self, folder: Path, recipe: Recipe, step: int):
        mlflow.set_experiment(EXPERIMENT)
        self.run = mlflow.start_run(run_name=folder.name)
        mlflow.log_params(settings(recipe))
        self.last = step

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        self.last = max(self.last, step)
        mlflow.log_metrics({_named(name): value for name, value in values.items()}, step=step)

    def figures(self, values: Mapping[str, float]) -> None:
        self.scalars({f"end/{name}": value for name, value in values.items()}, self.last)

    def pictures(self, files: Sequence[Path]) -> None:
        for file in files:
            mlflow.log_artifact(str(file), "figures")

    def close(self) -> None:
        mlflow.end_run()


def _named(name: str) -> str:
    """MLflow takes no @ and no = in the name of a metric."""
    return _REFUSED.sub("_", name)


def begin(folder: Path, recipe: Recipe, step: int) -> _Mlflow:
    """A run of the experiment."""
    return _Mlflow(folder, recipe, step)
