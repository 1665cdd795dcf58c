"""How a metric from outside enters the report: one decorator above a function on bare arrays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.figures import Figures

Metric = Callable[[np.ndarray, np.ndarray], Figures]
"""Embeddings (N, D) and labels (N,) int64 to figures; `sandbox.evaluation.figures.shares` makes them of values."""
OWN_METRICS: dict[str, Metric] = {}


def own_metric(name: str) -> Callable[[Metric], Metric]:
    """Register a metric; its figures stand in every report, but not at validations, as ``own/...``.

    Raises:
        SandboxError: the name is taken.
    """

    def add(metric: Metric) -> Metric:
        if name in OWN_METRICS:
            raise SandboxError(f"the metric '{name}' is registered twice")
        OWN_METRICS[name] = metric
        return metric

    return add


def own_figures(x: np.ndarray, y: np.ndarray) -> Figures:
    """The figures of every registered metric, ``own/`` in front of their keys.

    Raises:
        SandboxError: a metric gives something else than figures.
    """
    found: Figures = {}
    for name, metric in OWN_METRICS.items():
        given = metric(x, y)
        for key, entry in given.items():
            if not {"value", "n"} <= {*entry} or not np.isfinite(entry["value"]):
                raise SandboxError(f"the metric '{name}' gives {key} without a finite value and an n: {entry}")
            found[key if key.startswith("own/") else f"own/{key}"] = entry
    return found
