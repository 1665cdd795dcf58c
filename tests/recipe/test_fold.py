"""`data.val_fold` as it is written."""

from __future__ import annotations

import re

import pytest

from sandbox.errors import SandboxError
from sandbox.recipe.fold import parse_fold
from sandbox.recipe.ranges import check_ranges
from sandbox.recipe.specs import DataSpec, Recipe, digest
from sandbox.recipe.text import from_toml, to_flags, to_toml


def test_what_a_fold_says() -> None:
    assert parse_fold("") is None
    assert parse_fold("1/4") == (1, 4) and parse_fold("12/12") == (12, 12)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("4", "names a fold and how many there are, such as 1/4"),
        ("a/b", "names a fold and how many there are"),
        ("-1/4", "names a fold and how many there are"),
        ("1/4 ", "names a fold and how many there are"),
        ("1/4\n", "names a fold and how many there are"),
        ("\uff11/\uff14", "names a fold and how many there are"),  # wide digits
        ("1/" + "9" * 5000, "names a fold and how many there are"),
        ("0/4", "of 4 folds the first is 1/4 and the last 4/4"),
        ("5/4", "of 4 folds the first is 1/4 and the last 4/4"),
        ("1/1", "there are at least two folds"),
        ("0/0", "there are at least two folds"),
        ("01/4", "did you mean 1/4?"),
    ],
)
def test_what_is_no_fold_is_refused_before_any_data_is_read(text: str, said: str) -> None:
    with pytest.raises(SandboxError, match=re.escape(said)) as refused:
        check_ranges(Recipe(data=DataSpec(val_fold=text)))
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 200


def test_a_fold_is_part_of_the_recipe_and_of_its_name() -> None:
    recipe = Recipe(data=DataSpec(val_fold="2/4"))
    assert to_flags(recipe) == ["--data.val_fold", "2/4"]
    assert from_toml(to_toml(recipe)) == recipe
    others = (
        DataSpec(val_fold="3/4"),
        DataSpec(val_fold="2/4", test_fold="3/4"),
        DataSpec(val_fold="2/4", fold_seed=1),
    )
    assert len({digest(one) for one in (Recipe(), recipe, *(Recipe(data=data) for data in others))}) == 5


@pytest.mark.parametrize(
    ("val", "test", "said"),
    [
        ("", "1/4", "data.test_fold is '1/4', but needs data.val_fold beside it, another one of the same 4 folds"),
        ("1/4", "2/5", "data.test_fold is '2/5' and data.val_fold '1/4', but both are of one number of folds"),
        ("1/4", "1/4", "what chooses the weights cannot judge them"),
        ("1/2", "2/2", "at least three folds"),
        ("1/4", "5/4", "data.test_fold is '5/4', but of 4 folds the first is 1/4"),
        ("5/4", "1/4", "data.val_fold is '5/4', but of 4 folds the first is 1/4"),
    ],
)
def test_folds_that_do_not_go_together_are_refused(val: str, test: str, said: str) -> None:
    with pytest.raises(SandboxError, match=re.escape(said)) as refused:
        check_ranges(Recipe(data=DataSpec(val_fold=val, test_fold=test)))
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 200
