from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.evaluation.verification.roc import Curve, curve_from_counts, joined

FAR = (1.0, 0.3, 0.1, 0.02, 0.0)
Case = tuple[np.ndarray, np.ndarray, np.ndarray]


def case_of(seed: int, genuine: int, impostors: int, levels: int, asked: int) -> Case:
    """Genuine scores, impostor scores (tied where `levels` is small) and thresholds that were asked for."""
    rng = np.random.default_rng(seed)
    scores = (np.round((rng.normal(size=genuine + impostors)) * levels) / levels).astype(np.float32)
    scores[:genuine] += np.float32(1)
    extra = np.concatenate([rng.normal(size=asked), rng.choice(scores, asked)]).astype(np.float32)
    return scores[:genuine], scores[genuine:], extra


CASES = st.builds(
    case_of,
    st.integers(0, 10**6),
    st.integers(1, 40),
    st.integers(1, 80),
    st.sampled_from([1, 3, 1000]),
    st.integers(0, 4),
)


def curve_of(genuine: np.ndarray, impostors: np.ndarray, extra: np.ndarray, parts: int = 1) -> list[Curve]:
    """Pieces of the curve, each from the counts at and between its own thresholds, counted one by one."""
    pieces = []
    for levels in np.array_split(np.unique(np.concatenate([genuine, extra])), parts):
        if len(levels):
            at = np.array([(genuine == level).sum() for level in levels])
            slots = []
            for low, high in zip([-np.inf, *levels], [*levels, np.inf], strict=True):
                slots += [((impostors > low) & (impostors < high)).sum(), (impostors == high).sum()]
            remaining = int((genuine >= levels[0]).sum())
            pieces.append(curve_from_counts(levels, at, np.array(slots[:-1]), len(genuine), len(impostors), remaining))
    return pieces


def check(curve: Curve, genuine: np.ndarray, impostors: np.ndarray) -> None:
    assert (np.diff(curve.threshold) > 0).all()
    for place, level in enumerate(curve.threshold):
        assert curve.genuine_from[place] == (genuine >= level).sum()
        assert curve.genuine_above[place] == (genuine > level).sum()
        assert curve.impostors_from[place] == (impostors >= level).sum()
        assert curve.impostors_above[place] == (impostors > level).sum()
    assert (curve.genuine, curve.impostors) == (len(genuine), len(impostors))
    assert curve.pairs == len(genuine) + len(impostors)
    assert curve.wins == sum((g > impostors).sum() + (g == impostors).sum() / 2 for g in genuine)
    assert curve.auc == pytest.approx(curve.wins / (len(genuine) * len(impostors)), abs=1e-15)


@given(CASES, st.integers(1, 5))
def test_counts_equal_those_of_a_loop_in_one_piece_or_several(case: Case, parts: int) -> None:
    genuine, impostors, extra = case
    curve = joined(curve_of(genuine, impostors, extra, parts))
    check(curve, genuine, impostors)
    assert curve.threshold.tolist() == np.unique(np.concatenate([genuine, extra])).tolist()


@given(CASES)
def test_the_best_accuracy_is_that_of_the_best_of_all_thresholds(case: Case) -> None:
    genuine, impostors, extra = case
    (curve,) = curve_of(genuine, impostors, extra)
    every = [-np.inf, *genuine, *impostors, *extra, np.inf]
    right = [((genuine >= t).sum() + (impostors < t).sum()) / curve.pairs for t in every]
    value, threshold = curve.best_accuracy()
    assert value == pytest.approx(max(right), abs=1e-15)
    assert value == pytest.approx(((genuine >= threshold).sum() + (impostors < threshold).sum()) / curve.pairs)
    assert value == curve.accuracy_at(threshold)


