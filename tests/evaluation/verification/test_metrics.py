from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from sandbox.errors import SandboxError
from sandbox.evaluation import blocks
from sandbox.evaluation.figures import Figures, spell_rate
from sandbox.evaluation.similarity import SIMILARITIES, Similarity
from sandbox.evaluation.verification import all_pairs
from sandbox.evaluation.verification.metrics import score_pairs, verify_all_pairs, verify_pairs, verify_scores

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


@settings(max_examples=80)
@given(CASES)
def test_auc_and_tar_at_far_equal_those_of_scikit_learn(case: tuple[int, int, int, int]) -> None:
    scores, same = scores_of(*case)
    figures = verify_scores(scores, same).figures(FAR)
    assert figures["verification/auc"]["value"] == pytest.approx(roc_auc_score(same, scores), abs=1e-12)
    fpr, tpr, _ = roc_curve(same, scores, drop_intermediate=False)
    for target in FAR:
        figure = figures[f"verification/tar@far={spell_rate(target)}"]
        assert figure["value"] == pytest.approx(tpr[fpr <= target].max(), abs=1e-12)
        assert figure["far"] == pytest.approx(fpr[(fpr <= target) & (tpr == figure["value"])].min(), abs=1e-12)
        assert figure["far"] <= target
    assert {figure["n"] for figure in figures.values()} == {len(scores)}
    for figure in figures.values():
        assert figure["low"] <= figure["value"] <= figure["high"]
    plain = verify_scores(scores, same).figures(FAR, intervals=False)
    assert plain == {key: {k: v for k, v in f.items() if k not in ("low", "high")} for key, f in figures.items()}


@settings(max_examples=30)
@given(CASES)
def test_eer_equals_a_sweep_over_every_threshold(case: tuple[int, int, int, int]) -> None:
    scores, same = scores_of(*case)
    figure = verify_scores(scores, same).figures(())["verification/eer"]
    assert figure["value"] == pytest.approx(by_sweep(scores, same), abs=2e-5)
    assert figure["threshold"] in scores


@given(CASES)
def test_accuracy_is_that_of_the_best_threshold_and_of_the_one_given(case: tuple[int, int, int, int]) -> None:
    scores, same = scores_of(*case)
    shares = [((scores >= t) == same).mean() for t in [*scores, np.inf]]
    for threshold in (0.3, float(scores[0]), 50.0, float("inf")):
        asked = {"threshold": threshold, "balanced_threshold": threshold}
        figures = verify_scores(scores, same, thresholds=[threshold]).figures((), **asked)
        best, given_one = figures["verification/accuracy"], figures["verification/accuracy@validation"]
        assert best["value"] == pytest.approx(max(shares), abs=1e-12)
        assert best["value"] == pytest.approx(((scores >= best.get("threshold", np.inf)) == same).mean(), abs=1e-12)
        share = ((scores >= np.float32(threshold)) == same).mean()
        assert given_one["value"] == pytest.approx(share, abs=1e-12)
        assert given_one["threshold"] == np.float32(threshold)
        assert given_one["low"] <= given_one["value"] <= given_one["high"]
        best, there = figures["verification/balanced_accuracy"], figures["verification/balanced_accuracy@validation"]
        for entry, at in ((best, best["threshold"]), (there, np.float32(threshold))):
            share = ((scores[same] >= at).mean() + (scores[~same] < at).mean()) / 2
            assert entry["value"] == pytest.approx(share, abs=1e-12) and entry["threshold"] == at
            assert entry["low"] <= entry["value"] <= entry["high"] and entry["prior"] == 0.5
        assert max(there["value"], 0.5) <= best["value"]


def test_over_all_pairs_there_is_no_plain_accuracy_which_is_the_share_of_impostors() -> None:
    x, y = embeddings(0, 70)
    figures = verify_all_pairs(x, y, thresholds=[0.2]).figures((), threshold=0.2, balanced_threshold=0.2)
    assert not any(key.startswith("verification/accuracy") for key in figures)
    assert {"verification/balanced_accuracy", "verification/balanced_accuracy@validation"} <= figures.keys()


def test_two_thresholds_may_be_asked_for() -> None:
    scores, same = scores_of(1, 20, 40, 1000)
    figures = verify_scores(scores, same, thresholds=[0.1, 0.6]).figures((), threshold=0.6, balanced_threshold=0.1)
    assert figures["verification/accuracy@validation"]["value"] == pytest.approx(((scores >= 0.6) == same).mean())
    tar, far = (scores[same] >= 0.1).mean(), (scores[~same] >= 0.1).mean()
    assert figures["verification/balanced_accuracy@validation"]["value"] == pytest.approx((tar + 1 - far) / 2)


