"""What a trial costs, tried out for a second before a search begins."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sandbox.pipeline.judging.evaluate import validate
from sandbox.pipeline.prepare import Prepared, prepare
from sandbox.training.loop import train
from sandbox.tuning.plan.plan import Plan

_SECONDS = 1.0
"""Of trial steps after the first, which is slow."""


@dataclass(frozen=True)
class Cost:
    """Of one trial."""

    steps: int
    """Of one of its runs."""
    batch: int
    """Images of a step."""
    validations: int
    """Of one of its runs."""
    runs: int
    threads: int
    """0 leaves it to torch."""
    seconds: float
    """Of all its runs, as the steps that were tried have it; pruning shortens it."""


def try_out(plan: Plan) -> Cost:
    """Check the plan's recipe at one of its points, and time a few steps and a validation of it.

    Raises:
        SandboxError: the recipe is refused.
    """
    marks = plan.space.marks
    point = {name: mark.choices[0] if mark.choices else mark.low for name, mark in marks.items()}
    prepared = prepare(plan.recipes(plan.space.fill(point))[0][1])
    training, steps = prepared.training, prepared.training.total
    validations = -(-steps // prepared.every)
    seconds = plan.runs * (steps * _step_seconds(prepared) + (validations + 1) * _validation_seconds(prepared))
    return Cost(steps, training.batches.size, validations, plan.runs, plan.recipe.threads, seconds)


def _step_seconds(prepared: Prepared) -> float:
    steps = iter(train(prepared.training))
    next(steps)
    began, count = time.perf_counter(), 0
    for _ in steps:
        count += 1
        if time.perf_counter() - began > _SECONDS:
            break
    return (time.perf_counter() - began) / max(1, count)


def _validation_seconds(prepared: Prepared) -> float:
    began = time.perf_counter()
    validate(prepared)
    return time.perf_counter() - began
