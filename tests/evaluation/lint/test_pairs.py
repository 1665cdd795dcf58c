from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from sandbox.errors import SandboxError
from sandbox.evaluation.lint.embeddings import Finding
from sandbox.evaluation.lint.pairs import lint_pairs, lint_scores
from sandbox.evaluation.verification.cross_validation import even_folds

SEEDS = st.integers(0, 10**6)


def texts(findings: Sequence[Finding]) -> dict[str, str]:
    """Text by rule; no rule may speak twice, and every text is one line."""
    assert len({finding.rule for finding in findings}) == len(findings)
    assert not any("\n" in finding.text for finding in findings)
    return {finding.rule: finding.text for finding in findings}


# --- pairs ---


def test_sound_pairs_have_no_findings() -> None:
    y = np.repeat(np.arange(8), 2)
    left, right = np.array([0, 4, 8, 12, 0, 4, 8, 12]), np.array([1, 5, 9, 13, 2, 6, 10, 14])
    fold = np.array([1, 2, 3, 4, 1, 2, 3, 4])
    assert lint_pairs(left, right, y[left] == y[right], fold, y=y) == []
    none = np.empty(0, np.int64)
    assert lint_pairs(none, none, none.astype(bool), none, y=y) == []


def test_the_share_of_genuine_pairs_is_not_a_finding() -> None:
    left, right = np.arange(100), np.arange(100) + 100
    assert lint_pairs(left, right, np.arange(100) == 0) == lint_pairs(left, right, np.ones(100, bool)) == []


