"""One-shot accuracy, against plain loops."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from sandbox.errors import SandboxError
from sandbox.evaluation.fewshot.oneshot import ACCURACY, accuracy_of, oneshot
from sandbox.evaluation.trials import Trials

T_OF_2 = 4.302652729911275  # half of a 95 % t-interval of three values, in standard errors


def drawn(runs: int = 3, trials: int = 7, ways: int = 5, images: int = 40, seed: int = 0) -> Trials:
    rng = np.random.default_rng(seed)
    count = runs * trials
    rows = np.stack([rng.permutation(images)[: ways + 1] for _ in range(count)])
    return Trials(rows[:, 1:], rows[:, 0], rng.integers(0, ways, count), np.repeat(np.arange(runs), trials))


def by_hand(x: np.ndarray, trials: Trials) -> list[float]:
    """What each trial counts: its share of the best, by Python's own numbers."""
    found = []
    for query, support, answer in zip(trials.query, trials.support, trials.answer, strict=True):
        cosines = []
        for row in support:
            a, b = [float(v) for v in x[query]], [float(v) for v in x[row]]
            inner = math.fsum(p * q for p, q in zip(a, b, strict=True))
            cosines.append(inner / math.sqrt(math.fsum(p * p for p in a) * math.fsum(q * q for q in b)))
        best = [abs(value - max(cosines)) < 1e-9 for value in cosines]
        found.append(best[answer] / sum(best))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_it_is_what_a_loop_over_trials_finds(seed: int) -> None:
    trials = drawn(seed=seed)
    # Of small whole numbers, so that rows repeat and ties occur.
    x = np.random.default_rng(seed).integers(1, 4, (40, 2)).astype(np.float32)
    values = by_hand(x, trials)
    means = [float(np.mean(values[start : start + 7])) for start in (0, 7, 14)]
    error = np.std(means, ddof=1) / math.sqrt(3)
    entry = oneshot(x, trials)[ACCURACY]
    assert entry["value"] == pytest.approx(np.mean(values)) and 0 < entry["value"] < 1
    assert entry["standard_error"] == pytest.approx(error)
    assert entry["low"] == pytest.approx(max(0.0, np.mean(values) - T_OF_2 * error))
    assert entry["high"] == pytest.approx(min(1.0, np.mean(values) + T_OF_2 * error))
    assert (entry["n"], entry["runs"]) == (21, 3)
    json.dumps(entry, allow_nan=False)


def test_the_length_of_a_row_and_the_order_of_the_examples_change_nothing() -> None:
    trials, x = drawn(), np.random.default_rng(1).normal(size=(40, 6))
    longer = x * np.random.default_rng(2).uniform(0.1, 9, (40, 1))
    turned = Trials(trials.support[:, ::-1], trials.query, trials.ways - 1 - trials.answer, trials.run)
    assert oneshot(x, trials) == oneshot(longer, trials) == oneshot(x, turned)


def test_a_network_that_maps_all_to_one_point_is_right_by_chance() -> None:
    for rows in (np.ones((40, 3)), np.zeros((40, 3))):
        assert oneshot(rows, drawn())[ACCURACY]["value"] == pytest.approx(1 / 5)


def test_a_tie_counts_its_share_and_rounding_makes_none() -> None:
    trials = Trials(np.array([[1, 2, 3]]), np.array([0]), np.array([1]), np.array([1]))
    for similarity, value in (([0.5, 0.5, 0.1], 0.5), ([0.5, 0.5 + 1e-12, 0.1], 0.5), ([0.5, 0.51, 0.1], 1.0)):
        assert accuracy_of(np.array([similarity]), trials)[ACCURACY]["value"] == value


def test_one_run_has_no_standard_error() -> None:
    entry = oneshot(np.random.default_rng(0).normal(size=(40, 4)), drawn(runs=1))[ACCURACY]
    assert (entry["low"], entry["high"]) == (0.0, 1.0) and "standard_error" not in entry


def test_what_cannot_be_scored_is_refused() -> None:
    none = Trials(np.zeros((0, 5), np.int64), *(np.zeros(0, np.int64) for _ in range(3)))
    with pytest.raises(SandboxError, match="there are no one-shot trials"):
        oneshot(np.ones((4, 2)), none)
    with pytest.raises(SandboxError, match="not all finite"):
        oneshot(np.full((40, 2), np.nan), drawn())
    with pytest.raises(ValueError, match=r"support \(3, 2\), query \(2,\)"):
        Trials(np.zeros((3, 2), np.int64), np.zeros(2, np.int64), np.zeros(3, np.int64), np.zeros(3, np.int64))