@given(CASES, st.integers(1, 9), st.integers(1, 9))
def test_the_best_accuracy_for_another_mix_weighs_the_kinds(case: Case, some: int, others: int) -> None:
    genuine, impostors, extra = case
    (curve,) = curve_of(genuine, impostors, extra)
    share = some / (some + others)
    every = [*genuine, *impostors, *extra, np.inf]
    right = [share * (genuine >= t).mean() + (1 - share) * (impostors < t).mean() for t in every]
    for mix in ((some, others), (some * 10**20, others * 10**20 + 1)):  # the second is too large for whole numbers
        value, threshold = curve.best_accuracy(mix)
        assert value == pytest.approx(max(right), abs=1e-9)
        there = share * (genuine >= threshold).mean() + (1 - share) * (impostors < threshold).mean()
        assert value == pytest.approx(there, abs=1e-9)


def test_rejecting_every_pair_can_be_best() -> None:
    genuine, impostors = np.array([0.0, 0.1], np.float32), np.array([0.5, 0.6, 0.7], np.float32)
    (curve,) = curve_of(genuine, impostors, np.empty(0, np.float32))
    assert curve.best_accuracy() == (3 / 5, float("inf"))
    assert curve.accuracy_at(float("inf")) == 3 / 5
    assert curve.accept_at(0.9) == (0.0, 0.0, float("inf"))


@given(CASES)
def test_accuracy_at_a_threshold_that_was_asked_for(case: Case) -> None:
    genuine, impostors, extra = case
    (curve,) = curve_of(genuine, impostors, extra)
    for t in [*extra, *genuine]:
        expected = ((genuine >= t).sum() + (impostors < t).sum()) / curve.pairs
        assert curve.accuracy_at(float(t)) == pytest.approx(expected, abs=1e-15)
    for missing in (99.0, -99.0, float(genuine[0]) + 1e-5):
        with pytest.raises(KeyError):
            curve.accuracy_at(missing)


@given(CASES)
def test_the_best_balanced_accuracy_is_that_of_the_best_of_all_thresholds(case: Case) -> None:
    genuine, impostors, extra = case
    (curve,) = curve_of(genuine, impostors, extra)
    every = np.unique([-np.inf, *genuine, *impostors, *extra, np.inf])
    # Whole numbers, so that equal ones tie: of those the highest threshold that is a score of the curve is taken.
    lead = [int((genuine >= t).sum()) * len(impostors) - int((impostors >= t).sum()) * len(genuine) for t in every]
    value, threshold = curve.best_balanced_accuracy()
    assert value == pytest.approx((1 + max(lead) / len(genuine) / len(impostors)) / 2, abs=1e-15) and value >= 0.5
    best = [t for t, each in zip(every, lead, strict=True) if each == max(lead) and t in curve.threshold]
    assert threshold == max(best) and value == curve.balanced_accuracy_at(threshold)
    for t in [*extra, *genuine, np.inf]:
        expected = ((genuine >= t).mean() + (impostors < t).mean()) / 2
        assert curve.balanced_accuracy_at(float(t)) == pytest.approx(expected, abs=1e-15)
    with pytest.raises(KeyError):
        curve.balanced_accuracy_at(99.0)


@pytest.mark.parametrize(
    ("genuine", "impostors", "best"),
    [
        ([0.5, 0.5], [0.5, 0.5, 0.5], (0.5, 0.5)),
        ([0.0, 0.1], [0.5, 0.6, 0.7], (0.5, 0.0)),
        ([0.8, 0.9], [0.1, 0.2], (1.0, 0.8)),
        ([0.4, 0.8], [0.1, 0.6], (0.75, 0.8)),
    ],
    ids=["all tied", "inverted", "apart", "two as good"],
)
def test_the_threshold_of_balanced_accuracy_is_a_score(
    genuine: list[float], impostors: list[float], best: tuple[float, float]
) -> None:
    (curve,) = curve_of(np.array(genuine, np.float32), np.array(impostors, np.float32), np.empty(0, np.float32))
    assert curve.best_balanced_accuracy() == pytest.approx(best)


