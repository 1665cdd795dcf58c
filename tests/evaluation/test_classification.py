from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, top_k_accuracy_score

from sandbox.errors import SandboxError
from sandbox.evaluation import classification as module
from sandbox.evaluation.classification import Classification, Confused, classification


def case_of(seed: int, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are sometimes right; few `levels` make ties, and some classes have no sample."""
    rng = np.random.default_rng(seed)
    n, classes = int(rng.integers(1, 40)), int(rng.integers(1, 8))
    y = rng.integers(0, classes, n)
    logits = rng.normal(size=(n, classes)) + 1.5 * (np.arange(classes) == y[:, None])
    return (np.round(logits * levels) / levels).astype(np.float32), y


def confusion_of(result: Classification, classes: int) -> np.ndarray:
    """(C, C), rows are the truth, from the pairs that are confused and those that are not."""
    square = np.zeros((classes, classes), int)
    for one in result.most_confused(classes**2):
        square[one.truth, one.taken_for] = one.n
        assert one.of == (result.y == one.truth).sum()
    for c in range(classes):
        square[c, c] = (result.hits[1] & (result.y == c)).sum()
    return square


@settings(max_examples=80)
@given(st.integers(0, 10**6), st.sampled_from([1, 2, 1000]), st.integers(1, 50))
def test_every_figure_equals_that_of_a_loop(seed: int, levels: int, chunk: int) -> None:
    logits, y = case_of(seed, levels)
    n, classes = logits.shape
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CHUNK", chunk)
        result = classification(logits, y, top=(1, 2, 5, 9))
    confusion = np.zeros((classes, classes), int)
    for i in range(n):
        ahead = [c for c in range(classes) if c != y[i] and logits[i, c] >= logits[i, y[i]]]
        for k in (1, 2, 5, 9):
            assert result.hits[k][i] == (len(ahead) < k)
        taken_for = max(ahead, key=lambda c: (logits[i, c], -c)) if ahead else y[i]
        confusion[y[i], taken_for] += 1
    np.testing.assert_array_equal(confusion_of(result, classes), confusion)
    assert result.hits[9].all()


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_without_ties_scikit_learn_agrees(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits, y = rng.normal(size=(60, 6)), rng.integers(0, 6, 60)
    result = classification(logits, y, top=(1, 3))
    assert result.hits[1].mean() == accuracy_score(y, logits.argmax(1))
    assert result.hits[3].mean() == top_k_accuracy_score(y, logits, k=3, labels=range(6))
    np.testing.assert_array_equal(confusion_of(result, 6), confusion_matrix(y, logits.argmax(1), labels=range(6)))


def test_ties_count_against_the_classifier_in_every_figure() -> None:
    result = classification(np.zeros((3, 3)), np.array([0, 1, 2]), top=(1, 2, 3))
    assert [result.hits[k].tolist() for k in (1, 2, 3)] == [[False] * 3, [False] * 3, [True] * 3]
    assert confusion_of(result, 3).tolist() == [[0, 1, 0], [1, 0, 0], [1, 0, 0]]


def test_the_most_confused_come_first() -> None:
    y = np.array([0] * 4 + [1] * 2 + [2] * 9)
    logits = np.eye(3)[[1, 1, 0, 2, 0, 0, 1, 1, *[2] * 7]]
    found = classification(logits, y, top=(1,)).most_confused(3)
    assert found == [Confused(1, 0, 2, 2), Confused(0, 1, 2, 4), Confused(2, 1, 2, 9)]
    assert classification(np.eye(3), np.arange(3), top=(1,)).most_confused() == []


def test_very_many_classes_need_no_square_of_them() -> None:
    logits = np.zeros((3, 300_000), np.float32)
    logits[[0, 1], [299_999, 7]] = 1
    result = classification(logits, np.array([299_999, 299_999, 5], np.int32), top=(1, 5))
    assert result.most_confused() == [Confused(5, 0, 1, 1), Confused(299_999, 7, 1, 2)]
    assert result.taken_for.tolist() == [299_999, 7, 0]


def test_infinite_logits_and_a_single_class_are_read_as_they_stand() -> None:
    logits = np.array([[-np.inf, 0.0], [-np.inf, -np.inf], [np.inf, 0]])
    result = classification(logits, np.array([0, 0, 0]), top=(1,))
    assert result.hits[1].tolist() == [False, False, True]
    assert confusion_of(result, 2).tolist() == [[1, 2], [0, 0]]
    assert confusion_of(classification(np.array([[0.3]]), np.array([0]), top=(1,)), 1).tolist() == [[1]]


@pytest.mark.parametrize(
    ("logits", "y", "top", "words"),
    [
        (np.zeros((2, 3)), [0], (1,), "logits (2, 3) and labels (1,) do not fit: (N, C) and (N,) are needed"),
        (np.zeros((0, 3)), [], (1,), "logits (0, 3) and labels (0,) do not fit"),
        (
            np.zeros((3, 3)),
            [0, 3, -1],
            (1,),
            "2 of 3 labels lie outside 0..2, the classes that have a logit; the first is 3 in row 1",
        ),
        (np.array([[0, 1], [0, np.nan]]), [0, 0], (1,), "logits hold NaN, first in row 1"),
        (np.zeros((1, 2)), [0], (1, 0), "top-k counts from 1; 0 was asked for"),
    ],
)
def test_what_cannot_be_classified_is_refused_in_one_sentence(logits, y, top, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SandboxError) as caught, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CHUNK", 1)
        classification(logits, np.array(y, int), top=top)
    assert words in str(caught.value) and "\n" not in str(caught.value)
