"""Recipes of many run folders: those that differ in the seed alone are read once."""

from __future__ import annotations

import dataclasses
import re

from sandbox.data.catalog import data_kinds
from sandbox.errors import SandboxError
from sandbox.recipe.specs import Recipe, digest
from sandbox.recipe.text import from_toml, read_recipe
from sandbox.runs.folder import RunFolder
from sandbox.wording import reason

Known = dict[str, tuple[Recipe, str]]
"""Text of a recipe without its seed and its first comment -> the recipe and its digest."""
_SEED = re.compile(r"^seed = (0|[1-9][0-9]{0,9})\n", re.MULTILINE)


def read_recipe_of(folder: RunFolder, known: Known) -> tuple[Recipe, str]:
    """The recipe of a run folder, and its digest.

    Args:
        folder: of the run.
        known: what was read before; what is read now is put into it.

    Raises:
        SandboxError: recipe.toml is absent or damaged.
    """
    path = folder.path / "recipe.toml"
    if not path.is_file():
        raise SandboxError(f"{folder.path} is no run folder: it has no recipe.toml")
    try:
        text = read_recipe(path)
    except (OSError, ValueError) as error:
        raise SandboxError(f"cannot read {path}: {reason(error)}") from None
    rest, seed = _without_seed(text)
    if seed is not None and rest in known:
        recipe, name = known[rest]
        return dataclasses.replace(recipe, seed=seed), name
    try:
        recipe = from_toml(text, source=str(path), kinds=data_kinds())
    except SandboxError:
        folder.require_plugins()  # whose data set may have the setting that is unknown here
        raise
    name = digest(recipe)
    if seed is not None:
        known[rest] = recipe, name
    return recipe, name


def _without_seed(text: str) -> tuple[str, int | None]:
    """A recipe's text without first comment and seed, and the seed; None where it is not written as it is here."""
    while text.startswith("#"):
        text = text.partition("\n")[2]
    head, bracket, tables = text.partition("\n[")
    found = _SEED.findall(f"{head}\n")
    if len(found) != 1 or '"""' in head or "'''" in head:  # inside a long text, a line of that look is no setting
        return text, None
    return _SEED.sub("", f"{head}\n") + bracket + tables, int(found[0])
