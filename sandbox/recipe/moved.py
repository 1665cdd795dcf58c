"""A recipe taken to another data set: what only its own data set understands stays behind, and that is said."""

from __future__ import annotations

import dataclasses

from sandbox.recipe.specs import DataKinds, DataSpec, Recipe, as_kind, own_settings
from sandbox.recipe.text import Stage


def moved(
    recipe: Recipe, stages: tuple[Stage, ...], data_set: str, kinds: DataKinds
) -> tuple[Recipe, tuple[Stage, ...], list[str]]:
    """The recipe and its stages without settings that are of other data sets alone, and a note for each.

    Args:
        recipe: as its file gives it.
        stages: its stages.
        data_set: the data set that takes the place of the recipe's.
        kinds: the settings of each data set.
    """
    if data_set == recipe.data.name or data_set not in kinds:
        return recipe, stages, []
    foreign = {name for kind in kinds.values() for name in own_settings(kind)} - set(own_settings(kinds[data_set]))
    notes = [
        _note(name, getattr(recipe.data, name), "the recipe", data_set)
        for name, default in own_settings(type(recipe.data)).items()
        if name in foreign and getattr(recipe.data, name) != default
    ]
    left: list[Stage] = []
    for stage in stages:
        data = stage.rows.get("data")
        if not isinstance(data, dict):
            left.append(stage)
            continue
        notes += [_note(name, data[name], f"stage '{stage.name}'", data_set) for name in data if name in foreign]
        kept = {name: value for name, value in data.items() if name not in foreign}
        left.append(dataclasses.replace(stage, rows={**stage.rows, "data": kept}))
    data = dataclasses.replace(as_kind(as_kind(recipe.data, DataSpec), kinds[data_set]), name=data_set)
    return dataclasses.replace(recipe, data=data), tuple(left), notes


def _note(name: str, value: object, place: str, data_set: str) -> str:
    return (
        f"data.{name} = {value!r} of {place} is left out: '{data_set}' has no such setting; --stage with other --data "
        "flags gives a stage other images"
    )