@settings(max_examples=100)
@given(SEEDS, st.integers(1, 60), st.integers(2, 12))
def test_repeated_pairs_are_those_of_a_loop(seed: int, m: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    left, right, same, y = rng.integers(0, n, m), rng.integers(0, n, m), rng.random(m) < 0.5, rng.integers(0, 3, n)
    places: dict[tuple[int, int], list[int]] = {}
    for at in range(m):
        places.setdefault((min(left[at], right[at]), max(left[at], right[at])), []).append(at)
    repeated = [at for at in places.values() if len(at) > 1]
    torn = [at for at in repeated if len({bool(same[place]) for place in at}) == 2]
    selves = [at for at in range(m) if left[at] == right[at]]
    wrong = [at for at in range(m) if same[at] != (y[left[at]] == y[right[at]])]
    found = texts(lint_pairs(left, right, same, y=y))
    rules: dict[str, list[int] | list[list[int]]] = {
        "duplicate-pairs": repeated,
        "contradicting-pairs": torn,
        "self-pairs": selves,
        "labels-against-identities": wrong,
    }
    assert list(found) == [rule for rule, hits in rules.items() if hits]
    for rule, text in found.items():
        assert text.startswith(f"{len(rules[rule])} pair")
    if repeated:
        one, other = repeated[0][:2]
        assert f"({sum(map(len, repeated))} of {m} lines)" in found["duplicate-pairs"]
        assert f"(rows {left[one]} and {right[one]}, pairs {one} and {other})" in found["duplicate-pairs"]
    if torn:
        one = torn[0][0]
        other = next(at for at in torn[0] if same[at] != same[one])
        assert f"(rows {left[one]} and {right[one]}, pairs {one} and {other})" in found["contradicting-pairs"]
    if selves:
        assert f"the first pair {selves[0]} (row {left[selves[0]]})" in found["self-pairs"]
    if wrong:
        called = sum(bool(same[at]) for at in wrong)
        assert (
            f"({called} called the same, {len(wrong) - called} called different)"
            in (found["labels-against-identities"])
        )
        assert f"the first pair {wrong[0]} (rows {left[wrong[0]]} and " in found["labels-against-identities"]


@pytest.mark.parametrize(
    ("sizes", "genuine", "said"),
    [
        ((100, 100, 96), (50, 50, 48), None),
        ((100, 100, 94), (50, 50, 47), "fold 3 has 94 pairs and fold 1 100 (more than 5 % apart)"),
        ((10, 8), (5, 4), None),
        ((10, 7), (5, 4), "fold 2 has 7 pairs and fold 1 10 (more"),
        ((100, 100), (50, 55), None),
        ((100, 100), (50, 56), "fold 1 is 50.0% genuine and fold 2 56.0% (more"),
        ((10, 10), (5, 7), None),
        ((10, 10), (5, 8), "fold 1 is 50.0% genuine and fold 2 80.0% (more"),
        ((100, 50), (50, 0), "fold 2 has 50 pairs and fold 1 100, and fold 2 is 0.0% genuine and fold 1 50.0% (more"),
        ((100,), (50,), None),
    ],
)
def test_folds_that_differ_by_more_than_the_margin_are_found(
    sizes: tuple[int, ...], genuine: tuple[int, ...], said: str | None
) -> None:
    fold = np.repeat(np.arange(len(sizes)) + 1, sizes)
    same = np.concatenate([np.arange(size) < share for size, share in zip(sizes, genuine, strict=True)])
    left = 2 * np.arange(len(fold))
    found = texts(lint_pairs(left, left + 1, same, fold))
    assert list(found) == (["unbalanced-folds"] if said else [])
    if said:
        assert said in found["unbalanced-folds"]


@given(SEEDS, st.integers(2, 10), st.integers(0, 30), st.integers(0, 30))
def test_even_folds_are_never_unbalanced(seed: int, folds: int, more_genuine: int, more_impostors: int) -> None:
    m = 2 * folds + more_genuine + more_impostors
    same = np.random.default_rng(seed).permutation(np.arange(m) < folds + more_genuine)
    left = 2 * np.arange(m)
    assert lint_pairs(left, left + 1, same, even_folds(same, folds)) == []


@given(SEEDS, st.integers(1, 30), st.integers(1, 4))
def test_identities_across_folds_are_those_of_a_loop(seed: int, m: int, folds: int) -> None:
    rng = np.random.default_rng(seed)
    y = np.array([f"person {place}" for place in rng.integers(0, 9, 20)])
    left, right, fold = rng.integers(0, 20, m), rng.integers(0, 20, m), 5 * rng.integers(0, folds, m)
    seen: dict[str, set[int]] = {}
    for a, b, its in zip(left, right, fold, strict=True):
        seen.setdefault(y[a], set()).add(int(its))
        seen.setdefault(y[b], set()).add(int(its))
    shared = sorted(name for name, its in seen.items() if len(its) > 1)
    found = texts(lint_pairs(left, right, y[left] == y[right], fold, y=y))
    assert ("identities-across-folds" in found) is bool(shared)
    if shared:
        one, other = sorted(seen[shared[0]])[:2]
        said = found["identities-across-folds"]
        assert said.startswith(f"{len(shared)} identit")
        assert f"the first '{shared[0]}' (folds {one} and {other})" in said


# --- scores ---


@settings(max_examples=100)
@given(SEEDS, st.integers(1, 40), st.sampled_from([1, 3, 30, 10**6]))
def test_ties_and_direction_are_those_of_counting_and_of_scikit_learn(seed: int, m: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    same = rng.random(m) < 0.5
    scores = (np.round((rng.normal(size=m) + rng.choice([-1, 1]) * same) * levels) / levels).astype(np.float32)
    counts = Counter(scores.tolist())
    tied = sum(count for count in counts.values() if count > 1)
    found = texts(lint_scores(scores, same))
    if len(counts) == 1 and m > 1:
        assert list(found) == ["equal-scores"]
        return
    assert ("tied-scores" in found) is (tied > m / 2)
    if tied > m / 2:
        assert found["tied-scores"].startswith(f"{tied} of {m} scores ({tied / m:.2%}) occur more than once")
    if same.all() or not same.any():
        assert "reversed-scores" not in found
        return
    genuine, impostors = scores[same].tolist(), scores[~same].tolist()
    p, n = len(genuine), len(impostors)
    auc = sum((a > b) + (a == b) / 2 for a in genuine for b in impostors) / (p * n)
    assert auc == pytest.approx(roc_auc_score(same, scores))
    error = ((p + n + 1) / (12 * p * n)) ** 0.5
    assert ("reversed-scores" in found) is (auc < 0.5 - 2 * error)
    if "reversed-scores" in found:
        assert f"the AUC of {p} genuine and {n} impostor pairs is {auc:.4f}, " in found["reversed-scores"]


@pytest.mark.parametrize(("p", "n"), [(2, 3), (3, 3), (4, 1), (1, 4), (3, 2)])
def test_the_margin_of_chance_is_two_deviations_of_all_orders(p: int, n: int) -> None:
    # Where both kinds score alike every order of them is as likely; the AUC's deviation is taken over all of them.
    orders = [np.isin(np.arange(p + n), places) for places in itertools.combinations(range(p + n), p)]
    aucs = [np.mean([a > b for a in np.flatnonzero(same) for b in np.flatnonzero(~same)]) for same in orders]
    assert np.mean(aucs) == pytest.approx(0.5)
    for same, auc in zip(orders, aucs, strict=True):
        found = texts(lint_scores(np.arange(p + n), same))
        assert ("reversed-scores" in found) is bool(auc < 0.5 - 2 * np.std(aucs) - 1e-9)


def test_distances_given_as_scores_are_suspected() -> None:
    distances, same = np.array([0.1, 0.2, 0.3, 0.4, 0.9, 0.8, 0.7, 0.6]), np.arange(8) < 4
    assert texts(lint_scores(distances, same)) == {
        "reversed-scores": "the AUC of 4 genuine and 4 impostor pairs is 0.0000, 2.3 standard errors below 0.5: "
        "higher has to mean more alike; is it a distance? use --metric l2 or negate it"
    }
    assert lint_scores(-distances, same) == []


@pytest.mark.parametrize(("genuine_below", "found"), [(50, False), (58, False), (59, True), (100, True)])
def test_an_auc_that_chance_explains_is_not_reversed(genuine_below: int, found: bool) -> None:
    # Of 100 genuine pairs so many stand below all 100 impostors, the rest above: the AUC is 1 less their share, and two
    # standard errors are 0.0819.
    genuine = np.where(np.arange(100) < genuine_below, -1000, 1000) + np.arange(100)
    scores = np.concatenate([genuine, np.arange(100)])
    assert ("reversed-scores" in texts(lint_scores(scores, np.arange(200) < 100))) is found


def test_means_that_a_few_scores_pull_apart_are_not_reversed() -> None:
    assert lint_scores(np.array([0.5, 0.6, 0.7, 0.1, 0.2, 9.0]), np.arange(6) < 3) == []


def test_half_of_the_scores_may_be_tied_and_float32_decides() -> None:
    same = np.array([True, True, False, False])
    assert lint_scores(np.array([0.9, 0.9, 0.3, 0.2]), same) == []
    assert list(texts(lint_scores(np.array([0.9, 0.9, 0.3, 0.3 + 1e-12]), same))) == ["tied-scores"]


def test_equal_scores_are_said_once() -> None:
    (finding,) = lint_scores(np.full(4, 0.25), np.array([True, True, False, False]))
    assert finding.rule == "equal-scores"
    assert finding.text.startswith("all 4 scores are 0.25: ")


def test_scores_that_are_not_finite_are_found_and_the_rest_is_judged() -> None:
    same = np.arange(10) < 5
    found = texts(lint_scores(np.array([0.1, np.nan, 0.2, 0.3, 0.4, 0.9, 1e300, 0.8, 0.7, 0.6]), same))
    assert list(found) == ["not-finite", "reversed-scores"]
    assert found["not-finite"].startswith("2 scores are not finite as float32, the first in row 1: ")
    assert list(texts(lint_scores(np.full(2, np.nan), same[:2]))) == ["not-finite"]
    assert lint_scores(np.empty(0), np.empty(0, bool)) == []


X = np.eye(3)
Y = np.arange(3)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: lint_pairs(Y, Y[:2], Y), r"left \(3,\), right \(2,\), same \(3,\) do not fit"),
        (lambda: lint_pairs(Y, Y, Y, Y[:1]), r"fold \(1,\) do not fit"),
        (lambda: lint_pairs(Y, Y - 1, Y), "right of pair 0 is row -1; rows run from 0 to 4,294,967,295"),
        (lambda: lint_pairs(Y, Y, Y, y=Y[:2]), "left of pair 2 is row 2; rows run from 0 to 1"),
        (lambda: lint_scores(X, X), r"scores \(3, 3\) and same \(3, 3\) do not fit"),
        (lambda: lint_scores(Y, Y[:2]), r"scores \(3,\) and same \(2,\) do not fit"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_in_one_sentence(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SandboxError, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)
