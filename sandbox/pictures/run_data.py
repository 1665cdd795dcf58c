"""The data of a finished run, read again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sandbox.data.catalog import load
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import Recipe


def read_splits(recipe: Recipe, root: str = "") -> Splits:
    """The splits as a run's recipe reads them now.

    Args:
        recipe: of the run.
        root: where the data lies now, if not where the run read it.

    Raises:
        SandboxError: it cannot be read.
    """
    return load(replace(recipe.data, root=root) if root else recipe.data)


def refuse_changed(path: Path, recipe: Recipe, splits: Splits, digest: str, root: str = "") -> None:
    """Refuse splits that are no longer what a run saw.

    Args:
        path: the run.
        recipe: of the run.
        splits: as they are read now.
        digest: of those that the run saw.
        root: where they were read, if not where the recipe says.

    Raises:
        SandboxError: says both digests.
    """
    if splits.digest != digest:
        place = root or recipe.data.root
        where = f" in {place}" if place else ""
        raise SandboxError(
            f"the data{where} has changed since the run {path}: its split was {digest} and is {splits.digest} now, so "
            "no image can be put to an embedding"
        )
