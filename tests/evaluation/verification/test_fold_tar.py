from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.report import Labelled, Options, evaluate
from sandbox.evaluation.verification.fold_tar import figure, fold_rates
from sandbox.recipe.extra import Extra


def drawn(seed: int, n: int, folds: int, tied: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    fold, same = np.arange(n) % folds + 1, np.arange(n) // folds % 2 == 0
    scores = rng.integers(0, 5, n) if tied else rng.normal(size=n) + same
    return scores.astype(np.float32), same, fold


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(12, 80), st.integers(2, 5), st.sampled_from([0.01, 0.1, 0.25, 0.5]))
def test_each_fold_is_judged_at_the_lowest_threshold_that_all_others_allow(
    seed: int, n: int, folds: int, far: float
) -> None:
    for tied in (False, True):
        scores, same, fold = drawn(seed, n, folds, tied)
        found = fold_rates(scores, same, fold, far)
        levels = np.append(np.unique(scores), np.float32(np.inf))
        for place, name in enumerate(range(1, folds + 1)):
            others, here = fold != name, fold == name
            # accepting from the lowest score upwards that no more than `far` of the other impostors reach
            impostors = scores[others & ~same]
            above = [level for level in np.append(-np.inf, levels) if (impostors > level).mean() <= far]
            accepted = scores > min(above, key=lambda level: (-(scores > level).sum(), level))
            assert found.tar[place] == accepted[here & same].mean()
            assert found.far[place] == accepted[here & ~same].mean()


def test_the_entry_is_the_mean_and_the_deviation_that_a_person_would_count() -> None:
    scores, same, fold = drawn(4, 400, 10, tied=False)
    rates = fold_rates(scores, same, fold, 0.1)
    entry = figure(rates, Extra("fold_tar", 0.1))["verification/fold_tar@far=1e-1"]
    assert (entry["value"], entry["standard_deviation"]) == (rates.tar.mean(), rates.tar.std())
    assert entry["far"] == rates.far.mean() and (entry["n"], entry["folds"]) == (400, 10)
    half = 2.262157 * rates.tar.std(ddof=1) / 10**0.5  # the t of nine degrees of freedom
    assert entry["high"] - entry["value"] == pytest.approx(half, rel=1e-6)


def test_it_stands_in_a_report_where_pairs_have_folds_and_is_asked_for() -> None:
    rng = np.random.default_rng(0)
    left, right, same = rng.integers(0, 50, 90), rng.integers(0, 50, 90), np.arange(90) % 2 == 0
    x, y, fold = rng.normal(size=(50, 4)), np.arange(50), np.arange(90) // 2 % 3
    asked = Options(extra=(Extra("fold_tar", 0.1),), retrieval=False)
    keys = {"verification/fold_tar@far=1e-1"}
    for with_folds in (True, False):
        pairs = Pairs(left, right, same, fold if with_folds else None)
        assert (keys <= evaluate(Labelled(x, y), asked, pairs=pairs).figures.keys()) == with_folds
        assert not keys & evaluate(Labelled(x, y), Options(retrieval=False), pairs=pairs).figures.keys()


def test_a_fold_of_one_kind_and_a_single_fold_are_refused() -> None:
    scores, same = np.arange(6.0), np.array([True, False, True, True, False, True])
    with pytest.raises(SandboxError, match=re.escape("fold 2 holds no impostor pair, so that TAR at FAR")):
        fold_rates(scores, same, np.array([1, 1, 2, 2, 3, 3]), 0.1)
    with pytest.raises(SandboxError, match="all 6 pairs are in fold 1; TAR over folds needs two or more"):
        fold_rates(scores, same, np.ones(6, int), 0.1)
