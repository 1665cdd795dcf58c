"""How recipes are told apart."""

from __future__ import annotations

from pathlib import Path

from sandbox.recipe.specs import BackboneSpec, DataSpec, OptimizerSpec, Recipe, digest
from sandbox.reporting.compare.names import described, differing, figure_name, names_of
from sandbox.reporting.records.groups import Group
from sandbox.reporting.records.run import Run


def of(recipe: Recipe, split: str = "abc") -> Group:
    return Group((Run(Path(f"runs/{split}"), digest(recipe), recipe.seed, recipe, {}, split, "a test"),))


def test_an_objective_is_name_enough_where_no_other_has_it() -> None:
    groups = [of(Recipe(loss="contrastive", optimizer=OptimizerSpec(lr=0.1))), of(Recipe(loss="arcface"))]
    assert names_of(groups) == ["contrastive", "arcface"] and differing(groups) == ["optimizer.lr"]


def test_settings_that_differ_stand_behind_an_objective_that_several_have() -> None:
    plain, other = Recipe(loss="arcface"), Recipe(loss="arcface", backbone=BackboneSpec(name="conv4"), seed=3)
    assert names_of([of(plain), of(other)]) == [
        "arcface (network conv6)",
        "arcface (network conv4)",
    ]
    assert names_of([of(plain), of(plain, "def")]) == [f"arcface [{digest(plain)}]"] * 2


def test_an_objective_is_called_what_tables_call_it_and_close_values_are_told_apart() -> None:
    semihard = "triplet_margin(margin={}, miner=triplet_margin(type_of_triplets='semihard'))"
    groups = [of(Recipe(loss=semihard.format(margin))) for margin in (0.2139569, 0.2139571)]
    assert names_of(groups[:1]) == ["triplet_margin(margin=0.214, miner=semihard)"]
    assert names_of(groups) == [f"triplet_margin(margin={m}, miner=semihard)" for m in ("0.2139569", "0.2139571")]
    assert described(groups[0], groups[:1]).endswith(" triplet_margin(margin=0.214, miner=semihard) (1 seed)")


def test_a_list_shows_digest_settings_and_the_split_where_it_is_needed() -> None:
    plain, other = of(Recipe()), of(Recipe(data=DataSpec(root="elsewhere")), "def")
    assert described(plain, [plain]) == f"{digest(Recipe())} triplet (1 seed)"
    assert described(other, [plain, other]) == f"{digest(Recipe())} triplet (split def; 1 seed)"


def test_figures_have_printed_names() -> None:
    assert figure_name("test/retrieval/map@r") == "MAP@R"
    assert figure_name("val/verification/tar@far=1e-3") == "validation TAR@FAR=1e-3"
