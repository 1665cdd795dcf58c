from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from sandbox.errors import SandboxError
from sandbox.evaluation import verification
from sandbox.evaluation.report import evaluate
from sandbox.evaluation.verification import spell_rate, verify_all_pairs, verify_pairs, verify_scores

FAR = (0.5, 0.3, 0.1, 0.01, 0.001)


def scores_of(seed: int, genuine: int, impostors: int, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores that overlap, tied where `levels` is small."""
    rng = np.random.default_rng(seed)
    same = rng.permutation(np.arange(genuine + impostors) < genuine)
    scores = rng.normal(size=len(same)) + 0.8 * same
    return (np.round(scores * levels) / levels).astype(np.float32), same


def by_sweep(scores: np.ndarray, same: np.ndarray) -> float:
    """EER: walk every threshold from below all scores to above all; where the line of (FAR, FRR) crosses FAR = FRR."""
    levels = np.unique(scores)
    between = (levels[1:].astype(float) + levels[:-1]) / 2
    thresholds = sorted([-np.inf, *levels.astype(float), *between, np.inf])
    points = [((scores[~same] >= t).mean(), (scores[same] < t).mean()) for t in thresholds]
    for (far, frr), (next_far, next_frr) in itertools.pairwise(points):
        if frr <= far and next_frr >= next_far:
            for share in np.linspace(0, 1, 100_001):
                if frr + share * (next_frr - frr) >= far + share * (next_far - far):
                    return float(far + share * (next_far - far))
    raise AssertionError("the curves do not cross")


CASES = st.tuples(st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 60), st.sampled_from([1, 3, 1000]))


@settings(deadline=None, max_examples=80)
@given(CASES)
def test_auc_and_tar_at_far_equal_those_of_scikit_learn(case: tuple[int, int, int, int]) -> None:
    scores, same = scores_of(*case)
    figures = verify_scores(scores, same, far=FAR)
    assert figures["verification/auc"]["value"] == pytest.approx(roc_auc_score(same, scores), abs=1e-12)
    fpr, tpr, _ = roc_curve(same, scores, drop_intermediate=False)
    for target in FAR:
        figure = figures[f"verification/tar@far={spell_rate(target)}"]
        assert figure["value"] == pytest.approx(tpr[fpr <= target].max(), abs=1e-12)
        assert figure["far"] == pytest.approx(fpr[(fpr <= target) & (tpr == figure["value"])].min(), abs=1e-12)
        assert figure["far"] <= target
    assert {figure["n"] for figure in figures.values()} == {len(scores)}


@settings(deadline=None, max_examples=30)
@given(CASES)
def test_eer_equals_a_sweep_over_every_threshold(case: tuple[int, int, int, int]) -> None:
    scores, same = scores_of(*case)
    assert verify_scores(scores, same, far=())["verification/eer"]["value"] == pytest.approx(
        by_sweep(scores, same), abs=2e-5
    )


@pytest.mark.parametrize(
    ("genuine", "impostors", "auc", "eer", "tar"),
    [
        ([0.9, 0.8], [0.1, 0.2, 0.3], 1.0, 0.0, 1.0),
        ([0.1, 0.2], [0.9, 0.8, 0.7], 0.0, 1.0, 0.0),
        ([0.5, 0.5], [0.5, 0.5, 0.5], 0.5, 0.5, 0.0),
        ([0.5], np.linspace(0.05, 0.95, 10), 0.5, 0.5, 0.0),
        ([0.99], np.linspace(0.05, 0.95, 10), 1.0, 0.0, 1.0),
    ],
    ids=["perfect", "inverted", "all tied", "one genuine pair amid", "one genuine pair above"],
)
def test_figures_of_plain_cases(genuine, impostors, auc: float, eer: float, tar: float) -> None:  # type: ignore[no-untyped-def]
    scores = np.concatenate([genuine, impostors])
    same = np.arange(len(scores)) < len(genuine)
    figures = verify_scores(scores, same, far=(0.1,))
    assert figures["verification/auc"]["value"] == pytest.approx(auc)
    assert figures["verification/eer"]["value"] == pytest.approx(eer)
    assert figures["verification/tar@far=1e-1"]["value"] == tar


def test_a_rate_that_is_met_exactly_is_allowed_whatever_its_rounding() -> None:
    impostors = np.arange(100)
    for hits in range(1, 100):
        scores = np.append(impostors, 100 - hits).astype(float)
        figures = verify_scores(scores, np.arange(101) == 100, far=(hits / 100,))
        assert next(v for k, v in figures.items() if "tar" in k)["value"] == 1.0


def test_a_rate_is_supported_from_thirty_false_accepts_on() -> None:
    scores, same = np.linspace(0, 1, 301), np.arange(301) == 300
    figures = verify_scores(scores, same, far=(0.1, 0.05))
    assert figures["verification/tar@far=1e-1"]["supported"]
    assert not figures["verification/tar@far=5e-2"]["supported"]


def embeddings(seed: int, n: int, dim: int = 24) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 7, n)
    x = (rng.normal(size=(n, dim)) + rng.normal(size=(7, dim))[y]).astype(np.float32)
    x[n // 2] = x[0]  # twins
    return x / np.linalg.norm(x, axis=1, keepdims=True), y


@pytest.mark.parametrize("seed", range(4))
def test_all_pairs_equal_the_same_pairs_given_one_by_one(seed: int) -> None:
    x, y = embeddings(seed, 70)
    left, right = map(np.array, zip(*itertools.combinations(range(70), 2), strict=True))
    assert verify_all_pairs(x, y, far=FAR) == verify_pairs(x, left, right, y[left] == y[right], far=FAR)


@pytest.mark.parametrize("block", [1, 7, 64])
def test_the_size_of_a_block_changes_nothing(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = embeddings(0, 90)
    whole = verify_all_pairs(x, y, far=FAR)
    monkeypatch.setattr(verification, "_BLOCK", block)
    assert verify_all_pairs(x, y, far=FAR) == whole


@pytest.mark.parametrize(("n", "dim"), [(10, 128), (10, 130), (300, 33)])
def test_a_collapsed_network_scores_as_chance(n: int, dim: int) -> None:
    row = embeddings(0, 2, dim)[0][0]
    figures = verify_all_pairs(np.tile(row, (n, 1)), np.arange(n) % 3, far=(0.1,))
    assert figures["verification/auc"]["value"] == 0.5
    assert figures["verification/eer"]["value"] == 0.5
    assert figures["verification/tar@far=1e-1"]["value"] == 0.0


def test_the_order_of_the_rows_changes_nothing() -> None:
    x, y = embeddings(1, 80)
    order = np.random.default_rng(0).permutation(80)
    assert verify_all_pairs(x[order], y[order] + 2**40, far=FAR) == verify_all_pairs(x, y, far=FAR)


@pytest.mark.parametrize(
    ("y", "said"), [(np.zeros(4, int), "no impostor pair among 6"), (np.arange(4), "no genuine pair among 6")]
)
def test_one_kind_of_pair_alone_is_refused(y: np.ndarray, said: str) -> None:
    x = np.eye(4, dtype=np.float32)
    with pytest.raises(SandboxError, match=said):
        verify_all_pairs(x, y, far=FAR)
    left, right = map(np.array, zip(*itertools.combinations(range(4), 2), strict=True))
    with pytest.raises(SandboxError, match=said):
        verify_pairs(x, left, right, y[left] == y[right], far=FAR)


def test_no_pairs_at_all_are_refused() -> None:
    none = np.empty(0, np.int64)
    with pytest.raises(SandboxError, match="among 0"):
        verify_pairs(np.eye(2, dtype=np.float32), none, none, none.astype(bool), far=FAR)


def test_rows_that_are_not_finite_are_named() -> None:
    x, y = embeddings(0, 9)
    x[4, 1] = np.nan
    with pytest.raises(SandboxError, match="first in row 4"):
        verify_all_pairs(x, y, far=FAR)
    with pytest.raises(SandboxError, match="1 of 2 scores are not finite"):
        verify_scores(np.array([0.5, np.inf]), np.array([True, False]), far=FAR)
    with pytest.raises(SandboxError, match="do not fit"):
        verify_scores(np.ones(3), np.ones(2, bool), far=FAR)


@pytest.mark.parametrize(
    ("rate", "spelt"),
    [(0.1, "1e-1"), (1e-3, "1e-3"), (0.05, "5e-2"), (0.25, "2.5e-1"), (1.0, "1e0"), (1e-10, "1e-10"), (3e-4, "3e-4")],
)
def test_a_rate_is_spelt_with_its_exponent(rate: float, spelt: str) -> None:
    assert spell_rate(rate) == spelt
    assert float(spelt) == rate


def test_a_report_holds_retrieval_and_verification() -> None:
    x, y = embeddings(2, 40)
    y[0] = 99
    report = evaluate(x, y, recall_at=(1, 2), far=(0.1,))
    assert report["retrieval/unmatched"] == {"value": 1, "n": 40}
    assert report["verification/auc"] == verify_all_pairs(x, y, far=())["verification/auc"]
    assert evaluate(x, y, recall_at=(1, 2), verification=False).keys() == {
        key for key in report if key.startswith("retrieval/")
    }
    pairs = (np.array([1, 2]), np.array([3, 4]), np.array([True, False]))
    given = evaluate(x, y, pairs=pairs, far=(0.1,))
    assert given["verification/auc"]["n"] == 2
