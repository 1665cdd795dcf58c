"""One-shot classification: a query is named by the one image of each of W classes that is most like it.

The task of Lake, Salakhutdinov and Tenenbaum, "Human-level concept learning through probabilistic program induction",
Science 350 (2015): trials come in runs, and a figure is the mean over runs with its standard error.
"""

from __future__ import annotations

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.figures import Figures
from sandbox.evaluation.intervals.paired import t_interval
from sandbox.evaluation.trials import Trials

ACCURACY = "oneshot/accuracy"
_GATHERED = 2**24  # numbers of examples that are held at once: 128 MiB
_ROUNDING = 1e-9


def oneshot(x: np.ndarray, trials: Trials) -> Figures:
    """Accuracy of naming each query after the example of largest cosine; see `accuracy_of` for how it is counted.

    Args:
        x: (N, D) floating point, finite, of any length.
        trials: over these rows.

    Raises:
        SandboxError: no trials, or a row that is not finite.
    """
    if not np.isfinite(x).all():
        raise SandboxError("embeddings that one-shot trials are of are not all finite")
    x = np.asarray(x, dtype=np.float64)
    length = np.linalg.norm(x, axis=1, keepdims=True)
    unit = np.divide(x, length, out=np.zeros_like(x), where=length > 0)
    similarity = np.empty(trials.support.shape)
    block = max(1, _GATHERED // max(1, trials.ways * x.shape[1]))
    for start in range(0, len(trials), block):
        part = slice(start, start + block)
        similarity[part] = np.einsum("twd,td->tw", unit[trials.support[part]], unit[trials.query[part]])
    return accuracy_of(similarity, trials)


def accuracy_of(similarity: np.ndarray, trials: Trials) -> Figures:
    """The share of trials whose query is most like the example of its class.

    Where m examples are equally most like it (cosines within 1e-9) and the right one is among them, the trial counts
    1/m: what guessing among them would be right on average. So the order of the examples changes nothing, and a
    network that maps everything to one point has the accuracy of chance.

    Args:
        similarity: (T, W), higher is more alike.
        trials: what is asked.

    Returns:
        ``{"oneshot/accuracy": {"value", "low", "high", "n", "runs", "standard_error"}}``: the mean over trials, with
        the standard error over runs (standard deviation of their means / square root of the runs) and the 95 %
        t-interval of that, within 0 and 1. Of one run there is no standard error, and the interval is 0 to 1.

    Raises:
        SandboxError: no trials.
    """
    if not len(trials):
        raise SandboxError("there are no one-shot trials to score")
    best = similarity >= similarity.max(axis=1, keepdims=True) - _ROUNDING
    right = best[np.arange(len(trials)), trials.answer] / best.sum(axis=1)
    runs = np.unique(trials.run)
    means = [float(right[trials.run == run].mean()) for run in runs]
    value, half = float(right.mean()), t_interval(means)[1]
    entry: dict[str, float | int] = {"value": value, "low": 0.0, "high": 1.0, "n": len(trials), "runs": len(runs)}
    if len(runs) > 1:
        entry |= {"low": max(0.0, value - half), "high": min(1.0, value + half)}
        entry["standard_error"] = float(np.std(means, ddof=1) / np.sqrt(len(runs)))
    return {ACCURACY: entry}
