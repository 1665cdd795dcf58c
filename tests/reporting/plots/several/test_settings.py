"""What recipes and settings are called."""

from __future__ import annotations

import dataclasses

import pytest

from sandbox.errors import SandboxError
from sandbox.reporting.plots.several.chosen import data_said, named_recipe, of_one_split, seeds_said
from sandbox.reporting.plots.several.labels import labels, setting_name, setting_of
from sandbox.reporting.plots.several.objective import parts, without_parameter
from sandbox.reporting.records.groups import Group, group

from recipes import made_groups, made_run

GROUPS = made_groups(
    {"triplet(margin=0.2139569380699943, miner=semihard)": [0.5], "arcface": [0.4], "0.5*center + cross_entropy": [0.3]}
)


def test_an_objective_in_parts() -> None:
    found = parts(GROUPS[0].objective)
    assert (found.loss, found.miner) == ("triplet_margin(margin=0.214)", "semihard")
    assert found.parameters["triplet_margin.margin"] == 0.2139569380699943
    assert parts(GROUPS[1].objective).parameters["arcface.margin"] == 28.6  # a default, which the text does not hold
    assert parts(GROUPS[2].objective).parameters["center.weight"] == 0.5
    assert parts("loss_of_a_plugin(a=1)").loss == "loss_of_a_plugin(a=1)"


def test_what_is_left_without_a_parameter() -> None:
    one, other = (without_parameter(g.objective, "triplet_margin.margin") for g in made_groups(
        {"triplet(margin=0.3, miner=semihard)": [1.0], "triplet(margin=0.1, miner=semihard)": [1.0]}))  # fmt: skip
    assert one == other and "semihard" in one
    assert without_parameter(GROUPS[2].objective, "center.weight") == "center + cross_entropy"


def test_names_tell_recipes_apart_by_what_differs() -> None:
    assert labels(GROUPS) == [
        "triplet_margin(margin=0.214), semihard", "arcface", "cross_entropy + 0.5*center"
    ]  # fmt: skip
    two, _ = group([made_run("arcface", 0, 0.5), made_run("arcface", 0, 0.5, lr=0.0013654198505578894)])
    assert labels(two) == ["arcface, lr 0.003", "arcface, lr 0.001365"] and data_said(two) == "digits"
    more = [*two, *made_groups({"cosface": [0.5], "multi_similarity(miner=multi_similarity)": [0.5]})]
    assert labels(more) == ["arcface", "arcface, lr 0.001365", "cosface", "multi_similarity, multi_similarity miner"]
    assert data_said(more) == "digits (lr 0.003 where not said)"
    apart, _ = group([made_run("arcface", 0, 0.5), made_run("arcface", 0, 0.5, split="c" * 12)])
    assert len(set(labels(apart))) == 2


def test_a_setting_goes_by_several_names() -> None:
    for given in ("optimizer.lr", "lr", "learning rate"):
        assert setting_name(given, GROUPS) == "optimizer.lr"
    assert setting_of(GROUPS[0], "miner") == "semihard"
    with pytest.raises(SandboxError, match=r"'margin' may be .*triplet_margin.margin or .*arcface.margin"):
        setting_name("margin", GROUPS)
    varied = [*GROUPS, *made_groups({"triplet(margin=0.4, miner=semihard)": [0.1]})]
    assert setting_name("margin", varied) == "triplet_margin.margin"  # the one that differs
    with pytest.raises(SandboxError, match=r"no recipe has a setting 'optimizer.lrr'; did you mean 'optimizer.lr'"):
        setting_name("optimizer.lrr", GROUPS)


def test_a_recipe_goes_by_several_names() -> None:
    wanted = GROUPS[0]
    for given in (labels(GROUPS)[0], wanted.objective, "triplet(miner=semihard, margin=0.2139569380699943)",
                  wanted.runs[0].digest[:8]):  # fmt: skip
        assert named_recipe(given, GROUPS, "--baseline") is wanted
    with pytest.raises(SandboxError, match="--baseline names contrastive, but no run has that objective; there are "):
        named_recipe("contrastive", GROUPS, "--baseline")
    two, _ = group([made_run("arcface", 0, 0.5), made_run("arcface", 0, 0.5, lr=0.01)])
    with pytest.raises(SandboxError, match="names 2 recipes; give a digest of "):
        named_recipe("arcface", two, "--baseline")


def test_runs_of_two_splits_have_no_common_axis() -> None:
    of_one_split(GROUPS)
    with pytest.raises(SandboxError, match=r"judged on 2 data sets, digits, glyphs, which.*data.name = digits"):
        of_one_split([*GROUPS, *made_groups({"arcface": [0.5]}, split="c" * 12, data="glyphs")])
    other = made_groups({"arcface": [0.5]}, split="c" * 12, data="digits")
    with pytest.raises(SandboxError, match=r"judged on 2 splits, digits \(aaaaaa\), digits \(cccccc\)"):
        of_one_split([*GROUPS, *other])


def test_folds_are_no_seeds_and_of_other_numbers_no_common_axis() -> None:
    def in_folds(loss: str, *folds: str) -> Group:
        run = made_run(loss, 0, 0.5)
        data = [dataclasses.replace(run.recipe.data, val_fold=fold) for fold in folds]
        return Group(tuple(dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, data=d)) for d in data))

    three, two = in_folds("arcface", "1/3", "2/3", "3/3"), in_folds("contrastive", "1/3", "2/3")
    assert seeds_said([three, two]) == "1 seed"
    of_one_split([two, two])
    with pytest.raises(SandboxError, match="the recipes have 3 and 2 folds, so that their means are of other images"):
        of_one_split([three, two])
