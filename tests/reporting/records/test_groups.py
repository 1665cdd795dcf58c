"""The seeds of a recipe together, with their folds and stages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.recipe.specs import DataSpec, Recipe, digest
from sandbox.reporting.records.groups import group

from table_runs import METRIC, finish, runs_of


def fold(k: int, seed: int, *, of: int = 3, turned: int = 0, tested: str = "") -> Recipe:
    data = DataSpec(name="digits", val_fold=f"{k}/{of}", test_fold=tested, fold_seed=turned)
    return Recipe(seed=seed, data=data)


def test_a_seed_that_ran_twice_counts_once_and_is_said(tmp_path: Path) -> None:
    finish(tmp_path, Recipe(), 0.4)
    finish(tmp_path, Recipe(), 0.5)
    (only,), (note,) = group(runs_of(tmp_path))
    assert only.by_seed(METRIC) == {0: 0.5} and note == "1 older run of a recipe and seed that ran again is left out."


def test_folds_are_one_value_of_their_seed(tmp_path: Path) -> None:
    for seed in (0, 1):
        for k in (1, 2, 3):
            finish(tmp_path, fold(k, seed, turned=seed), 0.1 * k + 0.01 * seed, split=f"s{k}", test_images="t")
    (only,), notes = group(runs_of(tmp_path))
    assert only.by_seed(METRIC) == pytest.approx({0: 0.2, 1: 0.21}) and only.seeds == (0, 1)
    assert only.folds == (("1/3", ""), ("2/3", ""), ("3/3", "")) and not notes


def test_a_seed_of_which_a_fold_lacks_a_figure_has_none(tmp_path: Path) -> None:
    for k in (1, 2, 3):
        figures = {"retrieval/map@r": 0.1 * k, **({"verification/auc": 0.9} if k < 3 else {})}
        finish(tmp_path, fold(k, 0), figures, test_images="t")
    (only,), _ = group(runs_of(tmp_path))
    assert only.by_seed(METRIC) == pytest.approx({0: 0.2}) and only.by_seed("test/verification/auc") == {}


def test_folds_that_are_tested_on_folds_are_one_value_as_well(tmp_path: Path) -> None:
    for k in (1, 2, 3):
        finish(tmp_path, fold(k, 0, tested=f"{k % 3 + 1}/3"), 0.1 * k, split=f"s{k}")
    finish(tmp_path, fold(1, 0), 0.9, split="s1")  # tested on the data set's own test: another row
    groups, _ = group(runs_of(tmp_path))
    assert sorted(len(one.runs) for one in groups) == [1, 3]


def test_a_seed_that_lacks_a_fold_is_left_out_and_named(tmp_path: Path) -> None:
    for seed, folds in ((0, (1, 2, 3)), (1, (1, 2))):
        for k in folds:
            finish(tmp_path, fold(k, seed), 0.5, test_images="t")
    (only,), (note,) = group(runs_of(tmp_path))
    assert only.seeds == (0,) and note == "1 seed that lacks folds is left out: triplet seed 1."


def test_of_other_numbers_of_folds_and_other_test_images_rows_stay_apart(tmp_path: Path) -> None:
    finish(tmp_path, fold(1, 0), 0.5, test_images="t")
    finish(tmp_path, fold(1, 0, of=4), 0.5, test_images="t")
    finish(tmp_path, fold(1, 0), 0.5, test_images="u")
    assert len(group(runs_of(tmp_path))[0]) == 3


def test_of_stages_the_last_is_the_row(tmp_path: Path) -> None:
    first = Recipe(loss="cross_entropy")
    for seed in (0, 1):
        earlier = finish(tmp_path, replace(first, seed=seed), 0.4, stage="pretrain")
        went_on = replace(first, loss="arcface", seed=seed, resume_from=str(earlier), after=digest(first))
        finish(tmp_path, went_on, 0.6, stage="continue")
    (only,), (note,) = group(runs_of(tmp_path))
    assert only.objective == "arcface" and only.seeds == (0, 1)
    assert note == "2 earlier stages of a staged recipe are left out: the last stage is the row."


def test_a_run_that_others_began_from_by_hand_is_a_result_of_its_own(tmp_path: Path) -> None:
    finish(tmp_path, Recipe(loss="cross_entropy"), 0.4)
    finish(tmp_path, Recipe(loss="arcface", after=digest(Recipe(loss="cross_entropy"))), 0.6)
    assert len(group(runs_of(tmp_path))[0]) == 2