def test_an_interval_by_few_identities_says_so() -> None:
    x, y = embeddings(0, 70)  # 7 classes
    few, many = (verify_all_pairs(x, labels, far=(0.1,)).figures((0.1,)) for labels in (y, np.arange(70) // 2))
    assert all(entry["identities"] == 7 for entry in few.values())
    assert not any("identities" in entry for entry in many.values())
    scores, same = scores_of(0, 3, 4, 1000)  # pairs of nobody in particular
    assert not any("identities" in entry for entry in verify_scores(scores, same).figures((0.1,)).values())


@given(CASES)
def test_d_prime_is_the_gap_over_the_mean_spread(case: tuple[int, int, int, int]) -> None:
    scores, same = scores_of(*case)
    genuine, impostors = scores[same].astype(float), scores[~same].astype(float)
    spread = ((genuine.var() + impostors.var()) / 2) ** 0.5
    figures = verify_scores(scores, same).figures(())
    if spread == 0:
        assert "verification/d_prime" not in figures
    else:
        expected = (genuine.mean() - impostors.mean()) / spread
        assert figures["verification/d_prime"]["value"] == pytest.approx(expected, rel=1e-9, abs=1e-12)


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
    figures = verify_scores(scores, same).figures((0.1,))
    assert figures["verification/auc"]["value"] == pytest.approx(auc)
    assert figures["verification/eer"]["value"] == pytest.approx(eer)
    assert figures["verification/tar@far=1e-1"]["value"] == tar


def test_a_rate_that_is_met_exactly_is_allowed_whatever_its_rounding() -> None:
    impostors = np.arange(100)
    for hits in range(1, 100):
        scores = np.append(impostors, 100 - hits).astype(float)
        figures = verify_scores(scores, np.arange(101) == 100).figures((hits / 100,), intervals=False)
        assert next(v for k, v in figures.items() if "tar" in k)["value"] == 1.0


def test_a_rate_is_supported_from_thirty_false_accepts_on() -> None:
    scores, same = np.linspace(0, 1, 301), np.arange(301) == 300
    figures = verify_scores(scores, same).figures((0.1, 0.05))
    assert figures["verification/tar@far=1e-1"]["supported"]
    assert not figures["verification/tar@far=5e-2"]["supported"]


def embeddings(seed: int, n: int, dim: int = 24) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 7, n)
    x = (rng.normal(size=(n, dim)) + rng.normal(size=(7, dim))[y]).astype(np.float32)
    x[n // 2] = x[0]  # twins
    return x / np.linalg.norm(x, axis=1, keepdims=True), y


def every_pair(n: int) -> tuple[np.ndarray, np.ndarray]:
    left, right = map(np.array, zip(*itertools.combinations(range(n), 2), strict=True))
    return left, right


def approximately(figures: Figures, spread: float) -> dict[str, object]:
    """The same figures, their d' up to rounding and their intervals up to `spread`; all else to the last bit."""
    loose = {"low": spread, "high": spread}
    return {
        key: {
            k: pytest.approx(v, abs=1e-7 if key.endswith("d_prime") and k == "value" else loose.get(k, 0), rel=0)
            for k, v in entry.items()
        }
        for key, entry in figures.items()
    }


@pytest.mark.parametrize("metric", SIMILARITIES)
@pytest.mark.parametrize("seed", range(4))
def test_all_pairs_equal_the_same_pairs_given_one_by_one(seed: int, metric: Similarity) -> None:
    x, y = embeddings(seed, 70)
    left, right = every_pair(70)
    whole = verify_all_pairs(x, y, far=FAR, thresholds=[0.25], metric=metric)
    given_ones = verify_pairs(x, left, right, y[left] == y[right], y=y, thresholds=[0.25], metric=metric)
    every, each = (v.figures(FAR, balanced_threshold=0.25) for v in (whole, given_ones))
    assert each.pop("verification/accuracy")["value"] == given_ones.curve.best_accuracy()[0]
    assert every == approximately(each, 0.05)
    for name in ("threshold", "genuine_from", "genuine_above", "impostors_from", "impostors_above"):
        np.testing.assert_array_equal(getattr(whole.curve, name), getattr(given_ones.curve, name))
    assert whole.scores is None
    assert given_ones.scores is not None and given_ones.scores.dtype == np.float32


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
@pytest.mark.parametrize("metric", SIMILARITIES)
def test_scores_of_pairs_are_those_of_their_definition(metric: Similarity, kind: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 9)).astype(kind)
    left, right = rng.integers(0, 40, 100), rng.integers(0, 40, 100)
    a, b = x[left].astype(float), x[right].astype(float)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    dots = (a * b).sum(1)
    expected = {"dot": dots, "l2": -((a - b) ** 2).sum(1), "cosine": dots / lengths}[metric]
    scores = score_pairs(x, left, right, metric=metric)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, rtol=3e-6, atol=3e-6)


