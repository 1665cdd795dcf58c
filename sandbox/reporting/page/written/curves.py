"""What training logged, a small drawing for each figure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.evaluation.figures import lower_is_better, printed_name
from sandbox.reporting.page.written.svg import Line, Panel, panel
from sandbox.reporting.page.written.words import HEALTH

Log = Sequence[Mapping[str, Any]]


def curve_panels(logs: Mapping[str, Log], monitor: str) -> list[Panel]:
    """Loss, validation, learning rate and health of one run, or of several over one another.

    Args:
        logs: the name of each run (empty where there is one) and its log.
        monitor: the report key that validation is watched by.
    """
    name = printed_name(monitor)
    best = min if lower_is_better(monitor) else max
    shown = [("loss", "training loss", "of the batch, after the step")]
    health = [(key, title, word) for key, (title, word) in HEALTH.items()]
    panels = [_drawn(title, word, {run: _logged(log, key) for run, log in logs.items()}) for key, title, word in shown]
    validated = {run: _validated(log, monitor) for run, log in logs.items()}
    lines = [
        Line(points, run, dots=True, best=best(points, key=lambda point: point[1]))
        for run, points in validated.items()
        if points
    ]
    if lines:
        chosen = "; ".join(
            f"{line.name} {line.best[1]:.4f} at step {line.best[0]:,}".strip() for line in lines if line.best
        )
        panels.append(panel(f"validation {name}", f"best (framed): {chosen}", lines))
    for key, title, word in [("lr", "learning rate", "of the network"), *health]:
        panels.append(_drawn(title, word, {run: _logged(log, key) for run, log in logs.items()}))
    return [one for one in panels if one is not None]


def _drawn(title: str, word: str, logged: Mapping[str, list[tuple[int, float]]]) -> Panel | None:
    lines = [Line(points, run) for run, points in logged.items() if points]
    return panel(title, word, lines) if lines else None


def _logged(log: Log, key: str) -> list[tuple[int, float]]:
    return [(row["step"], row[key]) for row in log if _is_finite(row.get(key))]


def _validated(log: Log, monitor: str) -> list[tuple[int, float]]:
    rows = [(row["step"], row["val"].get(monitor)) for row in log if isinstance(row.get("val"), dict)]
    return [(step, value) for step, value in rows if _is_finite(value)]


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
