from __future__ import annotations

import math

import numpy as np
import pytest

from sandbox.errors import SandboxError
from sandbox.evaluation.verification.by_network import FoldScores, figures


def fold_of(seed: int, m: int, threshold: float, shift: float = 0.0) -> FoldScores:
    """Scores that overlap, some of them tied."""
    rng = np.random.default_rng(seed)
    same = np.arange(m) % 2 == 0
    scores = np.round(np.clip(rng.normal(shift + 0.2 * same, 0.2), -1, 1), 2).astype(np.float32)
    left, right = rng.integers(0, 9, m), rng.integers(0, 9, m)
    return FoldScores(scores, same, left, np.where(same, left, right), threshold)


FOLDS = [fold_of(0, 30, 0.1), fold_of(1, 20, 0.35, shift=0.2), fold_of(2, 46, -0.05, shift=-0.1)]


def test_the_figures_equal_loops_over_folds_and_pairs() -> None:
    shares, right, pairs = [], 0, 0
    for fold in FOLDS:
        called = [
            (float(score) >= float(np.float32(fold.threshold))) == bool(genuine)
            for score, genuine in zip(fold.scores, fold.same, strict=True)
        ]
        shares.append(sum(called) / len(called))
        right, pairs = right + sum(called), pairs + len(called)
    mean = sum(shares) / 3
    error = math.sqrt(sum((share - mean) ** 2 for share in shares) / 2) / math.sqrt(3)
    found = figures(FOLDS, (0.1,))
    folded = found["verification/accuracy@3-fold"]
    assert folded["value"] == pytest.approx(mean) and folded["standard_error"] == pytest.approx(error)
    assert folded["value"] - folded["low"] == pytest.approx(4.302653 * error, rel=1e-5)  # t of 2 degrees
    pooled = found["verification/accuracy@validation"]
    assert pooled["value"] == right / pairs and pooled["low"] < pooled["value"] < pooled["high"]
    assert right / pairs != pytest.approx(mean)  # folds that differ in size weigh the same in the one, not in the other
    genuine = [s for fold in FOLDS for s, g in zip(fold.scores.tolist(), fold.same, strict=True) if g]
    others = [s for fold in FOLDS for s, g in zip(fold.scores.tolist(), fold.same, strict=True) if not g]
    wins = sum((a > b) + (a == b) / 2 for a in genuine for b in others) / (len(genuine) * len(others))
    assert found["verification/auc"]["value"] == pytest.approx(wins, abs=1e-9)
    assert {entry["n"] for entry in found.values()} == {96}


def test_no_figure_is_read_at_a_threshold_that_test_chose() -> None:
    kinds = {key for key in figures(FOLDS, (0.1,)) if "accuracy" in key}
    assert kinds == {"verification/accuracy@3-fold", "verification/accuracy@validation"}


@pytest.mark.parametrize("threshold", [math.inf, -math.inf])
def test_a_threshold_that_is_not_finite_rejects_or_accepts_every_pair(threshold: float) -> None:
    folds = [fold_of(seed, 20, threshold) for seed in (3, 4)]
    found = figures(folds, ())
    assert found["verification/accuracy@validation"]["value"] == found["verification/accuracy@2-fold"]["value"] == 0.5


def test_one_fold_has_no_standard_error() -> None:
    with pytest.raises(SandboxError, match="there is 1 fold; a mean over folds needs two or more"):
        figures(FOLDS[:1], ())
