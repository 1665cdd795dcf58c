"""What `to_flags` writes is read back as the same recipe."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from sandbox.data.catalog import data_kinds
from sandbox.errors import SandboxError
from sandbox.recipe.specs import BackboneSpec, BatchSpec, EvaluateSpec, OptimizerSpec, Recipe
from sandbox.recipe.text import from_toml, to_flags, to_toml
from sandbox.recipe.words import from_flags

LFW = data_kinds()["lfw"]
RECIPES = [
    Recipe(),
    Recipe(loss="triplet_margin(margin=0.2, miner=triplet_margin(type_of_triplets='semihard')) + 0.01*center", seed=7),
    Recipe(optimizer=OptimizerSpec(lr=1e-5, amsgrad=True), evaluate=EvaluateSpec(recall_at=(1, 2), far=(1e-2,))),
    Recipe(batch=BatchSpec(classes=4, samples=2), backbone=BackboneSpec(freeze=True), max_steps=3, epochs=2),
    Recipe(data=LFW(name="lfw", root="it's a folder", image_size=64, min_images=10)),
    Recipe(resume_from='a "quoted" $run', precision="float32"),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=range(len(RECIPES)))
def test_a_recipe_comes_back_as_it_was(recipe: Recipe) -> None:
    words = shlex.split(" ".join(to_flags(recipe)))
    assert from_flags(words, source="a line", kinds=data_kinds()) == recipe


@pytest.mark.parametrize("fold", [3, "all"])
def test_a_setting_of_a_data_set_comes_back(fold: int | str) -> None:
    plain = LFW(name="lfw")
    other = replace(Recipe(), data=replace(plain, view="view2", fold=fold))
    assert from_toml(to_toml(other), kinds=data_kinds()) == other
    words = shlex.split(" ".join(to_flags(other)))
    assert from_flags(words, source="a line", kinds=data_kinds()) == other


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--optimizer.lrr 1", "a line has the flag --optimizer.lrr, which is no setting of a run; did you mean"),
        ("--optimizer.lr fast", "--optimizer.lr is 'fast', but takes a number"),
        ("--optimizer.lr 1 2", "has 2 values, but takes one"),
        ("--optimizer.lr", "has 0 values, but takes one"),
        ("--optimizer.name adamm", "did you mean 'adam'"),
        ("--evaluate.flip yes", "takes no value, but has 'yes'"),
        ("--no_seed", "no setting of a run"),
        ("--seed 1 --seed 2", "the flag --seed twice"),
        ("seed 1", "begins with 'seed', which is no flag"),
    ],
)
def test_other_words_are_refused(line: str, sentence: str) -> None:
    with pytest.raises(SandboxError, match=sentence):
        from_flags(line.split(), source="a line", kinds=data_kinds())


def test_a_word_that_a_setting_does_not_take_is_refused() -> None:
    text = '[data]\nname = "lfw"\nview = "view2"\nfold = "most"\n'
    with pytest.raises(SandboxError, match=r"'data\.fold' is 'most', but takes a whole number or all"):
        from_toml(text, kinds=data_kinds())
