"""What the samplers draw: new points in the space, the same ones from the same trials."""

from __future__ import annotations

from typing import Any

import pytest
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from sandbox.errors import SandboxError
from sandbox.tuning.plan.draw import DIVERGED, SAMPLERS, check_sampler, draw, told
from sandbox.tuning.plan.space import Space, read_space, shortened

from studies import recipe

UP, DOWN = StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE
LOSS = "triplet(margin=tune(0.02, 0.5), swap=tune([True, False]))"


@pytest.fixture(scope="module")
def space() -> Space:
    return read_space(recipe(LOSS), ["optimizer.lr=tune(1e-4, 1e-2, log=True)", "batch.size=tune(8, 64)"])


def trial(space: Space, point: dict[str, Any], value: float | None, **more: Any) -> FrozenTrial:
    state = more.pop("state", TrialState.COMPLETE)
    made = create_trial(state=state, value=value, params=point, distributions=space.distributions, **more)
    return made


def drawn(space: Space, sampler: str, count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Points one after the other, each judged by a bowl whose best is at a margin of 0.2."""
    trials: list[FrozenTrial] = []
    for place in range(count):
        found = draw(space, sampler, seed=seed, place=place, trials=trials, directions=[UP])
        assert found is not None
        point, kept = found
        value = -((point["triplet_margin.margin"] - 0.2) ** 2)
        trials.append(trial(space, point, value, system_attrs=kept))
        trials[-1].number = place
    return [t.params for t in trials]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_points_are_new_lie_in_the_space_and_follow_from_the_seed(space: Space, sampler: str) -> None:
    points = drawn(space, sampler, 12)
    assert all(space.holds(point) for point in points)
    assert len({tuple(sorted(point.items())) for point in points}) == 12
    assert drawn(space, sampler, 12) == points
    assert drawn(space, sampler, 12, seed=1) != points


@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_what_learns_comes_nearer(sampler: str) -> None:
    space = read_space(recipe("triplet(margin=tune(0.02, 0.5))"), ["optimizer.lr=tune()"])
    off = [abs(point["triplet_margin.margin"] - 0.2) for point in drawn(space, sampler, 30)]
    assert sum(off[20:]) < 0.7 * sum(off[:10])


def test_no_point_is_drawn_twice_and_the_last_ones_are_found() -> None:
    space = read_space(recipe("triplet(margin=0.1, swap=tune([True, False]))"), ["batch.size=tune(8, 18)"])
    for sampler in ("tpe", "random"):
        points: list[FrozenTrial] = []
        while (found := draw(space, sampler, seed=3, place=len(points), trials=points, directions=[UP])) is not None:
            points.append(trial(space, found[0], float(len(points) % 7)))
            points[-1].number = len(points) - 1
            if len(points) == 12:  # to the end only from here
                rest = [p for p in _all(space) if p not in [t.params for t in points]]
                points += [trial(space, point, 0.0) for point in rest[:-2]]
        assert len(points) == space.size == 22
        assert len({tuple(t.params.items()) for t in points}) == 22


def _all(space: Space) -> list[dict[str, Any]]:
    return [{"triplet_margin.swap": s, "batch.size": b} for s in (True, False) for b in range(8, 19)]


def test_a_grid_is_gone_through_once() -> None:
    space = read_space(recipe("triplet(margin=tune(0.1, 0.5))"), ["batch.samples=tune(2, 4)"])
    trials: list[FrozenTrial] = []
    while (found := draw(space, "grid", seed=0, place=len(trials), trials=trials, directions=[UP])) is not None:
        trials.append(trial(space, found[0], 0.0))
    seen = {(t.params["triplet_margin.margin"], t.params["batch.samples"]) for t in trials}
    assert seen == {(margin, n) for margin in (0.1, 0.2, 0.3, 0.4, 0.5) for n in (2, 3, 4)} and len(trials) == 15


def test_what_diverged_is_told_as_the_worst_and_what_lies_outside_is_not_told(space: Space) -> None:
    point = {"triplet_margin.margin": 0.1, "triplet_margin.swap": True, "optimizer.lr": 1e-3, "batch.size": 16}
    pruned = {"state": TrialState.PRUNED, "intermediate_values": {2: 0.9}}
    rows = [
        trial(space, point, 0.5),
        trial(space, point, 0.3),
        trial(space, point, None, **pruned, system_attrs={DIVERGED: True}),
        trial(space, point, None, **pruned),
        trial(space, point, None, state=TrialState.FAIL),
        create_trial(value=0.9, params={}, distributions={}),
    ]
    for number, row in enumerate(rows):
        row.number = number
    up, down = (told(rows, space, [direction]) for direction in (UP, DOWN))
    assert [row.values for row in up] == [[0.5], [0.3], [0.3], None] and [row.values for row in down][2] == [0.5]
    assert [row.intermediate_values for row in up] == [{}, {}, {}, {2: 0.9}]
    only = told(rows[2:3], space, [UP])
    assert only[0].state == TrialState.PRUNED and not only[0].intermediate_values


@pytest.mark.parametrize(
    ("value", "low", "high", "log", "short"),
    [
        (28.637198, 10, 40, False, 28.64),
        (0.00137283, 1e-4, 1, True, 0.001373),
        (0.9999412345, 0.9999, 1.0001, False, 0.9999412),
        (0.0314159265, 0, 0.5, False, 0.03142),
        (1234567.8, 0, 2e6, False, 1235000.0),
        (0.4999999, 0.0, 0.49999, False, 0.49999),
        (0.0, -1.0, 1.0, False, 0.0),
    ],
)
def test_a_number_keeps_the_digits_that_tell_it_from_its_neighbours(
    value: float, low: float, high: float, log: bool, short: float
) -> None:
    assert shortened(value, low, high, log=log) == short


def test_samplers_that_cannot_search_a_space_are_refused() -> None:
    choices = read_space(recipe("triplet(margin=0.1, swap=tune([True, False]))"), ())
    with pytest.raises(SandboxError, match="two numbers"):
        check_sampler("cmaes", choices, 1)
    wide = read_space(recipe(LOSS), [f"{name}=tune(0.1, 0.9)" for name in WIDE])
    with pytest.raises(SandboxError, match="more than 1,000,000 points"):
        check_sampler("grid", wide, 1)
    with pytest.raises(SandboxError, match="not several"):
        check_sampler("cmaes", wide, 2)
    check_sampler("tpe", choices, 2)


WIDE = (
    *("augment.scale", "augment.shear", "augment.translate", "augment.contrast", "augment.erase"),
    *("optimizer.momentum", "schedule.warmup", "optimizer.clip"),
)
