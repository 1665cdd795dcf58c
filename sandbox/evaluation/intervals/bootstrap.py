"""Intervals that respect identities: images of one person are not independent, so people are resampled, not rows.

Figures that are means over queries take the bias-corrected accelerated bootstrap (Efron 1987) over identities; figures
that come with a standard error take a t-interval on the logit scale, which keeps it inside 0 and 1.
"""

from __future__ import annotations

import numpy as np
from scipy import special  # and not stats, whose import takes longer than that of NumPy and all else here

from sandbox.errors import SandboxError

LEVEL = 0.95
"""Of every interval in a report."""
_AT_ONCE = 4_000_000


def bootstrap_means(
    values: np.ndarray, groups: np.ndarray, *, resamples: int = 1000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means over rows with 95 % intervals from resampling whole groups.

    A resample draws as many groups as there are, with replacement, and takes the mean over all their rows. The gallery
    that the values were found in stays as it is.

    Args:
        values: (N, F) or (N,) one column for each figure.
        groups: (N,) what belongs together, such as the identity of each query.
        resamples: how many.
        seed: of the draws; every column sees the same ones.

    Returns:
        (mean, low, high), each (F,) float64. With a single group there is nothing to resample: low and high are NaN.
        A mean of exactly 0 or 1 whose every group agrees gets `exact_bounds` on its open side.

    Raises:
        SandboxError: no rows, or values and groups of different length.
    """
    values = np.asarray(values, dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    if len(values) == 0 or len(values) != len(groups):
        raise SandboxError(f"{len(values)} values and {len(groups)} groups: an interval needs as many of both, and one")
    _, place = np.unique(groups, return_inverse=True)
    size = np.bincount(place).astype(np.float64)
    sums = np.stack([np.bincount(place, weights=column) for column in values.T], axis=1)
    mean = sums.sum(0) / size.sum()
    count = len(size)
    if count == 1:
        return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    draws = _resampled_means(sums, size, resamples, np.random.default_rng(seed))
    left_out = (sums.sum(0) - sums) / (size.sum() - size)[:, None]
    low, high = _bias_corrected(draws, mean, left_out)
    low_exact, high_exact = exact_bounds(mean, count)
    constant = draws.std(0) < 1e-12
    low = np.where(constant & (mean >= 1 - 1e-12), low_exact, low)
    high = np.where(constant & (mean <= 1e-12), high_exact, high)
    return mean, np.minimum(low, mean), np.maximum(high, mean)


def _resampled_means(sums: np.ndarray, size: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """(resamples, F): how often each group is drawn, as a matrix, times the sums of the groups."""
    count = len(size)
    table = np.column_stack([sums, size])
    parts = []
    step = max(1, _AT_ONCE // count)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = rng.integers(0, count, (rows, count), dtype=np.int32)
        drawn += (np.arange(rows, dtype=np.int32) * count)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        parts.append(times.astype(np.float64) @ table)
    totals = np.concatenate(parts)
    return totals[:, :-1] / totals[:, -1:]


def _bias_corrected(draws: np.ndarray, mean: np.ndarray, left_out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Efron's BCa ends (eq. 6.3 to 6.6 of "Better bootstrap confidence intervals", 1987), a column at a time."""
    below = ((draws < mean).mean(0) + (draws <= mean).mean(0)) / 2
    bias = special.ndtri(below.clip(0.5 / len(draws), 1 - 0.5 / len(draws)))
    off = left_out.mean(0) - left_out
    spread = (off**2).sum(0) ** 1.5
    acceleration = np.divide((off**3).sum(0), 6 * spread, out=np.zeros_like(spread), where=spread > 1e-30)
    ends = []
    for tail in ((1 - LEVEL) / 2, (1 + LEVEL) / 2):
        z = bias + special.ndtri(tail)
        share = special.ndtr(bias + z / (1 - acceleration * z))
        ends.append(np.array([np.quantile(column, q) for column, q in zip(draws.T, share, strict=True)]))
    return ends[0], ends[1]


def exact_bounds(mean: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """What a share of 1, or 0, among `count` independent units still leaves open (Clopper and Pearson 1934).

    Returns:
        (low, high): the lower bound where nothing failed, the upper bound where nothing succeeded.
    """
    tail = (1 - LEVEL) / 2
    return np.full_like(mean, tail ** (1 / count)), np.full_like(mean, 1 - tail ** (1 / count))


def logit_interval(value: float, error: float, degrees: float, units: int) -> tuple[float, float]:
    """A 95 % t-interval of a figure between 0 and 1, symmetric on the logit scale.

    Args:
        value: the figure.
        error: its standard error.
        degrees: degrees of freedom of the error.
        units: independent units behind it, for a value of exactly 0 or 1.
    """
    if not 0 < value < 1:
        lowest, highest = exact_bounds(np.array(value), max(units, 1))
        return (float(lowest), 1.0) if value >= 1 else (0.0, float(highest))
    reach = special.stdtrit(max(degrees, 1.0), (1 + LEVEL) / 2) * error / (value * (1 - value))
    middle = special.logit(value)
    low, high = float(special.expit(middle - reach)), float(special.expit(middle + reach))
    return min(low, value), max(high, value)  # there and back through the logit may miss by a rounding


def plain_interval(value: float, error: float, degrees: float) -> tuple[float, float]:
    """A 95 % t-interval of an unbounded figure."""
    reach = float(special.stdtrit(max(degrees, 1.0), (1 + LEVEL) / 2)) * error
    return value - reach, value + reach
