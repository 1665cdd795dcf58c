"""How a metric from outside enters the report: one decorator above a function on bare arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Real

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.figures import Figures
from sandbox.wording import reason

Metric = Callable[[np.ndarray, np.ndarray], Figures]
"""Embeddings (N, D) and labels (N,) int64 to figures; `sandbox.evaluation.figures.shares` makes them of values."""
OWN_METRICS: dict[str, Metric] = {}
_MEANT = 'but {"NAME": {"value": V, "n": N}} is meant, with low and high where there is an interval'


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


def own_figures(x: np.ndarray, y: np.ndarray, name: str | None = None) -> Figures:
    """The figures of every registered metric, or of one, ``own/`` in front of their keys.

    Raises:
        SandboxError: a metric fails, or gives something else than figures.
    """
    found: Figures = {}
    for each in OWN_METRICS if name is None else [name]:
        try:
            given = OWN_METRICS[each](x, y)
        except SandboxError:
            raise
        except Exception as error:  # somebody else's code: anything may come out of it
            raise SandboxError(f"the metric '{each}' fails: {type(error).__name__}: {reason(error)}") from error
        if not isinstance(given, Mapping):
            raise SandboxError(f"the metric '{each}' gives a {type(given).__name__}, {_MEANT}")
        for key, entry in given.items():
            if not _is_figure(entry):
                raise SandboxError(
                    f"the metric '{each}' gives {key} without a finite value and an n: {repr(entry)[:80]}, {_MEANT}"
                )
            found[key if key.startswith("own/") else f"own/{key}"] = entry
    return found


def _is_figure(entry: object) -> bool:
    """Whether it has a finite value and says what that was counted over."""
    value = entry.get("value") if isinstance(entry, Mapping) and "n" in entry else None
    return isinstance(value, Real) and bool(np.isfinite(float(value)))


def try_metrics(dim: int, name: str | None = None) -> Figures:
    """What every registered metric, or one, gives of random unit rows, so that one that fails does so before training.

    Raises:
        SandboxError: a metric fails, gives something else than figures, or others the second time.
    """
    if not OWN_METRICS:
        return {}
    labels = np.repeat(np.arange(8), 4)
    rows = np.random.default_rng(0).normal(size=(len(labels), dim)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = own_figures(rows, labels, name)
    if found != own_figures(rows, labels, name):
        raise SandboxError(
            f"the metric '{name or ', '.join(OWN_METRICS)}' gives other figures the second time: its draws need a seed"
        )
    return found
