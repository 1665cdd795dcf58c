"""What there is of each fold: a finished run is checked before it is passed over, for its figures will count."""

from __future__ import annotations

from typing import Literal

from safetensors import SafetensorError, safe_open

from sandbox.data.catalog import load
from sandbox.errors import SandboxError
from sandbox.pipeline.folds.plan import difference
from sandbox.recipe.specs import Recipe
from sandbox.reporting.records.read import read_run
from sandbox.runs.embeddings import read_embeddings
from sandbox.runs.folder import RunFolder

State = Literal["done", "begun", "absent"]
_AWAY = "take that folder away, and the fold is trained anew"


def standing(run: RunFolder, recipe: Recipe) -> State:
    """What there is of a fold.

    Args:
        run: its folder.
        recipe: that the run must be of.

    Raises:
        SandboxError: the folder holds another recipe (the setting is named), or something else, or is damaged.
    """
    if not run.path.exists():
        return "absent"
    if other := difference(run.recipe(), recipe):
        raise SandboxError(f"{run.path} is of another recipe: {other}; {_AWAY}")
    status = run.status()
    if status == "damaged":
        raise SandboxError(f"{run.path / 'run.json'} is damaged; {_AWAY}")
    if status != "done":
        return "begun"
    try:
        read_run(run)
        kept = read_embeddings(run)
        for name in ("val", "test"):
            kept.take(name)
    except SandboxError as error:
        raise SandboxError(f"{error}; {_AWAY}") from None
    _check_weights(run)
    return "done"


def check_same_data(run: RunFolder, recipe: Recipe) -> None:
    """Refuse a finished run of other images than there are now: the folds to come would be of others than it.

    Raises:
        SandboxError: its split is another one, or the data cannot be read.
    """
    seen, there = run.read_json("run.json").get("split"), load(recipe.data).digest
    if seen != there:
        raise SandboxError(
            f"the data has changed since the run {run.path}: its split was {seen} and is {there} now, so that the "
            "folds would be of other images; start anew with another --out"
        )


def _check_weights(run: RunFolder) -> None:
    """A file that was cut off does not open; the weights themselves are not read."""
    path = run.path / "model.safetensors"
    try:
        with safe_open(path, framework="pt") as file:
            file.keys()
    except (SafetensorError, OSError) as error:
        raise SandboxError(f"{path} is damaged: {error}; {_AWAY}") from None
