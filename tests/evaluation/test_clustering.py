from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.evaluation.clustering import agreement, clustering

AMI, NMI = "clustering/ami", "clustering/nmi"


def blobs(seed: int, classes: int, each: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(classes), each)
    return (rng.normal(size=(classes, 16))[y] + noise * rng.normal(size=(len(y), 16))).astype(np.float32), y


def informations(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float]:
    """Mutual information and both entropies, in nats, by counting."""

    def entropy(of: list) -> float:  # type: ignore[type-arg]
        return -sum(of.count(v) / len(of) * math.log(of.count(v) / len(of)) for v in set(of))

    one, two = a.tolist(), b.tolist()
    return entropy(one) + entropy(two) - entropy(list(zip(one, two, strict=True))), entropy(one), entropy(two)


def chance(a: np.ndarray, b: np.ndarray) -> float:
    """Expected mutual information of two labellings of these sizes, over all ways to pair them (hypergeometric)."""
    n, total = len(a), 0.0
    for i in np.unique(a, return_counts=True)[1].tolist():
        for j in np.unique(b, return_counts=True)[1].tolist():
            for k in range(max(1, i + j - n), min(i, j) + 1):
                total += k / n * math.log(n * k / (i * j)) * math.comb(j, k) * math.comb(n - j, i - k) / math.comb(n, i)
    return total


def by_count(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    shared, one, two = informations(a, b)
    expected = chance(a, b)
    return {AMI: (shared - expected) / ((one + two) / 2 - expected), NMI: shared / ((one + two) / 2)}


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(3, 26), st.integers(2, 6))
def test_figures_and_interval_equal_those_counted_by_hand(seed: int, classes: int, clusters: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.concatenate([np.arange(classes), rng.integers(0, classes, 30)])) * 7
    assignment = np.where(rng.random(len(y)) < 0.5, y % clusters, rng.integers(0, clusters, len(y)))
    figures = agreement(assignment, y, seed=seed)
    groups = min(20, classes)
    group = dict(zip(sorted(set(y.tolist())), np.random.default_rng(seed).permutation(classes) % groups, strict=True))
    of_row = np.array([group[label] for label in y.tolist()])
    whole = by_count(y, assignment)
    parts = [by_count(y[of_row != g], assignment[of_row != g]) for g in range(groups)]
    # The 97.5 % quantiles of Student's t for some degrees of freedom, from a printed table.
    table = {2: 4.303, 3: 3.182, 4: 2.776, 9: 2.262, 14: 2.145, 19: 2.093}
    assert list(figures) == [AMI, NMI]
    for key, lowest in ((AMI, -1.0), (NMI, 0.0)):
        figure = figures[key]
        assert figure["value"] == pytest.approx(whole[key], abs=1e-9) and figure["n"] == len(y)
        left_out = [part[key] for part in parts]
        mean = sum(left_out) / groups
        error = math.sqrt((groups - 1) / groups * sum((v - mean) ** 2 for v in left_out))
        assert lowest <= figure["low"] <= figure["value"] <= figure["high"] <= 1 + 1e-12
        if groups - 1 in table:
            reach = table[groups - 1] * error
            assert figure["low"] == pytest.approx(max(lowest, whole[key] - reach), abs=1e-3)
            assert figure["high"] == pytest.approx(min(1.0, whole[key] + reach), abs=1e-3)


def test_far_apart_classes_come_back_and_names_do_not_matter() -> None:
    x, y = blobs(0, 6, 8, 0.01)
    # k-means ends where its start leads: most starts put two of six centres into one class.
    found = [clustering(x, y * 3 + 100, seed=seed) for seed in range(40)]
    assignment, figures = max(found, key=lambda one: one[1][AMI]["value"])
    assert figures[AMI]["value"] == pytest.approx(1) and figures[NMI]["value"] == pytest.approx(1)
    assert len(np.unique(assignment)) == 6 and assignment.dtype == np.int64 and assignment.shape == (48,)
    assert all(len(set(assignment[y == c].tolist())) == 1 for c in range(6))


def test_chance_is_taken_out_of_ami_and_not_of_nmi() -> None:
    rng = np.random.default_rng(0)
    figures = agreement(rng.integers(0, 60, 200), rng.integers(0, 60, 200))
    assert abs(figures[AMI]["value"]) < 0.1 < 0.5 < figures[NMI]["value"]
    assert figures[AMI]["low"] < 0 < figures[AMI]["high"]


def test_one_seed_gives_the_same_clusters_and_another_seed_others() -> None:
    x, y = blobs(1, 12, 10, 1.5)
    first, again, other = (clustering(x, y, seed=seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first[0], again[0])
    assert first[1] == again[1]
    assert first[0].tolist() != other[0].tolist()


@pytest.mark.parametrize("clusters", [1, 5, 120])
def test_as_many_clusters_as_asked_for_and_no_complaint(clusters: int, capfd: pytest.CaptureFixture[str]) -> None:
    x, y = blobs(2, 12, 10, 1.0)
    assignment, figures = clustering(x, y, clusters=clusters)
    assert len(np.unique(assignment)) == clusters
    assert capfd.readouterr() == ("", "")
    if clusters in (1, len(x)):  # neither knows anything of the classes
        assert figures[AMI]["value"] == pytest.approx(0, abs=1e-9)


def test_each_row_lies_in_the_cluster_whose_mean_is_nearest() -> None:
    x, y = blobs(3, 4, 500, 0.3)  # more rows than FAISS by default keeps for four clusters
    assignment, _ = clustering(x, y)
    means = np.stack([x[assignment == c].mean(0) for c in range(4)])
    distance = ((x[:, None] - means[None]) ** 2).sum(2)
    np.testing.assert_array_equal(distance.argmin(1), assignment)


def test_with_two_classes_the_interval_is_the_whole_scale() -> None:
    figures = agreement(np.array([0, 0, 1, 1]), np.array([5, 5, 6, 6]))
    assert figures[AMI] == {"value": pytest.approx(1), "low": -1, "high": 1, "n": 4, "identities": 2}
    assert figures[NMI] == {"value": pytest.approx(1), "low": 0, "high": 1, "n": 4, "identities": 2}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: clustering(np.eye(4), np.full(4, 3)), "two or more classes, but all 4 rows have label 3"),
        (lambda: clustering(np.eye(1), np.array([7])), "two or more classes, but all 1 rows have label 7"),
        (lambda: clustering(np.eye(4), np.arange(4), clusters=5), "4 rows make 1 to 4 clusters, not 5"),
        (lambda: clustering(np.eye(4), np.arange(4), clusters=0), "4 rows make 1 to 4 clusters, not 0"),
        (lambda: clustering(np.eye(4) / 0.0 * np.eye(4), np.arange(4)), "4 of 4 embeddings are not finite"),
        (lambda: agreement(np.zeros(3, int), np.arange(4)), "clusters (3,) and labels (4,) do not fit"),
        (lambda: agreement(np.zeros(0, int), np.zeros(0, int)), "two or more classes, but there are no rows"),
    ],
)
def test_what_cannot_be_clustered_is_refused_in_one_sentence(call, words: str) -> None:  # type: ignore[no-untyped-def]
    with np.errstate(all="ignore"), pytest.raises(SandboxError) as caught:
        call()
    assert words in str(caught.value) and "\n" not in str(caught.value)
