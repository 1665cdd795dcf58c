from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sandbox.errors import SandboxError
from sandbox.evaluation.verification.cross_validation import (
    Folded,
    best_threshold,
    cross_validate,
    even_folds,
    figures,
)


def accuracy_at(scores: np.ndarray, same: np.ndarray, threshold: float) -> np.ndarray:
    """Which pairs a threshold gets right, where all is compared in float64."""
    return (scores.astype(np.float32).astype(np.float64) >= threshold) == same


def by_every_threshold(scores: np.ndarray, same: np.ndarray) -> tuple[float, float]:
    """Try every cut from the highest to the lowest, one pair at a time; the first that is best wins."""
    levels = sorted({float(np.float32(score)) for score in scores}, reverse=True)
    middles = []
    for above, below in itertools.pairwise(levels):
        middle = float(np.float32((above + below) / 2))
        middles.append(middle if middle > below else above)
    best, accuracy = math.nan, -1.0
    for threshold in [math.inf, *middles, -math.inf]:
        right = 0
        for score, genuine in zip(scores, same, strict=True):
            right += (float(np.float32(score)) >= threshold) == bool(genuine)
        if right / len(scores) > accuracy:
            best, accuracy = threshold, right / len(scores)
    return best, accuracy


def pairs_of(seed: int, m: int, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores that overlap, tied where `levels` is small, of either precision."""
    rng = np.random.default_rng(seed)
    same = rng.random(m) < rng.choice([0.1, 0.5, 0.9])
    scores = np.round((rng.normal(size=m) + rng.choice([-1, 0, 1]) * same) * levels) / levels
    return scores.astype(rng.choice(["f4", "f8"])), same


CASES = st.tuples(st.integers(0, 10**6), st.integers(1, 50), st.sampled_from([1, 3, 10**6]))


@settings(max_examples=200)
@given(CASES)
def test_the_best_threshold_equals_a_loop_over_all(case: tuple[int, int, int]) -> None:
    scores, same = pairs_of(*case)
    threshold, accuracy = best_threshold(scores, same)
    assert (threshold, accuracy) == by_every_threshold(scores, same)
    assert accuracy_at(scores, same, threshold).mean() == accuracy
    assert threshold == np.float32(threshold)
    order = np.random.default_rng(case[0]).permutation(len(scores))
    assert best_threshold(scores[order], same[order]) == (threshold, accuracy)


@settings(max_examples=100)
@given(CASES, st.integers(1, 5), st.integers(1, 5))
def test_for_another_mix_it_is_that_of_pairs_repeated_to_it(
    case: tuple[int, int, int], genuine: int, impostors: int
) -> None:
    scores, same = pairs_of(*case)
    if same.all() or not same.any():
        return
    times = np.where(same, genuine * np.count_nonzero(~same), impostors * np.count_nonzero(same))
    repeated = np.repeat(scores, times), np.repeat(same, times)
    assert best_threshold(scores, same, (genuine, impostors)) == pytest.approx(best_threshold(*repeated))
    few, many = best_threshold(scores, same, (1, 10**9)), best_threshold(scores, same, (10**15, 10**15 - 1))
    assert few[1] == pytest.approx(1, abs=1e-6)  # nearly all are impostors, and rejected
    balanced = [(accuracy_at(scores, same, t)[same].mean() + accuracy_at(scores, same, t)[~same].mean()) / 2
                for t in (*scores, many[0])]  # fmt: skip
    assert balanced[-1] >= max(balanced[:-1]) - 1e-9


@settings(max_examples=100)
@given(CASES, st.integers(2, 6))
def test_each_fold_is_judged_by_the_threshold_of_all_others(case: tuple[int, int, int], folds: int) -> None:
    scores, same = pairs_of(case[0], case[1] + 20, case[2])
    fold = np.random.default_rng(case[0] + 1).integers(0, folds, len(scores)) * 3 - 4  # any numbers, any sizes
    names = sorted(set(fold.tolist()))
    parts = [same[fold != name] for name in names]
    if any(part.all() or not part.any() for part in parts):
        with pytest.raises(SandboxError, match="no threshold can be chosen"):
            cross_validate(scores, same, fold)
        return
    folded = cross_validate(scores, same, fold)
    for place, name in enumerate(names):
        mine = fold == name
        threshold, _ = by_every_threshold(scores[~mine], same[~mine])
        assert folded.threshold[place] == threshold
        assert folded.accuracy[place] == pytest.approx(accuracy_at(scores[mine], same[mine], threshold).mean())
        assert folded.n[place] == mine.sum()


@pytest.mark.parametrize(
    ("genuine", "impostors", "threshold", "accuracy"),
    [
        ([0.75, 0.5], [0.25, 0.0], 0.375, 1.0),
        ([0.0, 0.25], [0.5, 0.75], math.inf, 0.5),
        ([0.0, 0.25, 0.3], [0.5, 0.75], -math.inf, 0.6),
        ([0.5], [0.5], math.inf, 0.5),
        ([0.5, 0.5], [0.5], -math.inf, 2 / 3),
        ([0.75, 0.25], [0.5, 0.0], 0.625, 0.75),
        ([0.5], [], -math.inf, 1.0),
        ([0.0], [-0.0], math.inf, 0.5),
    ],
    ids=["perfect", "inverted", "few impostors", "tied", "all tied", "two cuts, the upper", "one pair", "two zeros"],
)
def test_thresholds_of_plain_cases(
    genuine: list[float], impostors: list[float], threshold: float, accuracy: float
) -> None:
    scores = np.array(genuine + impostors)
    assert best_threshold(scores, np.arange(len(scores)) < len(genuine)) == (threshold, pytest.approx(accuracy))


@pytest.mark.parametrize("low", [np.float32(1), np.float32(np.nextafter(np.float32(1), np.float32(2))), np.float32(-1)])
def test_neighbours_in_float32_are_still_parted(low: np.float32) -> None:
    scores = np.array([np.nextafter(low, np.float32(np.inf)), low])
    threshold, accuracy = best_threshold(scores, np.array([True, False]))
    assert accuracy == 1.0
    assert (scores >= np.float32(threshold)).tolist() == (scores.astype(float) >= threshold).tolist() == [True, False]


def test_scores_that_differ_in_float64_only_are_tied() -> None:
    scores, same = np.array([0.1 + 1e-12, 0.1]), np.array([True, False])
    assert best_threshold(scores, same) == (math.inf, 0.5)
    assert accuracy_at(scores, same, float(np.float32(0.1))).tolist() == [True, False]


def test_a_threshold_that_no_float32_holds_is_compared_as_it_is() -> None:
    score = np.array([np.float32(0.1)])
    just_above = float(score[0]) + 1e-12
    assert accuracy_at(score, np.array([True]), just_above).tolist() == [False]
    assert accuracy_at(score, np.array([True]), float(score[0])).tolist() == [True]


def test_a_fold_of_one_kind_is_judged_where_the_others_hold_both() -> None:
    scores, same = np.array([0.9, 0.8, 0.7, 0.2, 0.6]), np.array([True, True, True, False, False])
    folded = cross_validate(scores, same, np.array([1, 1, 2, 2, 3]))
    assert folded.n.tolist() == [2, 2, 1]
    assert folded.accuracy.tolist() == [1.0, 0.5, 0.0]
    assert folded.threshold.tolist() == pytest.approx([0.65, 0.7, 0.45])


@given(st.integers(0, 10**6), st.integers(2, 12), st.integers(0, 40), st.integers(0, 40))
def test_even_folds_share_both_kinds(seed: int, folds: int, more_genuine: int, more_impostors: int) -> None:
    genuine, impostors = folds + more_genuine, folds + more_impostors
    same = np.random.default_rng(seed).permutation(np.arange(genuine + impostors) < genuine)
    fold = even_folds(same, folds)
    for kind in (same, ~same):
        assert (np.diff(fold[kind]) >= 0).all()
        sizes = [int((fold[kind] == name).sum()) for name in range(1, folds + 1)]
        assert sum(sizes) == kind.sum()
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("k", [2, 3, 4, 5, 10, 11, 30, 101])
def test_the_interval_is_that_of_scipy(k: int) -> None:
    accuracy = 0.7 + 0.02 * np.random.default_rng(k).normal(size=k)
    (key, entry), *others = figures(Folded(accuracy, np.linspace(0.1, 0.3, k), np.full(k, 6))).items()
    low, high = stats.t.interval(0.95, k - 1, loc=accuracy.mean(), scale=stats.sem(accuracy))
    assert not others
    assert key == f"verification/accuracy@{k}-fold"
    assert (entry["value"], entry["standard_error"]) == pytest.approx((accuracy.mean(), stats.sem(accuracy)))
    assert (entry["low"], entry["high"]) == pytest.approx((low, high), abs=1e-9)
    assert entry["n"] == 6 * k
    assert entry["thresholds"] == [0.1, 0.3]


def test_the_interval_stays_within_what_an_accuracy_can_be() -> None:
    entry = figures(Folded(np.array([1.0, 0.0]), np.array([-np.inf, np.inf]), np.array([1, 9])))[
        "verification/accuracy@2-fold"
    ]
    assert (entry["value"], entry["low"], entry["high"], entry["n"]) == (0.5, 0.0, 1.0, 10)
    assert entry["standard_error"] == pytest.approx(0.5)
    assert json.loads(json.dumps(entry, allow_nan=False))["thresholds"] == ["-inf", "inf"]


def test_folds_that_agree_have_an_interval_of_no_width() -> None:
    entry = figures(Folded(np.full(3, 0.75), np.zeros(3), np.full(3, 4)))["verification/accuracy@3-fold"]
    assert entry["low"] == entry["value"] == entry["high"] == 0.75


BOTH = np.array([True, False])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: best_threshold(np.ones(3), BOTH), r"scores \(3,\) and same \(2,\) do not fit"),
        (lambda: best_threshold(np.ones((2, 1)), BOTH[:, None]), r"both are \(M,\)"),
        (lambda: best_threshold(np.empty(0), np.empty(0, bool)), "there are no pairs"),
        (lambda: best_threshold(np.array([0.1, np.nan]), BOTH), "1 of 2 scores .* first in row 1"),
        (lambda: cross_validate(np.array([-np.inf, 1]), BOTH, np.arange(2)), "1 of 2 scores .* first in row 0"),
        (lambda: best_threshold(np.array([0.1, 1e300]), BOTH), "not finite as float32, the first in row 1"),
        (lambda: cross_validate(np.ones(2), BOTH, np.ones(3, int)), r"fold \(3,\) do not fit"),
        (lambda: cross_validate(np.ones(2), BOTH, np.full(2, 7)), "all 2 pairs are in fold 7"),
        (lambda: cross_validate(np.ones(2), BOTH, np.array([1, 2])), "other than 1 hold no genuine pair among 1,"),
        (
            lambda: cross_validate(np.ones(4), np.array([True, True, False, True]), np.array([1, 1, 2, 2])),
            "other than 2 hold no impostor pair among 2,",
        ),
        (lambda: even_folds(BOTH, 1), "1 is too few folds"),
        (lambda: even_folds(np.array([True, False, False]), 2), "2 genuine pairs, one in each; there is 1 among 3"),
        (lambda: even_folds(np.array([True, True]), 2), "2 impostor pairs, one in each; there are 0 among 2"),
        (lambda: even_folds(BOTH[:, None], 2), r"shape \(2, 1\)"),
    ],
)
def test_what_cannot_be_judged_is_refused_in_one_sentence(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SandboxError, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)
