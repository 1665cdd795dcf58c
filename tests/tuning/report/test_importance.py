"""Importance: what matters is found, what does not is held against chance, and too little is said to be too little."""

from __future__ import annotations

from dataclasses import replace

import optuna
import pytest

from sandbox.tuning.report.importance import FEWEST, Importance, importance, read_range
from sandbox.tuning.study.record import DEFAULT

from study_records import SEARCH, drawn, study, trial


def test_the_parameter_that_decides_comes_first_and_only_it_is_more_than_chance() -> None:
    found = importance(drawn(60, 3))
    assert isinstance(found, Importance)
    assert next(iter(found.shares)) == "optimizer.lr" and sum(found.shares.values()) == pytest.approx(1)
    assert [name for name in found.shares if found.shares[name] > found.chance[name]] == ["optimizer.lr"]
    assert (found.top, found.trials) == (6, 60)


def test_the_shares_are_those_of_optuna_on_a_study_of_its_own() -> None:
    record = drawn(60, 2)
    study = optuna.create_study(direction="maximize")
    spaces = {
        "arcface.margin": optuna.distributions.FloatDistribution(10, 40),
        "optimizer.lr": optuna.distributions.FloatDistribution(1e-4, 1e-1, log=True),
    }
    for one in record.trials:
        study.add_trial(optuna.create_trial(value=one.values[0], params=one.params, distributions=spaces))
    theirs = optuna.importance.get_param_importances(study)
    ours = importance(record)
    assert isinstance(ours, Importance) and ours.shares == pytest.approx(theirs)


def test_less_is_better_turns_it_round() -> None:
    record = drawn(40, 2)
    turned = [replace(t, values=(-t.values[0],)) for t in record.trials]
    assert importance(replace(record, trials=turned, lower=(True,))) == importance(record)


def test_what_cannot_be_told_is_said() -> None:
    few = drawn(FEWEST - 1, 2)
    assert (
        importance(few)
        == f"14 complete trials are too few to tell which parameters matter; from {FEWEST} on it is shown."
    )
    default = replace(trial(99, value=0.5), kind=DEFAULT)
    assert importance(replace(few, trials=[*few.trials, default])) == importance(few)
    assert (
        importance(drawn(1, 2))
        == f"1 complete trial is too few to tell which parameters matter; from {FEWEST} on it is shown."
    )
    assert importance(drawn(20, 1)) == "Only one parameter is searched, so there is nothing to weigh it against."
    level = [replace(t, values=(0.5,)) for t in drawn(20, 2).trials]
    assert "20 complete trials have the same figure" in str(importance(study(level)))
    still = [replace(t, params={"arcface.margin": 1.0, "optimizer.lr": 0.1}) for t in drawn(20, 2).trials]
    assert str(importance(study(still))).startswith("No parameter took two values")


def test_choices_whole_numbers_and_values_outside_the_range_are_weighed() -> None:
    record = drawn(30, 8)
    outside = replace(record.trials[0], params={**record.trials[0].params, "arcface.margin": 99.0, "batch.images": 1})
    partly = replace(record.trials[1], params={"optimizer.lr": 0.01})
    found = importance(replace(record, trials=[outside, partly, *record.trials[2:]]))
    assert isinstance(found, Importance) and set(found.shares) == set(SEARCH)
    numbers = [
        replace(t, params={"a": t.number, "b": bool(t.number % 2), "c": None if t.number % 3 else "x"})
        for t in record.trials
    ]
    mixed = importance(replace(record, trials=numbers, search={"a": "tune()", "b": "?", "c": "tune([None, 'x'])"}))
    assert isinstance(mixed, Importance) and set(mixed.shares) == {"a", "b", "c"}


@pytest.mark.parametrize("text", ["", "tune()", "5", "tune(", "loss", "tune(1)"])
def test_a_range_that_cannot_be_read_is_left_to_the_trials(text: str) -> None:
    assert read_range(text).bare
