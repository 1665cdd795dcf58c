"""Settings that were given and change nothing beside others, in sentences."""

from __future__ import annotations

from sandbox.recipe.specs import AugmentSpec, DataSpec, Recipe


def idle_settings(recipe: Recipe) -> list[str]:
    """A sentence for each; none where every setting that is not at its default counts."""
    data, augment, notes = recipe.data, recipe.augment, []
    if data.split == "official" and data.test != DataSpec.test:
        notes.append(
            f"data.test is {data.test:g}, but changes nothing: data.split official tests on what its authors set apart"
        )
    if data.val_fold and data.validation != DataSpec.validation:
        notes.append(
            f"data.validation is {data.validation:g}, but changes nothing: data.val_fold {data.val_fold} says which "
            "classes are validated on"
        )
    if augment.erase == 0 and augment.erase_fill != AugmentSpec.erase_fill:
        notes.append(f"augment.erase_fill is {augment.erase_fill}, but nothing is erased: augment.erase is 0")
    return notes
