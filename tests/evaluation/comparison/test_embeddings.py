"""Two networks on the same images: differences with intervals by identity."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sandbox.evaluation.comparison.embeddings import between_episodes, between_pairs, between_queries
from sandbox.evaluation.intervals.bootstrap import bootstrap_means
from sandbox.evaluation.retrieval.metrics import retrieval
from sandbox.evaluation.verification.metrics import verify_all_pairs, verify_pairs

from compared import drawn

X, Y = drawn(0, 0.5, identities=30, each=4)
Z = X + 0.06 * np.random.default_rng(1).normal(size=X.shape)


def test_queries_are_resampled_for_both_together_as_a_naive_bootstrap_does() -> None:
    a, b = retrieval(X, Y), retrieval(Z, Y)
    found = between_queries(a.values, b.values, Y)["retrieval/map@r"]
    one, other = a.values["retrieval/map@r"], b.values["retrieval/map@r"]
    assert (found.a, found.b, found.identities) == (one.mean(), other.mean(), 30)
    assert found.difference == pytest.approx(one.mean() - other.mean())
    rng = np.random.default_rng(5)
    naive = []
    for _ in range(2000):
        rows = np.concatenate([np.flatnonzero(Y == person) for person in rng.integers(0, 30, 30)])
        naive.append(one[rows].mean() - other[rows].mean())
    ends = np.quantile(naive, (0.025, 0.975))
    assert [found.low, found.high] == pytest.approx(ends.tolist(), abs=0.15 * (ends[1] - ends[0]))
    _, low, high = bootstrap_means(np.column_stack([one, other]), Y)
    unpaired = math.hypot(high[0] - low[0], high[1] - low[1])
    assert found.high - found.low < 0.8 * unpaired  # the networks find the same people hard


def test_pairs_are_those_of_a_naive_bootstrap_over_identities() -> None:
    found = between_pairs(verify_all_pairs(X, Y), verify_all_pairs(Z, Y))["verification/auc"]
    left, right = np.triu_indices(len(Y), 1)
    same = Y[left] == Y[right]
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (X, Z)]
    scores = [np.einsum("ij,ij->i", rows[left], rows[right]) for rows in unit]
    auc = [float(roc_auc_score(same, each)) for each in scores]
    assert (found.a, found.b, found.identities) == (pytest.approx(auc[0]), pytest.approx(auc[1]), 30)
    rng, naive = np.random.default_rng(5), []
    for _ in range(100):
        times = np.bincount(rng.integers(0, 30, 30), minlength=30)
        weight = np.where(same, times[Y[left]], times[Y[left]] * times[Y[right]])
        one, other = (roc_auc_score(same, each, sample_weight=weight) for each in scores)
        naive.append(one - other)
    spread = np.std(naive)
    assert (found.high - found.low) / 4 == pytest.approx(spread, rel=0.35)
    alone = verify_all_pairs(X, Y).figures(())["verification/auc"]
    other = verify_all_pairs(Z, Y).figures(())["verification/auc"]
    assert found.high - found.low < math.hypot(alone["high"] - alone["low"], other["high"] - other["low"])


def test_given_pairs_are_compared_too_and_turned_round_the_interval_turns() -> None:
    rng = np.random.default_rng(2)
    left, right = rng.integers(0, len(Y), (2, 600))
    left, right = left[left != right], right[left != right]
    same = Y[left] == Y[right]
    one, other = (verify_pairs(rows, left, right, same, y=Y) for rows in (X, Z))
    found, turned = between_pairs(one, other), between_pairs(other, one)
    for key in ("verification/auc", "verification/eer"):
        assert found[key].low < found[key].difference < found[key].high
        assert found[key].low == pytest.approx(-turned[key].high)
    assert found["verification/eer"].a == one.figures(())["verification/eer"]["value"]


def test_networks_that_agree_have_no_interval() -> None:
    a = retrieval(X, Y)
    found = between_queries(a.values, a.values, Y)["retrieval/map@r"]
    pairs = between_pairs(verify_all_pairs(X, Y), verify_all_pairs(X, Y))["verification/auc"]
    for each in (found, pairs):
        assert each.difference == 0 and math.isnan(each.low) and math.isnan(each.high)
    lone = between_queries({"k": np.array([1.0, 0.5])}, {"k": np.array([0.5, 0.5])}, np.array([3, 3]))["k"]
    assert lone.difference == 0.25 and math.isnan(lone.low)


def test_the_interval_covers_the_true_difference() -> None:
    rng, hit, tries = np.random.default_rng(7), 0, 250
    labels = np.repeat(np.arange(50), 4)
    for _ in range(tries):
        hard = rng.normal(0, 0.2, 50)[labels]  # for both
        a = 0.6 + hard + rng.normal(0, 0.05, 50)[labels] + rng.normal(0, 0.1, 200)
        b = 0.55 + hard + rng.normal(0, 0.05, 50)[labels] + rng.normal(0, 0.1, 200)
        found = between_queries({"k": a}, {"k": b}, labels)["k"]
        hit += found.low <= 0.05 <= found.high
    assert 0.90 <= hit / tries <= 0.98


def test_episodes_are_paired() -> None:
    rng = np.random.default_rng(2)
    hard = rng.uniform(0.3, 0.9, 500)
    a, b = hard + 0.02 * rng.normal(size=500) + 0.01, hard
    found = between_episodes(a, b)
    reach = 1.96 * np.std(a - b, ddof=1) / math.sqrt(500)
    assert (found.low, found.high) == pytest.approx((np.mean(a - b) - reach, np.mean(a - b) + reach))
    assert (found.a, found.b, found.episodes) == (a.mean(), b.mean(), 500) and found.low > 0
    unpaired = 1.96 * math.hypot(a.std(), b.std()) / math.sqrt(500)
    assert reach < unpaired / 5  # what is hard in an episode is hard for both
    assert math.isnan(between_episodes(a, a).low)
