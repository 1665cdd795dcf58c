from __future__ import annotations

import numpy as np
import pytest

from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import check_finite, check_scores

BOTH = np.array([True, False])


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("given", ["f2", "f4", "f8", "i8"])
def test_scores_come_back_in_the_precision_asked_for(precision: type[np.float32], given: str) -> None:
    scores, same = check_scores(np.array([3, -1]).astype(given), np.array([1, 0]), precision)
    assert scores.dtype == precision and same.dtype == bool
    assert scores.tolist() == [3, -1] and same.tolist() == [True, False]


def test_float32_is_the_precision_where_none_is_asked_for() -> None:
    scores, _ = check_scores(np.array([0.1, 0.1 + 1e-12]), BOTH)
    assert scores.dtype == np.float32 and scores[0] == scores[1]


def test_a_score_beyond_float32_may_be_within_float64() -> None:
    scores = np.array([0.1, 1e300])
    assert check_finite(scores, np.float64).tolist() == scores.tolist()
    with pytest.raises(SandboxError, match="1 of 2 scores are not finite as float32, the first in row 1"):
        check_finite(scores)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: check_scores(np.ones(3), BOTH), r"scores \(3,\) and same \(2,\) do not fit: both are \(M,\)"),
        (lambda: check_scores(np.ones((2, 1)), BOTH[:, None]), r"scores \(2, 1\) and same \(2, 1\) do not fit"),
        (lambda: check_scores(np.array(1.0), np.array(True)), r"scores \(\) and same \(\) do not fit"),
        (lambda: check_scores(np.empty(0), np.empty(0, bool)), "there are no pairs"),
        (lambda: check_scores(np.array([0.1, np.nan]), BOTH), "1 of 2 scores are not finite as float32, .* in row 1"),
        (lambda: check_scores(np.full(2, -np.inf), BOTH, np.float64), "2 of 2 .* as float64, the first in row 0"),
    ],
)
def test_what_cannot_be_judged_is_refused_in_one_sentence(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SandboxError, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)