@given(CASES)
def test_the_true_accept_rate_is_the_largest_within_the_false_accept_rate(case: Case) -> None:
    genuine, impostors, extra = case
    (curve,) = curve_of(genuine, impostors, extra)
    thresholds = [*genuine, *impostors, np.inf]
    for far in FAR:
        tar, reached, threshold = curve.accept_at(far)
        assert tar == max((genuine >= t).mean() for t in thresholds if (impostors >= t).mean() <= far)
        assert (tar, reached) == ((genuine >= threshold).mean(), (impostors >= threshold).mean())
        assert reached <= far


@given(CASES)
def test_asking_for_further_thresholds_moves_no_figure(case: Case) -> None:
    genuine, impostors, extra = case
    (curve,), (plain,) = curve_of(genuine, impostors, extra), curve_of(genuine, impostors, extra[:0])
    assert curve.auc == plain.auc
    assert curve.equal_error()[0] == pytest.approx(plain.equal_error()[0], abs=1e-12)
    assert curve.best_accuracy()[0] == plain.best_accuracy()[0]
    assert curve.best_balanced_accuracy()[0] == plain.best_balanced_accuracy()[0]
    assert [curve.accept_at(far)[0] for far in FAR] == [plain.accept_at(far)[0] for far in FAR]


@settings(max_examples=60)
@given(CASES, st.integers(1, 4), st.sampled_from([2, 4, 10]))
def test_thinning_keeps_what_figures_are_read_from(case: Case, parts: int, most: int) -> None:
    genuine, impostors, extra = case
    pieces = curve_of(genuine, impostors, extra, parts)
    whole, thin = joined(pieces), joined([piece.thinned(FAR, extra.tolist(), most) for piece in pieces])
    assert set(thin.threshold) <= set(whole.threshold)
    check(thin, genuine, impostors)
    assert thin.equal_error() == whole.equal_error()
    assert thin.best_accuracy() == whole.best_accuracy()
    assert thin.best_balanced_accuracy() == whole.best_balanced_accuracy()
    assert [thin.accept_at(far) for far in FAR] == [whole.accept_at(far) for far in FAR]
    assert [thin.accuracy_at(float(t)) for t in extra] == [whole.accuracy_at(float(t)) for t in extra]


@pytest.mark.parametrize("count", [20, 5000])
def test_thinning_and_drawing_leave_few_points_fine_at_both_ends(count: int) -> None:
    rng = np.random.default_rng(0)
    genuine, impostors = (rng.normal(size=count) + 1).astype(np.float32), rng.normal(size=4 * count).astype(np.float32)
    levels = np.unique(genuine)
    below, up_to = (np.searchsorted(np.sort(impostors), levels, side=side) for side in ("left", "right"))
    slots = np.diff(np.stack([below, up_to], 1).ravel(), prepend=0, append=len(impostors))
    curve = curve_from_counts(levels, np.ones(len(levels), int), slots, len(levels), len(impostors), len(levels))
    assert len(curve.thinned(FAR, most=100).threshold) <= min(len(levels), 100 + 5 + 3 + 1)
    far, tar, threshold = curve.points(200)
    assert len(far) == len(tar) == len(threshold) <= min(len(levels), 200)
    assert (np.diff(threshold) < 0).all() and (np.diff(far) >= 0).all() and (np.diff(tar) > 0).all()
    assert threshold[0] == levels[-1] and threshold[-1] == levels[0] and tar[-1] == 1
    for f, t, level in zip(far, tar, threshold, strict=True):
        assert f == (impostors >= level).mean() and t == (levels >= level).mean()
    assert np.diff(tar).max() <= 0.03 + 1 / len(levels)
    reached = np.unique((impostors >= levels[:, None]).sum(1))
    rare = set(reached[reached <= 6])
    assert rare <= set(np.round(far * len(impostors)))  # where false accepts are few, each step of the curve shows
