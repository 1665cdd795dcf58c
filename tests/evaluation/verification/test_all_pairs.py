from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.evaluation import blocks
from sandbox.evaluation.intervals.influence import DenseSpread
from sandbox.evaluation.similarity import SIMILARITIES, Similarity, as_products
from sandbox.evaluation.verification import all_pairs
from sandbox.evaluation.verification.all_pairs import AllPairs, count_all_pairs

FAR = (0.5, 0.1, 0.01, 0.001)


def rows_of(seed: int, n: int, classes: int, tied: bool) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a few classes, some with a single row; small whole numbers where ties are wanted."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.concatenate([[0, 0, 1], rng.integers(0, classes, n)])) * 3 - 4
    x = rng.integers(-1, 2, (len(y), 3)) if tied else rng.normal(size=(len(y), 6)) + rng.normal(size=(99, 6))[y]
    return x.astype(np.float64), y


CASES = st.builds(rows_of, st.integers(0, 10**6), st.integers(0, 40), st.integers(1, 12), st.booleans())
Case = tuple[np.ndarray, np.ndarray]


def scores_of(left: np.ndarray, right: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Genuine and impostor scores of every pair, in float64 and rounded once."""
    i, j = np.triu_indices(len(y), 1)
    scores = np.einsum("ij,ij->i", left[i].astype(np.float64), right[j].astype(np.float64)).astype(np.float32)
    same = y[i] == y[j]
    return scores[same], scores[~same]


def check_curve(found: AllPairs, genuine: np.ndarray, impostors: np.ndarray) -> None:
    """Each count, by looking the threshold up among all scores."""
    curve = found.curve
    for counted, scores, side in (
        (curve.genuine_from, genuine, "left"),
        (curve.genuine_above, genuine, "right"),
        (curve.impostors_from, impostors, "left"),
        (curve.impostors_above, impostors, "right"),
    ):
        below = np.searchsorted(np.sort(scores), curve.threshold, side=side)  # type: ignore[call-overload]
        np.testing.assert_array_equal(counted, len(scores) - below)
    assert (curve.genuine, curve.impostors) == (len(genuine), len(impostors))
    below, up_to = (np.searchsorted(np.sort(impostors), genuine, side=side) for side in ("left", "right"))
    assert curve.wins == (below + up_to).sum() / 2


def check_spread(found: AllPairs, y: np.ndarray) -> None:
    """Genuine pairs count for their identity, impostor pairs for both of theirs."""
    size = np.unique(y, return_counts=True)[1]
    spread = found.spread
    assert isinstance(spread, DenseSpread)
    assert spread.by_genuine.sum(1).tolist() == (size * (size - 1) // 2).tolist()
    assert spread.by_impostor.sum(1).tolist() == (size * (len(y) - size)).tolist()
    assert spread.genuine.sum() == found.curve.genuine and spread.impostors.sum() == found.curve.impostors
    assert spread.identities == len(size)
    assert (np.diff(spread.edges) > 0).all() and len(spread.edges) == spread.by_genuine.shape[1] + 1 <= 98


@given(CASES, st.sampled_from(SIMILARITIES))
def test_counts_equal_those_over_a_list_of_all_pairs(case: Case, metric: Similarity) -> None:
    x, y = case
    left, right = as_products(x * 0.5 if metric == "l2" else x, metric)
    found = count_all_pairs(left, right, y)
    genuine, impostors = scores_of(left, right, y)
    assert found.curve.threshold.tolist() == np.unique(genuine).tolist()
    check_curve(found, genuine, impostors)
    check_spread(found, y)


@settings(max_examples=40)
@given(CASES, st.lists(st.floats(-4, 4, width=32), max_size=4))
def test_thresholds_that_were_asked_for_are_on_the_curve(case: Case, asked: list[float]) -> None:
    left, right = as_products(case[0], "dot")
    found = count_all_pairs(left, right, case[1], thresholds=asked)
    genuine, impostors = scores_of(left, right, case[1])
    wanted = np.concatenate([genuine, np.array(asked, np.float32)])
    assert found.curve.threshold.tolist() == np.unique(wanted).tolist()
    check_curve(found, genuine, impostors)


@given(CASES, st.sampled_from(SIMILARITIES))
def test_moments_are_the_means_and_variances_of_the_scores(case: Case, metric: Similarity) -> None:
    x, y = case
    left, right = as_products(x, metric)
    moments = count_all_pairs(left, right, y).moments
    i, j = np.triu_indices(len(y), 1)
    scores, same = np.einsum("ij,ij->i", left[i].astype(float), right[j].astype(float)), y[i] == y[j]
    direct = (scores[same].mean(), scores[same].var(), scores[~same].mean(), scores[~same].var())
    ours = (moments.genuine_mean, moments.genuine_var, moments.impostor_mean, moments.impostor_var)
    assert ours == pytest.approx(direct, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("metric", SIMILARITIES)
def test_a_class_taken_in_parts_beside_small_ones(metric: Similarity) -> None:
    rng = np.random.default_rng(0)
    y = rng.permutation(np.concatenate([np.zeros(1300, int), np.repeat([1, 2], 130), np.arange(3, 30)]))
    x = rng.normal(size=(len(y), 5)) + 0.8 * rng.normal(size=(30, 5))[y]
    left, right = as_products(x, metric)
    found = count_all_pairs(left, right, y)
    genuine, impostors = scores_of(left, right, y)
    # The same sum in another order may round one pair in 2**28 to the next float32.
    np.testing.assert_array_equal(found.curve.threshold, np.unique(genuine))
    check_curve(found, genuine, impostors)
    check_spread(found, y)


@pytest.mark.parametrize("n", [2, 64, 65, 1024, 1025, 1026, 2049])
def test_every_pair_of_a_class_counts_once_whatever_its_size(n: int) -> None:
    angle = np.sqrt(np.arange(n + 1))
    x, y = np.stack([np.cos(angle), np.sin(angle)], 1), np.append(np.zeros(n, int), 1)
    left, right = as_products(x)
    found = count_all_pairs(left, right, y)
    genuine, impostors = scores_of(left, right, y)
    assert found.curve.genuine == len(genuine) == n * (n - 1) // 2
    check_curve(found, genuine, impostors)
    check_spread(found, y)


@settings(max_examples=40)
@given(CASES, st.sampled_from(SIMILARITIES), st.integers(1, 60))
def test_windows_of_the_score_join_to_the_curve_of_one(case: Case, metric: Similarity, most: int) -> None:
    x, y = case
    left, right = as_products(x, metric)
    whole = count_all_pairs(left, right, y, far=FAR, thresholds=(0.1, -0.3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(all_pairs, "_MOST_LEVELS", most)
        cut = count_all_pairs(left, right, y, far=FAR, thresholds=(0.1, -0.3))
    for name in ("threshold", "genuine_from", "genuine_above", "impostors_from", "impostors_above", "wins"):
        np.testing.assert_array_equal(getattr(cut.curve, name), getattr(whole.curve, name))
    check_spread(cut, y)


@pytest.mark.parametrize("n", range(4, 12))
def test_genuine_scores_that_all_tie_beyond_the_size_of_a_window(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_pairs, "_MOST_LEVELS", 2)
    x, y = np.ones((n, 1)), np.append(np.zeros(n - 1, int), 1)
    curve = count_all_pairs(x, x, y).curve
    assert (curve.threshold.tolist(), curve.genuine_from.tolist()) == ([1], [(n - 1) * (n - 2) // 2])
    assert curve.auc == 0.5


def test_windows_with_more_points_than_are_kept_give_the_same_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    y = np.repeat(np.arange(4), 110)
    left, right = as_products(rng.normal(size=(440, 9)) + 0.6 * rng.normal(size=(4, 9))[y])
    asked = rng.uniform(-1, 1, 40).astype(np.float32).tolist()
    whole = count_all_pairs(left, right, y, far=FAR, thresholds=asked).curve
    monkeypatch.setattr(all_pairs, "_MOST_LEVELS", 9000)
    cut = count_all_pairs(left, right, y, far=FAR, thresholds=asked).curve
    assert len(cut.threshold) < 0.9 * len(whole.threshold)  # 23,980 genuine pairs, 4,096 points for each of 3 windows
    assert cut.auc == pytest.approx(whole.auc, abs=1e-15)
    assert cut.equal_error() == whole.equal_error()
    assert cut.best_accuracy() == whole.best_accuracy()
    assert [cut.accept_at(far) for far in FAR] == [whole.accept_at(far) for far in FAR]
    assert [cut.accuracy_at(t) for t in asked] == [whole.accuracy_at(t) for t in asked]


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (all_pairs, "_SAMPLE_ROWS", 1),
        (all_pairs, "_SAMPLE_ROWS", 3),
        (all_pairs, "_TABLES", 1),
        (blocks, "_BLOCK_BYTES", 1),
        (blocks, "_MOST_ROWS", 9),
    ],
)
@pytest.mark.parametrize("tied", [False, True])
def test_sizes_of_blocks_tables_and_samples_change_no_count(
    tied: bool, module: ModuleType, name: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = rows_of(7, 150, 20, tied)
    left, right = as_products(x, "l2")
    whole = count_all_pairs(left, right, y)
    monkeypatch.setattr(module, name, value)
    found = count_all_pairs(left, right, y)
    for field in ("threshold", "genuine_from", "genuine_above", "impostors_from", "impostors_above", "wins"):
        np.testing.assert_array_equal(getattr(found.curve, field), getattr(whole.curve, field))
    assert found.moments == whole.moments
    check_spread(found, y)
    if name != "_SAMPLE_ROWS":  # the sample shapes the bins
        np.testing.assert_array_equal(found.spread.influence(*bins_of(found)), whole.spread.influence(*bins_of(whole)))


def bins_of(found: AllPairs) -> tuple[np.ndarray, np.ndarray]:
    bins = np.arange(len(found.spread.edges) - 1)
    return bins, bins**2


def test_more_threads_count_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = rows_of(8, 300, 30, False)
    left, right = as_products(x)
    one = count_all_pairs(left, right, y)
    monkeypatch.setattr(all_pairs, "threads", lambda: 4)
    monkeypatch.setattr(blocks, "_MOST_ROWS", 8)
    four = count_all_pairs(left, right, y)
    np.testing.assert_array_equal(four.curve.impostors_from, one.curve.impostors_from)
    np.testing.assert_array_equal(four.spread.by_impostor, one.spread.by_impostor)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("y", "which"), [(np.zeros(4, int), "impostor"), (np.arange(4), "genuine"), (np.zeros(1, int), "genuine")]
)
def test_one_kind_of_pair_alone_is_refused(y: np.ndarray, which: str) -> None:
    x = np.eye(4)[: len(y)]
    pairs = len(y) * (len(y) - 1) // 2
    with pytest.raises(SandboxError, match=f"there is no {which} pair among {pairs}"):
        count_all_pairs(x, x, y)
