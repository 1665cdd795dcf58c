"""Pairs scored and judged, against matrix products and scikit-learn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import numpy as np

from sandbox.benchmarks.memory import resident
from sandbox.benchmarks.timing import Ratio, alternate


def pairs_against_gather(x: np.ndarray, y: np.ndarray, rounds: int) -> Iterator[Ratio]:
    """900,000 given pairs scored, and judged, against gathering their rows and taking the inner products."""
    from sandbox.evaluation.verification.metrics import score_pairs, verify_pairs

    left, right = np.random.default_rng(0).integers(0, len(x), (2, 900_000))
    order = np.argsort(y, kind="stable")
    right[::2] = order[(np.searchsorted(y[order], y[left[::2]]) + 1).clip(max=len(y) - 1)]
    same, unit = y[left] == y[right], x / np.linalg.norm(x, axis=1, keepdims=True)

    def gather() -> None:
        np.einsum("ij,ij->i", unit[left], unit[right])

    ours, other = alternate(lambda: score_pairs(x, left, right), gather, min(rounds, 10))
    yield Ratio("score 900,000 given pairs against gather and dot product", ours, other, 3)
    far = (1e-1, 1e-2, 1e-3)
    ours, other = alternate(lambda: verify_pairs(x, left, right, same, y=y).figures(far), gather, min(rounds, 10))
    yield Ratio("the same with all figures and intervals", ours, other, 3)


def verification_against_others(x: np.ndarray, y: np.ndarray, rounds: int) -> Iterator[Ratio | str]:
    """AUC, EER and TAR@FAR over all pairs against a plain matrix product and against scikit-learn."""
    from sklearn.metrics import roc_auc_score, roc_curve

    from sandbox.evaluation.verification.metrics import verify_all_pairs

    far = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    product = np.empty((len(x), len(x)), np.float32)
    auc = []

    def ours() -> None:
        auc.append(verify_all_pairs(x, y, far=far).figures(far)["verification/auc"]["value"])

    def others() -> None:
        scores = np.concatenate([unit[i] @ unit[i + 1 :].T for i in range(len(x) - 1)])
        same = np.concatenate([y[i] == y[i + 1 :] for i in range(len(x) - 1)])
        began = time.perf_counter()
        roc_curve(same, scores)
        value = roc_auc_score(same, scores)
        seconds.append(time.perf_counter() - began)
        apart.append(abs(value - auc[-1]))

    mine, plain = alternate(ours, lambda: np.matmul(unit, unit.T, out=product), min(rounds, 10))
    pairs = len(x) * (len(x) - 1) // 2
    yield Ratio(f"all {pairs:,} pairs against the matrix product, written over the last", mine, plain, 4)
    mine, plain = alternate(ours, lambda: unit @ unit.T, min(rounds, 10))
    yield Ratio("the same against the matrix product with its memory", mine, plain, 4)
    yield resident("all pairs", x, y, 600)
    seconds: list[float] = []
    apart: list[float] = []
    times = []
    for _ in range(min(rounds, 3)):
        began = time.perf_counter()
        ours()
        times.append(time.perf_counter() - began)
        others()
    theirs = statistics.median(seconds)
    yield Ratio("all pairs against scikit-learn's roc_curve and roc_auc_score", statistics.median(times), theirs, -60)
    yield f"AUC apart from scikit-learn's by {max(apart):.1e}"
