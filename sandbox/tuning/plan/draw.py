"""The next point of a study: a function of its seed, of how many were drawn, and of the trials so far.

Each time a sampler of Optuna's starts anew on a copy of the trials in memory. So a study that was cut off draws what
it would have drawn, and a point stands in the study whole or not at all.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, QMCSampler, RandomSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from sandbox.errors import SandboxError
from sandbox.tuning.plan.space import Space, shortened

SAMPLERS = ("tpe", "random", "gp", "cmaes", "qmc", "grid")
DIVERGED = "sandbox:diverged"
"""System attribute of a trial whose loss was no number any more."""
GRID_STEPS = 5
"""Values that a grid tries of a range without steps."""
_TRIES = 32
_MOST_GRID = 1_000_000
Point = dict[str, Any]


def check_sampler(name: str, space: Space, monitors: int) -> None:
    """Refuse a sampler that cannot search a space.

    Raises:
        SandboxError: says why.
    """
    numbers = [d for d in space.distributions.values() if not isinstance(d, CategoricalDistribution)]
    if name == "cmaes" and (len(numbers) < 2 or monitors > 1):
        why = "one figure, not several" if monitors > 1 else "two numbers or more, not choices"
        raise SandboxError(f"--sampler cmaes searches {why}; tpe searches anything")
    if name == "grid" and math.prod(map(len, _axes(space).values())) > _MOST_GRID:
        raise SandboxError(f"--sampler grid: the grid has more than {_MOST_GRID:,} points; mark less, or take qmc")


def draw(
    space: Space,
    sampler: str,
    *,
    seed: int,
    place: int,
    trials: Sequence[FrozenTrial],
    directions: Sequence[StudyDirection],
) -> tuple[Point, dict[str, Any]] | None:
    """A point that no trial has, and what the sampler wants to be kept with it; None where none is left.

    Args:
        space: what is searched.
        sampler: one of `SAMPLERS`.
        seed: of the study.
        place: how many points were drawn before.
        trials: all so far, in any state.
        directions: of each figure that is reached for.
    """
    taken = {_key(trial.params) for trial in trials if space.holds(trial.params)}
    if sampler == "grid":
        return _next_of_grid(space, seed, taken)
    if space.size is not None and len(taken) >= space.size:
        return None
    for attempt in range(_TRIES):
        kind = sampler if attempt < _TRIES // 2 else "random"
        random = np.random.SeedSequence([seed, place, attempt]).generate_state(1)[0]
        with quiet():
            drawer = _sampler(kind, int(random), seed)
        point, kept = _asked(drawer, space, trials, directions, place + attempt)
        if _key(point) not in taken:
            return point, kept
    return _any_left(space, seed, place, taken)


def _asked(
    sampler: BaseSampler,
    space: Space,
    trials: Sequence[FrozenTrial],
    directions: Sequence[StudyDirection],
    before: int,
) -> tuple[Point, dict[str, Any]]:
    ranges = space.distributions
    with quiet():
        study = optuna.create_study(directions=list(directions), sampler=sampler)
        if isinstance(sampler, QMCSampler):
            study.add_trial(_middle(ranges, len(directions)))  # it spreads points over the space of an earlier trial
            for _ in range(before):
                study.ask(ranges)
        else:
            study.add_trials(told(trials, space, directions))
        trial = study.ask(ranges)
        kept = study.get_trials(deepcopy=False)[trial.number].system_attrs
    point = {}
    for name, value in trial.params.items():
        one = ranges[name]
        short = isinstance(one, FloatDistribution)
        point[name] = shortened(value, one.low, one.high, log=one.log) if short else value  # type: ignore[attr-defined]
    return point, dict(kept)


def told(trials: Sequence[FrozenTrial], space: Space, directions: Sequence[StudyDirection]) -> list[FrozenTrial]:
    """The trials as a sampler is told of them: those in the space; what diverged is as bad as the worst."""
    inside = [trial for trial in sorted(trials, key=lambda trial: trial.number) if space.holds(trial.params)]
    worst = [
        (max if direction == StudyDirection.MINIMIZE else min)(values)
        for direction, values in zip(
            directions, zip(*(t.values for t in inside if _complete(t)), strict=True), strict=False
        )
    ]
    found = []
    for trial in inside:
        if trial.state in (TrialState.FAIL, TrialState.WAITING):
            continue
        diverged = bool(trial.system_attrs.get(DIVERGED)) and trial.state == TrialState.PRUNED
        state = TrialState.COMPLETE if diverged and worst else trial.state
        found.append(
            create_trial(
                state=state,
                values=(worst if diverged else trial.values) if state == TrialState.COMPLETE else None,
                params=dict(trial.params),
                distributions=space.distributions,
                intermediate_values={} if diverged else trial.intermediate_values,
                system_attrs={k: v for k, v in trial.system_attrs.items() if k.startswith(("constraints:", "cma:"))},
            )
        )
    return found


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna's warnings on what is experimental by name, or on what it draws by chance, are no news to a person."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _sampler(name: str, random: int, seed: int) -> BaseSampler:
    if name == "tpe":
        return TPESampler(seed=random)
    if name == "gp":
        return GPSampler(seed=random, deterministic_objective=False)
    if name == "cmaes":
        return CmaEsSampler(seed=random)
    if name == "qmc":
        return QMCSampler(seed=seed, scramble=True)  # one sequence, of which each place is a point
    return RandomSampler(seed=random)


def _middle(ranges: dict[str, Any], monitors: int) -> FrozenTrial:
    params = {name: one.choices[0] if hasattr(one, "choices") else one.low for name, one in ranges.items()}
    return create_trial(params=params, distributions=ranges, values=[0.0] * monitors)


def _complete(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.COMPLETE and trial.values is not None


def _key(point: Point) -> tuple[tuple[str, str, Any], ...]:
    return tuple((name, type(value).__name__, value) for name, value in sorted(point.items()))


def _axes(space: Space) -> dict[str, list[Any]]:
    """What a grid tries of each range."""
    axes: dict[str, list[Any]] = {}
    for name, one in space.distributions.items():
        if isinstance(one, CategoricalDistribution):
            axes[name] = list(one.choices)
        elif isinstance(one, IntDistribution) and len(range(one.low, one.high + 1)) <= GRID_STEPS:
            axes[name] = list(range(one.low, one.high + 1))
        else:
            spread = np.geomspace if one.log else np.linspace  # type: ignore[attr-defined]
            values = spread(one.low, one.high, GRID_STEPS).tolist()  # type: ignore[attr-defined]
            whole = isinstance(one, IntDistribution)
            short = [round(v) if whole else shortened(v, one.low, one.high, log=one.log) for v in values]  # type: ignore[attr-defined]
            axes[name] = list(dict.fromkeys(short))
    return axes


def _next_of_grid(space: Space, seed: int, taken: set[Any]) -> tuple[Point, dict[str, Any]] | None:
    axes = _axes(space)
    sizes = [len(axis) for axis in axes.values()]
    for place in np.random.default_rng(seed).permutation(math.prod(sizes)):
        indices = np.unravel_index(int(place), sizes)
        point = {name: axis[int(i)] for (name, axis), i in zip(axes.items(), indices, strict=True)}
        if _key(point) not in taken:
            return point, {}
    return None


def _any_left(space: Space, seed: int, place: int, taken: set[Any]) -> tuple[Point, dict[str, Any]] | None:
    """Of a space with an end, one of the points that are left, where chance did not find it."""
    if space.size is None or space.size > _MOST_GRID:
        return None
    axes = [
        list(one.choices)
        if isinstance(one, CategoricalDistribution)
        else list(range(one.low, one.high + 1))
        if isinstance(one, IntDistribution)
        else [one.low]  # type: ignore[attr-defined]
        for one in space.distributions.values()
    ]
    points = (dict(zip(space.distributions, values, strict=True)) for values in itertools.product(*axes))
    left = [point for point in points if _key(point) not in taken]
    return (left[int(np.random.default_rng([seed, place]).integers(len(left)))], {}) if left else None
