"""Two things timed alternately, and the ratio of their medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """Two medians and their ratio."""

    name: str
    ours: float
    other: float
    limit: float
    """What the ratio should stay under; where it is below zero, the other way round: how many times faster."""

    def __str__(self) -> str:
        """One line: both times, the ratio and what it should stay under."""
        ratio = self.ours / self.other
        times = f"{self.ours * 1e3:,.1f} ms against {self.other * 1e3:,.1f} ms"
        if self.limit < 0:
            return f"{self.name}: {times}, {1 / ratio:.2f} times faster (at least {-self.limit:.3g} wanted)"
        return f"{self.name}: {times}, ratio {ratio:.3f} (limit {self.limit:.3g})"


def alternate(ours: Callable[[], object], other: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median seconds of each; one after the other in every round, the order turned each time, the first not counted."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 1):
        pair = [(ours, seconds[0]), (other, seconds[1])]
        for action, kept in pair if turn % 2 else reversed(pair):
            began = time.perf_counter()
            action()
            if turn:
                kept.append(time.perf_counter() - began)
    return statistics.median(seconds[0]), statistics.median(seconds[1])
