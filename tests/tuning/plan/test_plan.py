"""What a plan refuses, what it is called, and when another is a wider one of it."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import pytest

from sandbox.errors import SandboxError
from sandbox.objectives.language import Tune, parse_value
from sandbox.tuning.plan.plan import Plan, check_plan
from sandbox.tuning.study.widen import _covers

from studies import plan


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"monitors": ("retrieval/map@k",)}, "did you mean 'retrieval/map@r'"),
        ({"monitors": ("retrieval/map@r", "retrieval/map@r")}, "twice"),
        ({"sampler": "grit"}, "did you mean 'grid'"),
        ({"pruner": "mean"}, "no pruner named 'mean'"),
        ({"trial_seeds": 101}, "at most 100"),
        ({"folds": -1}, "--folds is -1"),
        ({"constraints": ("memory <= 2", "speed <= 1")}, "there is no speed"),
    ],
)
def test_what_no_study_could_follow_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(SandboxError) as refused:
        check_plan(plan(**options))
    assert said in str(refused.value)


def test_a_name_follows_from_what_is_searched_and_nothing_else() -> None:
    names = {
        plan().name,
        plan("triplet(margin=tune(0.05, 0.6))").name,
        plan(steps=5).name,
        plan(sampler="random").name,
        plan(pruner="none").name,
        plan(trial_seeds=2).name,
        plan(monitors=("verification/eer",)).name,
        plan(constraints=("memory <= 2",)).name,
        plan(search=("optimizer.lr=tune()",)).name,
    }
    assert len(names) == 9
    alike = {plan(baseline=False).name, plan(changes={"seed": 3}).name, plan(changes={"threads": 2}).name}
    assert alike == {plan().name} and plan(monitors=("retrieval/map@r",)).name == plan().name


def test_a_plan_goes_to_another_process_as_it_is() -> None:
    of = plan(search=("optimizer.lr=tune()",), constraints=("memory <= 2",))
    names = of.space.marks, of.name, of.limits
    there = pickle.loads(pickle.dumps(of.plain()))
    assert (there.space.marks, there.name, there.limits) == names


def test_every_fold_and_seed_of_a_trial_is_a_recipe_of_its_own() -> None:
    of = plan(folds=3, trial_seeds=2)
    runs = of.recipes(of.space.fill({"triplet_margin.margin": 0.1}))
    assert [name for name, _ in runs] == ["-f1-s0", "-f1-s1", "-f2-s0", "-f2-s1", "-f3-s0", "-f3-s1"] and of.runs == 6
    assert [(r.data.val_fold, r.seed) for _, r in runs] == [(f"{f}/3", s) for f in (1, 2, 3) for s in (0, 1)]


@pytest.mark.parametrize(
    ("wide", "narrow", "covers"),
    [
        ("tune(0, 1)", "tune(0.1, 0.9)", True),
        ("tune(0, 1)", "tune(0, 1)", True),
        ("tune(0, 1)", "tune(0.1, 1.1)", False),
        ("tune(0.1, 1, log=True)", "tune(0.1, 1)", False),
        ("tune([1, 2, 3])", "tune([3, 1])", True),
        ("tune([1, 2])", "tune([1, 2, 3])", False),
        ("tune([True, 2])", "tune([1, 2])", False),
        ("tune([1, 2])", "tune(1, 2)", False),
    ],
)
def test_what_covers_what(wide: str, narrow: str, covers: bool) -> None:
    one, other = parse_value(wide), parse_value(narrow)
    assert isinstance(one, Tune) and isinstance(other, Tune) and _covers(one, other) is covers


def test_the_facts_are_plain_data() -> None:
    import json

    facts = plan(search=("optimizer.lr=tune()",)).facts("python experiments/tune.py")
    assert json.loads(json.dumps(facts)) == facts and facts["monitors"] == ["retrieval/map@r"]
    assert dataclasses.fields(Plan)
