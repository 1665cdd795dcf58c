from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from sandbox.recipe.specs import ScheduleSpec
from sandbox.training.checkpoint import capture, restore
from sandbox.training.clock import Clock
from sandbox.training.loop import Training, train
from sandbox.training.optimizer import factor, factor_at

Make = Callable[..., Training]


class Hand:
    """A clock's hand that goes on by one second each time it is read: a step takes one."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        self.at += 1.0
        return self.at


def by_the_clock(t: Training, limit: float, spent: float = 0.0) -> Training:
    return replace(t, total=10**9, clock=Clock(limit, spent, now=Hand()))


def test_training_ends_at_the_first_step_after_its_seconds(training: Make) -> None:
    assert [step.done for step in train(by_the_clock(training("triplet"), 4.0))] == [1, 2, 3, 4]
    assert [step.done for step in train(by_the_clock(training("triplet"), 3.5))] == [1, 2, 3, 4]
    assert [step.done for step in train(by_the_clock(training("triplet"), 0.001))] == [1]
    assert not list(train(by_the_clock(training("triplet"), 4.0, spent=4.0)))


def test_the_time_between_two_steps_does_not_count(training: Make) -> None:
    t = by_the_clock(training("triplet"), 4.0)
    assert t.clock is not None and isinstance(t.clock.now, Hand)
    done = 0
    for step in train(t):
        t.clock.now.at += 1000
        done = step.done
    assert done == 4 and t.clock.spent == 4


def test_the_rate_follows_the_time_as_it_follows_the_steps(training: Make) -> None:
    spec = ScheduleSpec(name="cosine", warmup=0.0)
    rates = [step.lr for step in train(replace(by_the_clock(training("triplet"), 8.0), schedule=spec))]
    steps = [step.lr for step in train(training("triplet", total=8, schedule=spec))]
    assert rates == pytest.approx(steps)
    for name in ("cosine", "one_cycle", "constant"):
        spec = ScheduleSpec(name=name, warmup=0.2)
        assert factor_at(0.6, 7, 5, spec) == pytest.approx(factor(600, 1000, 5, spec), rel=1e-3)
    spec = ScheduleSpec(name="step", warmup=0.1, gamma=0.5)
    assert factor_at(0.6, 12, 5, spec) == 0.25


def test_looks_are_spread_over_the_time() -> None:
    clock, passed = Clock(10.0, now=Hand()), []
    while not clock.over:
        clock.start()
        clock.stop()
        passed.append(clock.passed(5))
    assert passed == [False, True] * 5


def test_a_checkpoint_keeps_the_time_that_is_spent(training: Make) -> None:
    t = by_the_clock(training("triplet"), 9.0)
    steps = train(t)
    for _ in range(3):
        next(steps)
    tensors, state = capture(t)
    other = by_the_clock(training("triplet"), 9.0)
    restore(other, tensors, state)
    assert other.clock is not None and other.clock.spent == 3
    assert [step.done for step in train(other, 3)] == [4, 5, 6, 7, 8, 9]


def test_the_trunk_stays_as_it_is_while_the_head_goes_first(training: Make) -> None:
    t = replace(training("triplet"), head_first=3)
    begin = {key: value.clone() for key, value in t.network.state_dict().items()}
    for step in train(t):
        now = t.network.state_dict()
        trunk = [key for key in now if key.startswith("backbone.")]
        head = [key for key in now if key.startswith("head.")]
        assert all(torch.equal(now[key], begin[key]) for key in trunk) == (step.done <= 3)
        assert any(not torch.equal(now[key], begin[key]) for key in head)
    assert all(module.training for module in t.network.modules())


@pytest.mark.parametrize("cut", [2, 5])
def test_a_run_whose_head_goes_first_goes_on_to_the_same_bits(training: Make, cut: int) -> None:
    whole = replace(training("triplet"), head_first=4)
    list(train(whole))
    first, second = (replace(training("triplet"), head_first=4) for _ in "ab")
    steps = train(first)
    for _ in range(cut):
        next(steps)
    restore(second, *capture(first))
    list(train(second, cut))
    both = zip(whole.network.state_dict().values(), second.network.state_dict().values(), strict=True)
    assert all(torch.equal(*pair) for pair in both)
