"""Figures: what an evaluation found, as plain numbers by key, and how they are spelt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sandbox.evaluation.intervals.bootstrap import bootstrap_means

LOWER_IS_BETTER = ("verification/eer",)


Figures = dict[str, dict[str, float | int]]


def shares(values: Mapping[str, np.ndarray], identities: np.ndarray) -> Figures:
    """The mean of each array (N,), hits or shares of 0 to 1, with its 95 % interval by the identities (N,).

    Nothing where there are no rows.
    """
    if not len(identities):
        return {}
    means, low, high = bootstrap_means(np.column_stack(list(values.values())), identities)
    return on_whole_scale(
        {
            key: {
                "value": float(means[place]),
                "low": float(low[place]),
                "high": float(high[place]),
                "n": len(identities),
            }
            for place, key in enumerate(values)
        }
    )


def on_whole_scale(figures: Figures) -> Figures:
    """The same shares with 0 to 1 as the interval where a single identity says nothing of others: NaN is no JSON."""
    ends = {"low": 0.0, "high": 1.0}
    return {
        key: {name: ends[name] if name in ends and np.isnan(value) else value for name, value in entry.items()}
        for key, entry in figures.items()
    }


def spell(entry: Mapping[str, Any] | None) -> str:
    """One entry of a report as a table shows it; a figure that the data cannot support is not shown."""
    if entry is None:
        return ""
    if entry.get("supported") is False:
        return "unsupported"
    return f"{entry['value']:.4f}" if isinstance(entry["value"], float) else str(entry["value"])


def spell_interval(entry: Mapping[str, Any] | None) -> str:
    """The 95 % interval of an entry, or nothing where it has none or is a count."""
    if entry is None or entry.get("supported") is False or not isinstance(entry["value"], float):
        return ""
    low, high = entry.get("low"), entry.get("high")
    return "" if low is None or high is None or np.isnan(low) else f"{low:.4f} to {high:.4f}"


def spell_rate(rate: float) -> str:
    """`0.001` -> `1e-3`, as in report keys."""
    mantissa, exponent = f"{rate:e}".split("e")
    digits = mantissa.rstrip("0").rstrip(".")
    return f"{digits}e{int(exponent)}"
