from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.evaluation.lint import identical_rows
from sandbox.evaluation.lint.embeddings import Finding, lint_embeddings, lint_split

SEEDS = st.integers(0, 10**6)


def texts(findings: Sequence[Finding]) -> dict[str, str]:
    """Text by rule; no rule may speak twice, and every text is one line."""
    assert len({finding.rule for finding in findings}) == len(findings)
    assert not any("\n" in finding.text for finding in findings)
    return {finding.rule: finding.text for finding in findings}


def unit(x: np.ndarray) -> np.ndarray:
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def sound(n: int = 12, dim: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings and labels with nothing to find."""
    return unit(np.random.default_rng(n).normal(size=(n, dim))), np.arange(n) % 3


# --- embeddings ---


def test_sound_embeddings_have_no_findings() -> None:
    x, y = sound()
    assert lint_embeddings(x, y) == lint_embeddings(x.astype(np.float16), y.astype(str)) == []
    assert lint_embeddings(np.empty((0, 3)), np.empty(0)) == []


def test_each_finding_on_values_names_its_rows_and_paths() -> None:
    x, y = sound()
    x[3, 1], x[7, 0], x[5], x[8], x[2] = np.nan, np.inf, 0, x[8] * 1.002, x[2] * 0.5
    paths = [f"images/{place}.png" for place in range(12)]
    found = texts(lint_embeddings(x, y, paths=paths))
    assert list(found) == ["not-finite", "not-unit-length", "zero-rows"]
    assert found["not-finite"].startswith("2 rows are not finite, the first row 3 (images/3.png): ")
    assert (
        "2 rows are not of length 1, the first row 2 (images/2.png); lengths run from 0.5 to 1.002:"
        in (found["not-unit-length"])
    )
    assert found["zero-rows"].startswith("1 row is zero, the first row 5 (images/5.png): ")
    assert list(texts(lint_embeddings(x, y, normalised_expected=False))) == ["not-finite", "zero-rows"]


@pytest.mark.parametrize(("length", "found"), [(1.0009, False), (1.0011, True), (0.9991, False), (0.9989, True)])
def test_a_length_within_a_thousandth_of_one_is_a_unit_length(length: float, found: bool) -> None:
    x, y = sound()
    x[4] *= length
    assert ("not-unit-length" in texts(lint_embeddings(x, y))) is found


@pytest.mark.parametrize(("noise", "chance"), [(0.0, True), (1e-7, True), (1e-3, True), (5e-3, False)])
def test_embeddings_that_are_nearly_all_the_same_are_found(noise: float, chance: bool) -> None:
    rng = np.random.default_rng(0)
    x = unit(np.ones((50, 8)) + noise * rng.normal(size=(50, 8)))
    found = texts(lint_embeddings(x, np.arange(50) % 5))["constant-embeddings"]
    assert ("every figure is chance" in found, "told apart by the last digits alone" in found) == (chance, not chance)


@pytest.mark.parametrize("dim", [2, 64])
def test_embeddings_in_a_narrow_cone_or_with_dead_dimensions_are_not(dim: int) -> None:
    rng = np.random.default_rng(0)
    cone = unit(np.ones((50, dim)) + 0.03 * rng.normal(size=(50, dim)))
    cosine = cone @ cone.T
    assert cosine.mean() > 0.99  # mean cosine 0.9999 is the bound
    dead = np.concatenate([cone, np.zeros((50, 3), np.float32)], axis=1)
    assert lint_embeddings(cone, np.arange(50) % 5) == lint_embeddings(dead, np.arange(50) % 5) == []


def test_one_direction_of_many_lengths_is_constant_for_cosine_alone() -> None:
    x = np.arange(1, 9)[:, None] * np.array([[0.6, 0.8]])
    y = np.arange(8) % 2
    assert list(texts(lint_embeddings(x, y))) == ["not-unit-length", "constant-embeddings"]
    assert lint_embeddings(x, y, normalised_expected=False) == []


def test_rows_that_are_not_finite_neither_hide_a_collapse_nor_are_twins() -> None:
    x, y = np.tile(np.array([0.6, 0.8], np.float32), (6, 1)), np.array([0, 0, 0, 1, 1, 1])
    x[[0, 3]] = np.nan
    found = texts(lint_embeddings(x, y))
    assert "all 4 finite rows" in found["constant-embeddings"]
    assert found["identical-rows-across-labels"].startswith("4 rows are")
    assert "the first row 1 and row 4 (labels '0' and '1')" in found["identical-rows-across-labels"]


def test_zero_rows_alone_are_constant_and_do_not_warn() -> None:
    found = texts(lint_embeddings(np.zeros((4, 2)), np.array([0, 0, 1, 1])))
    assert list(found)[:2] == ["zero-rows", "constant-embeddings"]


@settings(max_examples=100)
@given(SEEDS, st.integers(1, 40), st.integers(0, 5), st.sampled_from(["f2", "f4", "f8", "u1"]))
def test_identical_rows_are_those_of_a_loop_over_all_pairs(seed: int, n: int, dim: int, dtype: str) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2, (n, dim)).astype(dtype)
    if dtype != "u1":
        x *= rng.choice([-1, 1], (n, dim)).astype(dtype)  # makes -0.0, which equals 0.0
    y = rng.integers(0, 3, n)
    across = [i for i in range(n) if any((x[i] == x[j]).all() and y[i] != y[j] for j in range(n))]
    within = [i for i in range(n) if any((x[i] == x[j]).all() and y[i] == y[j] and i != j for j in range(n))]
    found = texts(lint_embeddings(x, y, normalised_expected=False))
    for rule, rows, equal_label in (
        ("identical-rows-across-labels", across, False),
        ("identical-rows-within-label", within, True),
    ):
        assert (rule in found) is bool(rows)
        if rows:
            one = rows[0]
            other = next(j for j in range(n) if (x[one] == x[j]).all() and (y[one] == y[j]) == equal_label and j != one)
            assert found[rule].startswith(f"{len(rows):,} ")
            assert f"the first row {one} and row {other} (label" in found[rule]


@pytest.mark.parametrize("block", [1, 7, 40])
def test_the_size_of_a_block_changes_nothing(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = sound(40)
    x[9], x[30], x[11, 2], x[12] = x[2], x[3], np.nan, 3 * x[12]
    whole = lint_embeddings(x, y)
    assert len(whole) == 4
    monkeypatch.setattr(identical_rows, "_BLOCK", block)
    assert lint_embeddings(x, y) == whole


def test_classes_of_one_row_and_a_single_class_are_found() -> None:
    x, _ = sound(6)
    found = texts(lint_embeddings(x, np.array(["b", "lone", "b", "c", "c", "alone"])))
    assert list(found) == ["single-row-classes"]
    assert found["single-row-classes"].startswith("2 classes have a single row, the first 'lone' (row 1): ")
    found = texts(lint_embeddings(x, np.full(6, 4)))
    assert list(found) == ["one-class"]
    assert found["one-class"].startswith("all 6 rows have the label '4': ")


# --- splits ---


@settings(max_examples=60)
@given(SEEDS, st.integers(0, 12), st.integers(0, 12), st.sampled_from(["u1", "f4"]))
def test_what_stands_in_both_sides_is_that_of_a_loop(seed: int, n: int, t: int, dtype: str) -> None:
    rng = np.random.default_rng(seed)
    train_y, test_y = ([f"p{name}" for name in rng.integers(0, 20, size)] for size in (n, t))
    train_x, test_x = (rng.integers(0, 2, (size, 2, 1, 3)).astype(dtype) for size in (n, t))
    names = set(train_y) & set(test_y)
    twins = [(b, a) for b in range(t) for a in range(n) if (train_x[a] == test_x[b]).all()]
    found = texts(lint_split(train_y, test_y, train_x, test_x))
    assert list(found) == ["identities-in-both"] * bool(names) + ["identical-rows-in-both"] * bool(twins)
    if names:
        at = next(place for place in range(t) if test_y[place] in names)
        rows = sum(name in names for name in test_y)
        said = found["identities-in-both"]
        assert said.startswith(f"{len(names)} identit")
        assert f"({rows} test row{'s' * (rows > 1)} of {t}), the first '{test_y[at]}' " in said
        assert f"(train row {train_y.index(test_y[at])}, test row {at})" in said
    if twins:
        said = found["identical-rows-in-both"]
        assert said.startswith(f"{len({b for b, _ in twins})} test row")
        assert f"the first test row {twins[0][0]} (train row {twins[0][1]})" in said


def test_twins_within_one_side_are_no_leak() -> None:
    train = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert lint_split([0, 1], [2, 3], train, -train) == []
    assert list(texts(lint_split([0, 1], [2, 3], train, np.array([[1.0, -0.0], [2.0, 0.0]])))) == [
        "identical-rows-in-both"
    ]


def test_names_alone_suffice() -> None:
    assert lint_split(["a", "b"], ["c"]) == []
    assert list(texts(lint_split(["a", "b"], np.array(["b"])))) == ["identities-in-both"]


X = np.eye(3)
Y = np.arange(3)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: lint_embeddings(X, Y[:2]), r"embeddings \(3, 3\) and labels \(2,\) do not fit"),
        (lambda: lint_embeddings(Y, Y), r"embeddings \(3,\) and labels"),
        (lambda: lint_embeddings(X, Y, paths=["a"]), "there are 1 paths for 3 embeddings"),
        (lambda: lint_split(Y, Y, X[:2], X), "there are 2 train rows and 3 names"),
        (lambda: lint_split(Y, Y, X, X[:2]), "there are 2 test rows and 3 names"),
        (lambda: lint_split(Y, Y, X, X[:, :2]), r"train rows \(3,\) and test rows \(2,\) differ in shape"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_in_one_sentence(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SandboxError, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)