def test_auc_of_all_pairs_is_that_of_scikit_learn() -> None:
    x, y = embeddings(5, 200)
    left, right = every_pair(200)
    unit_rows = x.astype(np.float64)
    scores = np.einsum("ij,ij->i", unit_rows[left], unit_rows[right]).astype(np.float32)
    expected = roc_auc_score(y[left] == y[right], scores)
    assert verify_all_pairs(x, y, metric="dot").curve.auc == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("metric", SIMILARITIES)
@pytest.mark.parametrize("block", [1, 7, 64])
def test_the_size_of_a_block_changes_nothing(block: int, metric: Similarity, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = embeddings(0, 90)
    whole = verify_all_pairs(x, y, far=FAR, metric=metric).figures(FAR)
    monkeypatch.setattr(blocks, "_BLOCK_BYTES", 90 * 8 * block)
    monkeypatch.setattr(blocks, "_MOST_ROWS", max(block, 8))
    assert verify_all_pairs(x, y, far=FAR, metric=metric).figures(FAR) == whole


@pytest.mark.parametrize("levels", [1, 7, 100, 600])
def test_windows_of_the_score_change_no_figure(levels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = embeddings(0, 110 if levels > 1 else 50)  # one level, one pass over all pairs
    whole = verify_all_pairs(x, y, far=FAR, thresholds=[0.3]).figures(FAR, balanced_threshold=0.3)
    monkeypatch.setattr(all_pairs, "_MOST_LEVELS", levels)
    cut = verify_all_pairs(x, y, far=FAR, thresholds=[0.3]).figures(FAR, balanced_threshold=0.3)
    assert cut == approximately(whole, 0.05)


@pytest.mark.parametrize(("n", "dim"), [(10, 128), (10, 130), (300, 33)])
def test_a_collapsed_network_scores_as_chance(n: int, dim: int) -> None:
    row = embeddings(0, 2, dim)[0][0]
    figures = verify_all_pairs(np.tile(row, (n, 1)), np.arange(n) % 3, far=(0.1,)).figures((0.1,))
    assert figures["verification/auc"]["value"] == 0.5
    assert figures["verification/eer"]["value"] == 0.5
    assert figures["verification/tar@far=1e-1"]["value"] == 0.0


def test_scores_that_are_all_the_same_have_no_d_prime() -> None:
    figures = verify_scores(np.full(12, 0.5), np.arange(12) < 4).figures((0.1,))
    assert "verification/d_prime" not in figures
    assert figures["verification/auc"]["value"] == 0.5
    apart = verify_scores(np.array([1.0, 1, 0, 0]), np.array([True, True, False, False])).figures((0.1,))
    assert "verification/d_prime" not in apart and apart["verification/auc"]["value"] == 1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e-44, 1e-40, 1e-36, 1.0, 1e37])
def test_scores_of_any_size_are_compared_as_they_are(scale: float) -> None:
    scores, same = scores_of(0, 40, 80, 8)
    scaled = (scores.astype(np.float64) * 8 * scale).astype(np.float32)
    curve, plain = verify_scores(scaled, same).curve, verify_scores(scores, same).curve
    assert curve.auc == plain.auc
    assert curve.equal_error()[0] == plain.equal_error()[0]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("metric", ["dot", "l2"])
@pytest.mark.parametrize("power", [-47, -40, -30, 30, 58])
def test_the_length_of_the_rows_changes_no_figure_and_no_interval(power: int, metric: Similarity) -> None:
    x, y = embeddings(0, 90)
    figures, plain = (verify_all_pairs(rows, y, metric=metric).figures(FAR) for rows in (x * 2.0**power, x))
    for key, entry in figures.items():
        for part in ("value", "low", "high"):
            assert entry[part] == pytest.approx(plain[key][part], rel=1e-9), (key, part)


