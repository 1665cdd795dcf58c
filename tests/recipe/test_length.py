from __future__ import annotations

from typing import Any

import pytest

from sandbox.errors import SandboxError
from sandbox.recipe.ranges import check_ranges
from sandbox.recipe.specs import Recipe, digest, replace


def with_settings(**settings: Any) -> Recipe:
    recipe = Recipe()
    for name, value in settings.items():
        recipe = replace(recipe, name.replace("__", "."), value)
    return recipe


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"max_seconds": 9.0, "max_steps": 5}, "max_seconds is 9 and max_steps is 5, but each says when training ends"),
        ({"max_seconds": 9.0, "max_steps": 0}, "max_seconds is 9 and max_steps is 0, but each says when training ends"),
        ({"max_seconds": 0.5, "epochs": 2}, "max_seconds is 0.5 and epochs is 2, but each says when training ends"),
        ({"max_steps": 0, "epochs": 2}, "max_steps is 0, which trains nothing, and epochs is 2, which does"),
        (
            {"optimizer__layer_decay": 0.75, "backbone__freeze": True},
            "optimizer.layer_decay is 0.75, which is about how the trunk is trained, but backbone.freeze never trains",
        ),
        ({"optimizer__head_first": 3, "backbone__freeze": True}, "optimizer.head_first is 3, which is about how"),
        (
            {"optimizer__head_first": 9, "max_steps": 9},
            r"optimizer.head_first is 9, but is below max_steps \(9\): to train the head alone all the time, give",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(SandboxError, match=f"^{said}"):
        check_ranges(with_settings(**settings))


@pytest.mark.parametrize(
    "settings",
    [{"max_seconds": 9.0}, {"max_steps": 0}, {"optimizer__layer_decay": 0.75}, {"optimizer__head_first": 3}],
)
def test_each_is_allowed_alone_and_in_the_digest_only_where_it_is_given(settings: dict[str, Any]) -> None:
    recipe = with_settings(**settings)
    check_ranges(recipe)
    assert digest(recipe) != digest(Recipe())
    defaults = {"max_seconds": None, "optimizer__layer_decay": 1.0, "optimizer__head_first": 0}
    assert digest(with_settings(**defaults)) == digest(Recipe())
