"""What the runs of a row cost: weights, multiply-adds, speed, memory, hours."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from statistics import fmean
from typing import Any

from sandbox.backbones.catalog import stem_without_weights
from sandbox.backbones.cost import multiply_adds, outline
from sandbox.errors import SandboxError
from sandbox.recipe.size import ImageSize
from sandbox.reporting.records.run import Run
from sandbox.reporting.tables.table import Cell


def cost_cell(name: str, runs: Sequence[Run]) -> Cell:
    """The cell of a cost: parameters and multiply-adds of the network, images per second (mean), memory (most), hours.

    Args:
        name: of `COSTS`.
        runs: of the row; an empty cell where one lacks what is asked for.
    """
    found = [_COSTS[name](run) for run in runs]
    values = [value for value in found if value is not None]
    if len(values) < len(runs):
        return Cell()
    if name in ("parameters", "multiply_adds"):
        return Cell(f"{values[0]:,.0f}", value=values[0]) if len(set(values)) == 1 else Cell()
    if name == "images_per_second":
        return Cell(f"{fmean(values):,.0f}", value=fmean(values))
    whole = max(values) if name == "memory" else sum(values)
    return Cell(f"{whole:.3g}", value=whole)


def _number(run: Run, *keys: str) -> float | None:
    value: Any = run.facts
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return float(value) if type(value) in (int, float) else None


def _parameters(run: Run) -> float | None:
    trunk, head = (_number(run, "parameters", part) for part in ("backbone", "head"))
    return None if trunk is None or head is None else trunk + head


def _multiply_adds(run: Run) -> float | None:
    spec, taken = run.recipe.backbone, run.facts.get("input")
    size, channels = (taken.get("image_size"), taken.get("channels")) if isinstance(taken, dict) else (None, None)
    if not isinstance(size, int | str) or not isinstance(channels, int):
        return None
    stem = stem_without_weights(spec.name, stem=spec.stem, pretrained=spec.weights == "pretrained")
    return _counted(spec.name, size, channels, stem)


@cache
def _counted(name: str, size: ImageSize, channels: int, stem: str) -> float | None:
    try:
        return float(multiply_adds(outline(name, size, stem, channels), size, channels))
    except (SandboxError, RuntimeError, ValueError):  # of a plug-in that is not loaded, or of rows of numbers
        return None


def _gigabytes(run: Run) -> float | None:
    held = _number(run, "peak_memory", "device") or _number(run, "peak_memory", "resident")
    return None if held is None else held / 1e9


def _hours(run: Run) -> float | None:
    seconds = _number(run, "seconds", "total")
    return None if seconds is None else seconds / 3600


_COSTS = {
    "parameters": _parameters,
    "multiply_adds": _multiply_adds,
    "images_per_second": lambda run: _number(run, "images_per_second"),
    "memory": _gigabytes,
    "hours": _hours,
}
