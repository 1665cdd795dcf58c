from __future__ import annotations

import itertools

import numpy as np
import pytest

from sandbox.evaluation.intervals.bootstrap import logit_interval
from sandbox.evaluation.intervals.influence import DenseSpread, Deviation, Influence, Moments, PairSpread
from sandbox.evaluation.verification.metrics import Verification, verify_all_pairs, verify_pairs, verify_scores


def rows(seed: int, identities: int, each: int, noise: float = 1.0, dim: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Images scattered around their identities, which are scattered themselves."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(identities), each)
    return rng.normal(size=(identities, dim))[y] + noise * rng.normal(size=(len(y), dim)), y


def given_pairs(x: np.ndarray, y: np.ndarray) -> Verification:
    left, right = map(np.array, zip(*itertools.combinations(range(len(y)), 2), strict=True))
    return verify_pairs(x, left, right, y[left] == y[right], y=y)


def by_jackknife(x: np.ndarray, y: np.ndarray, figure) -> float:  # type: ignore[no-untyped-def]
    """Standard error of a figure from leaving out one identity at a time and computing it anew."""
    left_out = np.array([figure(verify_all_pairs(x[y != name], y[y != name])) for name in np.unique(y)])
    count = len(left_out)
    return float(((count - 1) / count * ((left_out - left_out.mean()) ** 2).sum()) ** 0.5)


def auc(found: Verification) -> float:
    return found.curve.auc


def d_prime(found: Verification) -> float:
    return found.moments.d_prime


THOROUGH = [pytest.param(*case, marks=pytest.mark.thorough) for case in ((60, 4, 1.0), (50, 6, 0.6))]


@pytest.mark.parametrize(("identities", "each", "noise"), [*THOROUGH, (40, 8, 1.5)])
def test_errors_are_near_those_of_leaving_out_one_identity_at_a_time(identities: int, each: int, noise: float) -> None:
    x, y = rows(0, identities, each, noise)
    found = verify_all_pairs(x, y)
    influence = Influence(found.spread)
    assert influence.auc().error == pytest.approx(by_jackknife(x, y, auc), rel=0.15)
    assert influence.d_prime(found.moments).error == pytest.approx(by_jackknife(x, y, d_prime), rel=0.15)


@pytest.mark.parametrize("at", [0.2, 0.5, 0.7])
def test_errors_of_accuracies_are_near_those_of_leaving_out_one_identity_at_a_time(at: float) -> None:
    x, y = rows(0, 50, 5)
    curves = [verify_all_pairs(x[y != name], y[y != name], thresholds=[at]).curve for name in range(50)]
    influence = Influence(verify_all_pairs(x, y, thresholds=[at]).spread)
    for left_out, found in (
        ([curve.accuracy_at(at) for curve in curves], influence.accuracy(at)),
        ([curve.balanced_accuracy_at(at) for curve in curves], influence.balanced_accuracy(at)),
    ):
        error = (49 / 50 * ((np.array(left_out) - np.mean(left_out)) ** 2).sum()) ** 0.5
        assert found.error == pytest.approx(error, rel=0.15)


def test_the_error_of_the_best_balanced_accuracy_is_near_the_scatter_of_new_samples() -> None:
    values, errors = [], []
    for seed in range(150):
        found = verify_all_pairs(*rows(seed, 40, 4))
        value, at = found.curve.best_balanced_accuracy()
        values.append(value)
        errors.append(Influence(found.spread).balanced_accuracy(at).error)
    assert np.mean(errors) == pytest.approx(np.std(values, ddof=1), rel=0.2)


def test_the_error_of_balanced_accuracy_is_near_that_of_a_bootstrap_over_identities() -> None:
    (x, y), rng, at = rows(1, 40, 5), np.random.default_rng(0), 0.4
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    scores, same = unit @ unit.T, y[:, None] == y
    above = scores >= at
    values = []
    for _ in range(400):  # a pair counts as often as both of its identities together, and an image's own pair never
        times = np.bincount(rng.integers(0, 40, 40), minlength=40)[y].astype(float)
        weight = np.where(same, times[:, None], times[:, None] * times) * ~np.eye(len(y), dtype=bool)
        tar = (weight * (same & above)).sum() / (weight * same).sum()
        far = (weight * (~same & above)).sum() / (weight * ~same).sum()
        values.append((tar + 1 - far) / 2)
    found = Influence(verify_all_pairs(x, y, thresholds=[at]).spread).balanced_accuracy(at)
    assert found.error == pytest.approx(np.std(values, ddof=1), rel=0.15)


def test_pairs_of_one_kind_as_many_as_of_the_other_have_one_accuracy() -> None:
    rng = np.random.default_rng(0)
    scores, same = np.concatenate([rng.normal(size=50) + 1, rng.normal(size=50)]), np.arange(100) < 50
    found = verify_scores(scores, same)
    accuracy, at = found.curve.best_accuracy()
    assert found.curve.balanced_accuracy_at(at) == pytest.approx(accuracy)
    influence = Influence(found.spread)
    assert influence.balanced_accuracy(at).error == pytest.approx(influence.accuracy(at).error)


def test_accuracy_of_rejecting_every_pair_is_fixed_by_how_many_pairs_there_are_of_each_kind() -> None:
    found = verify_all_pairs(*rows(0, 20, 4))
    assert Influence(found.spread).accuracy(float("inf")).error == 0


def test_errors_of_unbalanced_identities_are_near_those_of_leaving_one_out() -> None:
    rng = np.random.default_rng(1)
    y = np.repeat(np.arange(80), rng.integers(1, 7, 80))
    x = rng.normal(size=(80, 8))[y] + rng.normal(size=(len(y), 8))
    found = verify_all_pairs(x, y)
    assert Influence(found.spread).auc().error == pytest.approx(by_jackknife(x, y, auc), rel=0.15)


def test_errors_of_tar_and_eer_are_near_the_scatter_of_new_samples() -> None:
    rates, errors = [], []
    for seed in range(150):
        found = verify_all_pairs(*rows(seed, 40, 4), far=(0.1,))
        (tar, _, at), (eer, meet) = found.curve.accept_at(0.1), found.curve.equal_error()
        influence = Influence(found.spread)
        rates.append((tar, eer, found.curve.auc))
        errors.append((influence.tar(at, 0.1).error, influence.eer(meet, eer).error, influence.auc().error))
    scatter, expected = np.std(rates, axis=0, ddof=1), np.mean(errors, axis=0)
    np.testing.assert_allclose(expected, scatter, rtol=0.2)


@pytest.mark.parametrize("seed", range(3))
def test_all_pairs_and_the_same_pairs_given_have_the_same_errors(seed: int) -> None:
    x, y = rows(seed, 20, 5)
    y[0] = 99  # a lone image
    dense, given_ones = verify_all_pairs(x, y), given_pairs(x, y)
    assert isinstance(dense.spread, DenseSpread) and isinstance(given_ones.spread, PairSpread)
    assert dense.spread.identities == given_ones.spread.identities == 21
    one, other = Influence(dense.spread), Influence(given_ones.spread)
    at = dense.curve.accept_at(0.1)[2]
    for a, b in (
        (one.auc(), other.auc()),
        (one.tar(at, 0.1), other.tar(at, 0.1)),
        (one.eer(*reversed(dense.curve.equal_error())), other.eer(*reversed(dense.curve.equal_error()))),
        (one.d_prime(dense.moments), other.d_prime(dense.moments)),
    ):
        # Not to the bit: the bins of all pairs follow from a sample.
        assert a.error == pytest.approx(b.error, rel=0.1)
        assert a.degrees == pytest.approx(b.degrees, rel=0.2)


def test_influence_of_pairs_is_their_sum_over_either_identity() -> None:
    rng = np.random.default_rng(0)
    left, right, bins = rng.integers(0, 6, 80), rng.integers(0, 6, 80), rng.integers(0, 5, 80)
    same = left == right
    spread = PairSpread(np.arange(6.0), bins, same, left, right)
    genuine, impostors = rng.normal(size=5), rng.normal(size=5)
    expected = np.zeros(6)
    for a, b, k in zip(left, right, bins, strict=True):
        for identity in {int(a), int(b)}:
            expected[identity] += genuine[k] if a == b else impostors[k]
    np.testing.assert_allclose(spread.influence(genuine, impostors), expected)
    assert spread.genuine.tolist() == [int((same & (bins == k)).sum()) for k in range(5)]
    assert spread.impostors.tolist() == [int((~same & (bins == k)).sum()) for k in range(5)]
    tables = [np.zeros((6, 5), int), np.zeros((6, 5), int)]
    for a, b, k in zip(left, right, bins, strict=True):
        for identity in {int(a), int(b)}:
            tables[int(a != b)][identity, k] += 1
    dense = DenseSpread(np.arange(6.0), *tables)
    np.testing.assert_allclose(dense.influence(genuine, impostors), expected)
    np.testing.assert_array_equal(dense.genuine, spread.genuine)
    np.testing.assert_array_equal(dense.impostors, spread.impostors)


@pytest.mark.parametrize("seed", range(5))
def test_the_variance_sums_over_pairs_that_share_an_identity_and_counts_an_impostor_pair_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = [(i, i) for i in range(12) for _ in range(3)] + list(itertools.combinations(range(12), 2))
    left, right = np.array(pairs).T
    same, level = left == right, rng.normal(size=12)
    bins = np.clip(np.round(4 + 2 * same + 1.5 * (level[left] + level[right])), 0, 9).astype(int)
    g, i = bins[same], bins[~same]
    move = np.empty(len(pairs))  # of the AUC, by each pair: its placement, less the mean, over the pairs of its kind
    move[same] = [((i < b).sum() + (i == b).sum() / 2) / len(i) for b in g]
    move[~same] = [((g > b).sum() + (g == b).sum() / 2) / len(g) for b in i]
    for kind in (same, ~same):
        move[kind] = (move[kind] - move[kind].mean()) / kind.sum()
    each = np.array([move[(left == name) | (right == name)].sum() for name in range(12)])
    variance = (each**2).sum() * 12 / 11 - (move[~same] ** 2).sum()
    found = Influence(PairSpread(np.arange(11.0), bins, same, left, right)).auc()
    least = (move**2).sum()  # of independent pairs
    assert found.error == pytest.approx(max(variance, least) ** 0.5, rel=1e-12)
    assert found.degrees == pytest.approx(min(3 * (each**2).sum() ** 2 / (each**4).sum() - 1, 11), rel=1e-12)


@pytest.mark.parametrize(("genuine", "impostors"), [(60, 60), (300, 2000), (40, 3000)])
def test_pairs_without_identities_have_the_error_of_delong(genuine: int, impostors: int) -> None:
    rng = np.random.default_rng(genuine)
    g, i = rng.normal(size=genuine) + 1.2, 1.3 * rng.normal(size=impostors)
    beaten = (g[:, None] > i).mean(1)  # DeLong, DeLong and Clarke-Pearson 1988: structural components
    beating = (g[:, None] > i).mean(0)
    expected = (beaten.var(ddof=1) / genuine + beating.var(ddof=1) / impostors) ** 0.5
    found = verify_scores(np.concatenate([g, i]), np.arange(genuine + impostors) < genuine)
    assert Influence(found.spread).auc().error == pytest.approx(expected, rel=0.04)


def test_pairs_that_share_identities_are_not_taken_for_independent() -> None:
    found = given_pairs(*rows(3, 25, 4))
    assert found.scores is not None and isinstance(found.spread, PairSpread)
    independent = verify_scores(found.scores, found.spread.same)
    assert Influence(found.spread).auc().error > 1.5 * Influence(independent.spread).auc().error


def deviations(found: Verification) -> tuple[Deviation, ...]:
    influence, (eer, at) = Influence(found.spread), found.curve.equal_error()
    return influence.auc(), influence.eer(at, eer), influence.d_prime(found.moments)


def test_errors_shrink_with_the_root_of_the_number_of_identities() -> None:
    errors = {}
    for identities in (25, 100):
        parts = [deviations(verify_all_pairs(*rows(seed, identities, 3))) for seed in range(20)]
        errors[identities] = np.mean([[part.error for part in each] for each in parts], axis=0)
        for part in (part for each in parts for part in each):
            assert 1 <= part.degrees <= identities - 1 and part.identities == identities
    np.testing.assert_allclose(errors[25] / errors[100], 2, rtol=0.2)


def test_more_images_of_the_same_identities_are_not_worth_more_identities() -> None:
    few, many = (Influence(verify_all_pairs(*rows(4, 30, each, 0.5)).spread).auc().error for each in (4, 16))
    assert many > 0.5 * few


def test_one_identity_that_carries_the_figure_leaves_few_degrees_of_freedom() -> None:
    even = Influence(verify_all_pairs(*rows(5, 30, 4)).spread).auc()
    x, y = rows(5, 30, 4)
    x, y = np.concatenate([x, rows(6, 1, 80, 3.0)[0]]), np.append(y, np.full(80, 77))
    uneven = Influence(verify_all_pairs(x, y).spread).auc()
    assert uneven.degrees < 0.5 * even.degrees


def test_moments_give_d_prime() -> None:
    assert Moments(1.0, 0.5, 0.0, 1.5).d_prime == 1
    assert Moments(1.0, 0.0, 0.0, 0.0).d_prime == np.inf
    assert Moments(0.0, 0.0, 1.0, 0.0).d_prime == -np.inf
    assert np.isnan(Moments(0.5, 0.0, 0.5, 0.0).d_prime)


def test_intervals_of_auc_hold_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(123)
    centre, other, one, two = rng.normal(size=(4, 200_000, 8))
    genuine, impostors = ((a * b).sum(1) for a, b in ((centre + one, centre + two), (centre + one, other + two)))
    ranks = np.searchsorted(np.sort(impostors), genuine)
    truth = float(ranks.mean() / len(impostors))
    held = 0
    for seed in range(200):
        found = verify_all_pairs(*rows(seed, 30, 3), metric="dot")
        deviation = Influence(found.spread).auc()
        low, high = logit_interval(found.curve.auc, deviation.error, deviation.degrees, deviation.identities)
        held += low <= truth <= high
    assert 0.88 <= held / 200 <= 1
