from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression

from sandbox.errors import SandboxError
from sandbox.evaluation.verification.calibration import Calibration, cllr, min_cllr


def scores_of(seed: int, genuine: int, impostors: int, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores that overlap, tied where `levels` is small."""
    rng = np.random.default_rng(seed)
    same = rng.permutation(np.arange(genuine + impostors) < genuine)
    return np.round((rng.normal(size=len(same)) + same) * levels) / levels, same


CASES = st.builds(
    scores_of, st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 60), st.sampled_from([1, 3, 1000])
)
METHODS = st.sampled_from(["logistic", "isotonic"])
Case = tuple[np.ndarray, np.ndarray]


def by_loop(llr: np.ndarray, same: np.ndarray) -> float:
    genuine = [math.log2(1 + math.exp(-v)) for v in llr[same].tolist()]
    impostors = [math.log2(1 + math.exp(v)) for v in llr[~same].tolist()]
    return (sum(genuine) / len(genuine) + sum(impostors) / len(impostors)) / 2


@given(CASES)
def test_cllr_equals_its_formula(case: Case) -> None:
    assert cllr(*case) == pytest.approx(by_loop(*case), rel=1e-12)
    assert cllr(np.zeros(len(case[0])), case[1]) == pytest.approx(1, abs=1e-15)


def test_cllr_of_large_and_infinite_ratios() -> None:
    same = np.array([True, False])
    assert cllr(np.array([np.inf, -np.inf]), same) == 0
    assert cllr(np.array([-np.inf, -np.inf]), same) == np.inf
    assert cllr(np.array([-2000.0, 0]), same) == pytest.approx((2000 / math.log(2) + 1) / 2)
    assert cllr(np.array([math.log(3), -math.log(3)]), same) == pytest.approx(math.log2(4 / 3))


@settings(max_examples=60)
@given(CASES)
def test_logistic_finds_the_least_cllr_of_any_line(case: Case) -> None:
    scores, same = case
    fitted = Calibration.fit(scores, same)
    own = cllr(fitted.apply(scores), same)
    assert own <= 1 + 1e-9 and fitted.slope >= 0

    def cost(line: np.ndarray) -> float:
        return cllr(line[0] * scores + line[1], same)

    start = [fitted.slope, fitted.offset]
    best = minimize(cost, start, method="L-BFGS-B", bounds=[(0, 50), (-200, 200)], options={"ftol": 1e-14})
    assert own <= best.fun + 2e-4  # what the ridge may cost
    assert min_cllr(scores, same) <= own + 1e-9


def partitions(n: int) -> list[list[int]]:
    """The block of each of n levels, for every way to cut them into runs."""
    cuts = itertools.product([0, 1], repeat=n - 1)
    return [[0, *itertools.accumulate(cut)] for cut in cuts]


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 8))
def test_min_cllr_is_the_least_over_all_monotone_block_maps(seed: int, genuine: int, impostors: int) -> None:
    scores, same = scores_of(seed, genuine, impostors, 2)
    levels = np.unique(scores)
    if len(levels) > 9:
        scores = np.clip(scores, levels[0], levels[8])
        levels = levels[:9]
    least = np.inf
    for blocks in partitions(len(levels)):
        block = np.array(blocks)[np.searchsorted(levels, scores)]
        g, i = (np.bincount(block[side], minlength=block.max() + 1) / side.sum() for side in (same, ~same))
        with np.errstate(divide="ignore"):
            llr = np.log(g) - np.log(i)
        if (llr[1:] >= llr[:-1]).all():
            least = min(least, cllr(llr[block], same))
    assert min_cllr(scores, same) == pytest.approx(least, abs=1e-9)


def test_min_cllr_of_plain_cases() -> None:
    same = np.array([True, True, False, False])
    assert min_cllr(np.array([3.0, 2, 1, 0]), same) == 0
    assert min_cllr(np.array([0.0, 1, 2, 3]), same) == pytest.approx(1)
    assert min_cllr(np.array([1.0, 1, 1, 1]), same) == pytest.approx(1)
    # Top: a genuine alone. Middle: one of each, tied. Bottom: an impostor alone. Only the middle costs, a bit each.
    assert min_cllr(np.array([2.0, 1, 1, 0]), same) == pytest.approx(0.5)


@settings(max_examples=60)
@given(CASES)
def test_isotonic_equals_pav_of_scikit_learn_with_a_pair_of_each_kind_beyond_both_ends(case: Case) -> None:
    scores, same = case
    low, high = scores.min() - 1, scores.max() + 1
    padded = np.concatenate([[low, low], scores, [high, high]])
    pav = IsotonicRegression().fit(padded, np.concatenate([[1, 0], same, [1, 0]]))
    share = pav.predict(scores)
    expected = np.log(share / (1 - share)) - np.log(same.sum() / (~same).sum())
    fitted = Calibration.fit(scores, same, method="isotonic")
    np.testing.assert_allclose(fitted.apply(scores), expected, atol=1e-9)
    assert min_cllr(scores, same) <= cllr(fitted.apply(scores), same) + 1e-12
    beyond = fitted.apply(np.array([low, scores.min(), scores.max(), high]))
    assert beyond[0] == beyond[1] and beyond[2] == beyond[3] and np.isfinite(beyond).all()


def test_isotonic_says_no_more_than_the_number_of_pairs_can_show() -> None:
    scores, same = np.arange(10.0), np.arange(10) >= 5
    fitted = Calibration.fit(scores, same, method="isotonic")
    # Five impostors and the pseudo pair below: 1 genuine to 6 impostors. Five genuine and a pair above: 6 to 1.
    expected = [-math.log(6), -math.log(6), 0, math.log(6), math.log(6)]
    assert fitted.apply(np.array([-9, 4, 4.5, 5, 99])).tolist() == pytest.approx(expected, abs=1e-12)
    assert len(fitted.levels) == 4


@settings(max_examples=60)
@given(CASES, METHODS, st.integers(0, 10**6))
def test_a_higher_score_never_gets_a_lower_ratio(case: Case, method: str, seed: int) -> None:
    scores, same = case
    fitted = Calibration.fit(scores, same, method=method)  # type: ignore[arg-type]
    near = np.concatenate([scores, np.nextafter(scores, 9), np.nextafter(scores, -9)])
    asked = np.sort(np.concatenate([near, np.random.default_rng(seed).uniform(-6, 6, 200)]))
    llr = fitted.apply(asked)
    assert (np.diff(llr) >= 0).all() and llr.dtype == np.float64
    against = Calibration.fit(-scores, same, method=method)  # type: ignore[arg-type]
    assert (np.diff(against.apply(asked)) >= 0).all()


@settings(max_examples=60)
@given(CASES, METHODS, st.integers(0, 10**6))
def test_weights_stand_for_repeated_pairs(case: Case, method: str, seed: int) -> None:
    scores, same = case
    weights = np.random.default_rng(seed).integers(0, 4, len(scores))
    weights[[same.argmax(), (~same).argmax()]] = 2  # one of each kind at least
    repeated, repeated_same = np.repeat(scores, weights), np.repeat(same, weights)
    assert cllr(scores, same, weights) == pytest.approx(cllr(repeated, repeated_same), abs=1e-12)
    assert min_cllr(scores, same, weights) == pytest.approx(min_cllr(repeated, repeated_same), abs=1e-12)
    one = Calibration.fit(scores, same, method=method, weights=weights).apply(scores)  # type: ignore[arg-type]
    other = Calibration.fit(repeated, repeated_same, method=method).apply(scores)  # type: ignore[arg-type]
    np.testing.assert_allclose(one, other, atol=1e-4)


@given(CASES, METHODS)
def test_a_histogram_gives_what_its_pairs_give(case: Case, method: str) -> None:
    scores, same = case
    values = np.unique(scores)
    genuine, impostors = (np.array([(scores[side] == v).sum() for v in values]) for side in (same, ~same))
    both = np.concatenate([values, values])
    kinds, weights = np.arange(len(both)) < len(values), np.concatenate([genuine, impostors])
    binned = Calibration.fit(both, kinds, method=method, weights=weights)  # type: ignore[arg-type]
    plain = Calibration.fit(scores, same, method=method)  # type: ignore[arg-type]
    np.testing.assert_allclose(binned.apply(values), plain.apply(values), atol=1e-4)
    assert min_cllr(both, kinds, weights) == pytest.approx(min_cllr(scores, same), abs=1e-12)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_kinds_that_do_not_overlap_are_calibrated_without_complaint(scale: float) -> None:
    scores, same = scale * np.array([0.0, 1, 2, 8, 9]), np.array([False, False, False, True, True])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = Calibration.fit(scores, same)
    assert 0 < fitted.slope < np.inf
    assert cllr(fitted.apply(scores), same) < 1e-3
    assert fitted.apply(scale * np.array([5.0]))[0] == pytest.approx(0, abs=2)


@pytest.mark.parametrize(
    "scores", [np.full(6, 0.1), np.array([0.9, 0.8, 0.7, 0.3, 0.2, 0.1])], ids=["all tied", "inverted"]
)
def test_scores_that_say_nothing_get_ratio_one(scores: np.ndarray) -> None:
    same = np.arange(6) >= 2
    fitted = Calibration.fit(scores, same)
    assert (fitted.slope, fitted.offset) == (0, 0)
    assert cllr(fitted.apply(scores), same) == pytest.approx(1)
    # One pool with the pseudo pair above, since genuine pairs are the more: odds of 5 to 3 where all have 4 to 2.
    isotonic = Calibration.fit(scores, same, method="isotonic").apply(scores)
    np.testing.assert_allclose(isotonic, math.log(5 / 3) - math.log(4 / 2))


def test_gaussian_scores_get_back_their_own_ratios() -> None:
    # Equal variances: genuine N(1, 1), impostors N(-1, 1), so that the true ratio is 2 * score.
    quantiles = np.linspace(0.0005, 0.9995, 1000)
    from scipy.stats import norm

    genuine, impostors = norm.ppf(quantiles) + 1, np.repeat(norm.ppf(quantiles) - 1, 5)
    scores, same = np.concatenate([genuine, impostors]), np.arange(6000) < 1000
    fitted = Calibration.fit(scores, same)
    assert fitted.slope == pytest.approx(2, abs=0.02) and fitted.offset == pytest.approx(0, abs=0.01)


S, K = np.array([0.1, 0.2]), np.array([True, False])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Calibration.fit(S, K | True), "needs both kinds of pair; there is no impostor pair among 2"),
        (lambda: Calibration.fit(S, K & False), "needs both kinds of pair; there is no genuine pair among 2"),
        (lambda: Calibration.fit(S, K, weights=np.array([0, 3])), "there is no genuine pair among 1"),
        (lambda: min_cllr(S, K | True), "there is no impostor pair among 2"),
        (lambda: cllr(S, K | True), "there is no impostor pair among 2"),
        (lambda: Calibration.fit(S[:0], K[:0]), "there are no pairs"),
        (lambda: Calibration.fit(np.array([0, np.nan]), K), "scores are not finite as float64, the first in row 1"),
        (lambda: min_cllr(np.array([np.inf, 0]), K), "1 of 2 scores are not finite as float64, the first in row 0"),
        (lambda: Calibration.fit(S, K).apply(np.array([np.inf])), "1 of 1 scores are not finite"),
        (lambda: cllr(np.array([np.nan, 0]), K), "1 of 2 log likelihood ratios are NaN"),
        (lambda: cllr(S, K[:1]), "scores (2,), same (1,) and weights (1,) do not fit: all are (M,)"),
        (lambda: cllr(S, K, np.array([1, -1])), "weights count pairs: each must be finite and 0 or more"),
        (lambda: cllr(S, K, np.array([1, np.nan])), "weights count pairs: each must be finite and 0 or more"),
        (lambda: Calibration.fit(S, K, method="platt"), "a calibration is 'logistic' or 'isotonic', not 'platt'"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_what_cannot_be_calibrated_is_refused_in_one_sentence(call, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SandboxError) as caught:
        call()
    assert words in str(caught.value) and "\n" not in str(caught.value)
