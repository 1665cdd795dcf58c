"""What was given and changes nothing."""

from __future__ import annotations

import pytest

from sandbox.recipe.idle import idle_settings
from sandbox.recipe.specs import AugmentSpec, DataSpec, Recipe


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (Recipe(data=DataSpec(split="official", test=0.4)), "data.test is 0.4, but changes nothing: data.split off"),
        (Recipe(data=DataSpec(val_fold="1/4", validation=0.0)), "data.validation is 0, but changes nothing: data.val"),
        (Recipe(augment=AugmentSpec(erase_fill="noise")), "augment.erase_fill is noise, but nothing is erased"),
    ],
)
def test_a_setting_that_another_overrules_is_said(recipe: Recipe, said: str) -> None:
    (sentence,) = idle_settings(recipe)
    assert sentence.startswith(said)


def test_what_counts_is_not_said() -> None:
    assert idle_settings(Recipe()) == []
    plain = DataSpec(split="class", test=0.4, validation=0.0)
    assert idle_settings(Recipe(data=plain, augment=AugmentSpec(erase=0.5, erase_fill="noise"))) == []
    assert idle_settings(Recipe(data=DataSpec(split="official", val_fold="1/4"))) == []
