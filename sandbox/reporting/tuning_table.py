"""What tuning gave, as rows: default and winner of each objective, retrained on fresh seeds and compared seed by seed.

The figure of validation that chose a winner is the best of many trials: even among equal settings the best looks
better by chance. It stands apart, and only what was retrained afterwards is a result.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from sandbox.evaluation.figures import lower_is_better
from sandbox.evaluation.intervals.paired import Paired, holm, paired, t_interval

DEFAULT, TUNED = "default", "tuned"
_COLUMNS = (
    *("row", "objective", "other", "values", "trials", "validation", "metric", "n", "seeds", "mean", "half"),
    *("p", "p_holm", "better", "probability"),
)

Retrained = Mapping[str, Sequence[float] | np.ndarray]
"""Report key of test -> (seeds,) a figure for each seed; NaN where the run came to nothing, or has no such figure."""


@dataclass(frozen=True)
class Tuned:
    """One objective: what its search found, and what default and winner came to afterwards.

    Raises:
        ValueError: parts that do not fit together.
    """

    name: str
    """What it is called in the tables."""
    default: str
    """The objective with the catalogue's values, as it is written."""
    winner: str
    """The objective with the values that won."""
    trials: int
    """Trials spent; the default's is not counted."""
    default_value: float | None
    """The monitor on validation with the default values while tuning; None where that came to nothing."""
    winner_value: float
    """The same of the best trial: what it was chosen by, and no result."""
    seeds: tuple[int, ...]
    """That both were retrained with; other ones than tuning used."""
    default_figures: Retrained
    winner_figures: Retrained

    def __post_init__(self) -> None:
        """Refuse parts that do not fit together, before they are paired wrongly."""
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"{self.name}: seeds are {self.seeds}, but are one or more, each once")
        if list(self.default_figures) != list(self.winner_figures) or not self.winner_figures:
            raise ValueError(f"{self.name}: default and winner need the same figures, in one order")
        for figures in (self.default_figures, self.winner_figures):
            for key, values in figures.items():
                if np.shape(values) != (len(self.seeds),) or np.isinf(np.asarray(values, dtype=np.float64)).any():
                    raise ValueError(f"{self.name}: {key} needs a figure for each of the {len(self.seeds)} seeds")

    @property
    def metrics(self) -> tuple[str, ...]:
        """Report keys of what was measured."""
        return tuple(self.winner_figures)

    def by_seed(self, kind: str, metric: str) -> dict[int, float]:
        """Figure of each seed, of the `DEFAULT` or the `TUNED` values; without those that came to nothing."""
        figures = self.default_figures if kind == DEFAULT else self.winner_figures
        pairs = zip(self.seeds, map(float, figures[metric]), strict=True)
        return {seed: value for seed, value in pairs if not math.isnan(value)}

    def lost(self) -> list[str]:
        """The retrained runs of which no figure is there, by kind and seed."""
        kinds = ((DEFAULT, self.default_figures), (TUNED, self.winner_figures))
        return [
            f"{self.name} {kind} seed {seed}"
            for kind, figures in kinds
            for place, seed in enumerate(self.seeds)
            if all(math.isnan(values[place]) for values in figures.values())
        ]


@dataclass(frozen=True)
class Comparison:
    """A winner against its default, or against another winner, in one figure over the seeds that both have."""

    objective: str
    other: str
    """`DEFAULT`, or the name of the other objective."""
    metric: str
    found: Paired | None
    """Winner minus other; None where they have no seed in common."""
    adjusted: float
    """p after Holm over the comparisons of this kind in this figure; NaN where there is none."""


def against_default(tuned: Sequence[Tuned]) -> list[Comparison]:
    """Winner against default for each figure and objective; Holm over the objectives, for each figure by itself.

    Raises:
        ValueError: no objective, two of one name, or one with other figures than the first.
    """
    _check(tuned)
    return _compared([(one, DEFAULT, one, DEFAULT) for one in tuned], tuned[0].metrics)


def between_winners(tuned: Sequence[Tuned]) -> list[Comparison]:
    """Each winner against each other for each figure; Holm over the pairs, for each figure by itself.

    Raises:
        ValueError: as `against_default`.
    """
    _check(tuned)
    pairs = [(one, other.name, other, TUNED) for one, other in combinations(tuned, 2)]
    return _compared(pairs, tuned[0].metrics)


def as_rows(tuned: Sequence[Tuned]) -> list[dict[str, Any]]:
    """Everything in the tables as flat rows of one set of keys, for CSV and JSON; None where there is nothing.

    ``row`` says what a row is: default or tuned (``mean`` and ``half`` are of the retrained figure, ``validation`` is
    the monitor while it was tuned), difference (tuned - default) or winners (``objective`` - ``other``).

    Raises:
        ValueError: as `against_default`.
    """
    rows = [_retrained_row(one, kind, metric) for one in tuned for kind in (DEFAULT, TUNED) for metric in one.metrics]
    rows += [_comparison_row("difference", one) for one in against_default(tuned)]
    rows += [_comparison_row("winners", one) for one in between_winners(tuned)]
    return [dict.fromkeys(_COLUMNS) | row for row in rows]


def _check(tuned: Sequence[Tuned]) -> None:
    names = [one.name for one in tuned]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"objectives are called {names}, but are one or more, each with a name of its own")
    for one in tuned:
        if one.metrics != tuned[0].metrics:
            raise ValueError(f"{one.name} has {one.metrics}, but {names[0]} has {tuned[0].metrics}")


def _compared(pairs: Sequence[tuple[Tuned, str, Tuned, str]], metrics: Sequence[str]) -> list[Comparison]:
    """Of each pair: an objective, what the other is called, which objective that is of, and of which kind."""
    rows = []
    for metric in metrics:
        found = [
            _paired(one.by_seed(TUNED, metric), other.by_seed(kind, metric), metric) for one, _, other, kind in pairs
        ]
        adjusted = holm([math.nan if each is None else each.p for each in found])
        rows += [
            Comparison(one.name, called, metric, each, p)
            for (one, called, _, _), each, p in zip(pairs, found, adjusted, strict=True)
        ]
    return rows


def _paired(one: dict[int, float], other: dict[int, float], metric: str) -> Paired | None:
    shared = sorted(one.keys() & other.keys())
    if not shared:
        return None
    return paired([one[seed] for seed in shared], [other[seed] for seed in shared], lower=lower_is_better(metric))


def _retrained_row(one: Tuned, kind: str, metric: str) -> dict[str, Any]:
    values = one.by_seed(kind, metric)
    mean, half = t_interval(list(values.values()))
    return {
        "row": kind,
        "objective": one.name,
        "values": one.default if kind == DEFAULT else one.winner,
        "trials": one.trials,
        "validation": one.default_value if kind == DEFAULT else one.winner_value,
        "metric": metric,
        "n": len(values),
        "seeds": " ".join(map(str, values)),
        "mean": _known(mean),
        "half": _known(half),
    }


def _comparison_row(kind: str, one: Comparison) -> dict[str, Any]:
    row: dict[str, Any] = {"row": kind, "objective": one.objective, "other": one.other, "metric": one.metric, "n": 0}
    if one.found is None:
        return row
    return row | {
        "n": one.found.n,
        "mean": one.found.difference,
        "half": _known(one.found.half),
        "p": _known(one.found.p),
        "p_holm": _known(one.adjusted),
        "better": one.found.better,
        "probability": one.found.probability,
    }


def _known(value: float) -> float | None:
    """NaN is no JSON."""
    return None if math.isnan(value) else value