@pytest.mark.parametrize("metric", ["dot", "l2"])
@pytest.mark.parametrize("length", [1e-17, 1e-20, 1e-24])
def test_rows_so_short_that_figures_would_be_wrong_are_refused(length: float, metric: Similarity) -> None:
    x, y = embeddings(0, 90)
    with pytest.raises(SandboxError, match="vanish in float32"):
        verify_all_pairs(x * length, y, metric=metric)
    with pytest.raises(SandboxError, match="vanish in float32"):
        score_pairs(x * length, np.array([0]), np.array([1]), metric=metric)


@pytest.mark.filterwarnings("error")
def test_a_false_accept_rate_of_zero_may_be_asked_for() -> None:
    scores, same = scores_of(0, 60, 60, 1000)
    figure = verify_scores(scores, same).figures((0.0,))["verification/tar@far=0e0"]
    assert figure["value"] == (scores[same] > scores[~same].max()).mean()
    assert figure["low"] <= figure["value"] <= figure["high"]
    assert figure["far"] == 0 and not figure["supported"]


def test_the_order_of_the_rows_changes_nothing() -> None:
    x, y = embeddings(1, 80)
    order = np.random.default_rng(0).permutation(80)
    shuffled, plain = (verify_all_pairs(*both).figures(FAR) for both in ((x[order], y[order] + 2**40), (x, y)))
    assert shuffled == approximately(plain, 0.02)


@pytest.mark.parametrize(
    ("y", "said"), [(np.zeros(4, int), "no impostor pair among 6"), (np.arange(4), "no genuine pair among 6")]
)
def test_one_kind_of_pair_alone_is_refused(y: np.ndarray, said: str) -> None:
    x = np.eye(4, dtype=np.float32)
    with pytest.raises(SandboxError, match=said):
        verify_all_pairs(x, y, far=FAR)
    left, right = every_pair(4)
    with pytest.raises(SandboxError, match=said):
        verify_pairs(x, left, right, y[left] == y[right])


def test_no_pairs_or_rows_without_a_partner_are_refused() -> None:
    none = np.empty(0, np.int64)
    with pytest.raises(SandboxError, match="there are 0 left and 0 right rows to pair"):
        verify_pairs(np.eye(2), none, none, none.astype(bool))
    with pytest.raises(SandboxError, match="there are 2 left and 1 right rows to pair"):
        score_pairs(np.eye(2), np.array([0, 1]), np.array([1]))
    with pytest.raises(SandboxError, match="among 0"):
        verify_scores(np.empty(0), none.astype(bool))
    with pytest.raises(SandboxError, match=r"scores \(2,\) and same \(1,\) do not fit"):
        verify_pairs(np.eye(2), np.array([0, 1]), np.array([1, 0]), np.array([True]))


@pytest.mark.parametrize(("left", "right", "wrong"), [([0, 3], [1, 0], 3), ([0, 1], [-1, 2], -1)])
def test_a_pair_of_rows_that_are_not_there_is_refused(left: list[int], right: list[int], wrong: int) -> None:
    with pytest.raises(SandboxError, match=f"a pair names row {wrong}, but the rows are 0 to 2"):
        score_pairs(np.eye(3), np.array(left), np.array(right))


def test_rows_and_scores_that_are_not_finite_are_named() -> None:
    x, y = embeddings(0, 9)
    x[4, 1] = np.nan
    with pytest.raises(SandboxError, match="first in row 4"):
        verify_all_pairs(x, y, far=FAR)
    with pytest.raises(SandboxError, match="first in row 4"):
        score_pairs(x, np.array([4]), np.array([0]))
    for bad in (np.inf, np.nan, 1e39):
        with pytest.raises(SandboxError, match=r"1 of 2 scores are not finite, .*number 1"):
            verify_scores(np.array([0.5, bad]), np.array([True, False]))
    with pytest.raises(SandboxError, match="do not fit"):
        verify_scores(np.ones(3), np.ones(2, bool))


@pytest.mark.parametrize(
    ("rate", "spelt"),
    [(0.1, "1e-1"), (1e-3, "1e-3"), (0.05, "5e-2"), (0.25, "2.5e-1"), (1.0, "1e0"), (1e-10, "1e-10"), (3e-4, "3e-4")],
)
def test_a_rate_is_spelt_with_its_exponent(rate: float, spelt: str) -> None:
    assert spell_rate(rate) == spelt
    assert float(spelt) == rate
