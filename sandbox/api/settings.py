"""Keywords to a recipe: the keys of a recipe file, with dicts for its tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.api.given import plain
from sandbox.called import RECIPES
from sandbox.data.catalog import data_kinds, in_all_folds
from sandbox.errors import SandboxError
from sandbox.recipe.specs import Recipe
from sandbox.recipe.text import Stage, from_settings, load_staged


def recipes_of(given: Recipe | str | Path | None, settings: Mapping[str, Any]) -> list[tuple[str, Recipe]]:
    """The recipe that is meant, or that of each stage with its name, settings over it.

    Args:
        given: a recipe, the name of one of `sandbox.called.RECIPES`, or a TOML file; the defaults where None.
        settings: such as ``loss="triplet", data={"name": "digits"}``.

    Raises:
        SandboxError: no such recipe or key, a value of the wrong type, or a network for each test fold.
    """
    stages: tuple[Stage, ...] = ()
    if given is None or isinstance(given, Recipe):
        base = given or Recipe()
    else:
        base, stages = load_staged(str(given), RECIPES, data_kinds())
    rows = {name: plain(value) for name, value in settings.items()}
    over = [(stage.name, stage.over(base)) for stage in stages] or [("", base)]
    found = [(name, from_settings(rows, of, source="the call", kinds=data_kinds())) for name, of in over]
    for _, recipe in found:
        if in_all_folds(recipe.data):
            raise SandboxError('data.fold = "all" makes a run for each fold, which the command run does; give one fold')
    return found
