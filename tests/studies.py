"""Small studies on digits, searched in this process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, EvaluateSpec, Recipe
from sandbox.tuning.plan.plan import Plan
from sandbox.tuning.search.claims import Goal
from sandbox.tuning.search.events import Event, TrialOver
from sandbox.tuning.search.worker import search
from sandbox.tuning.study.record import TrialRecord

LOSS = "triplet(margin=tune(0.05, 0.5))"


def recipe(loss: str = LOSS, *, steps: int = 4, **changes: Any) -> Recipe:
    """A recipe that trains in half a second."""
    plain: dict[str, Any] = {
        "loss": loss,
        "miner": "none",
        "data": DataSpec(name="digits", image_size=8),
        "backbone": BackboneSpec(name="conv4", embedding_dim=16),
        "batch": BatchSpec(size=16),
        "evaluate": EvaluateSpec(every=2),
        "max_steps": steps,
        "threads": 1,
        "precision": "float32",
    }
    return Recipe(**(plain | changes))


def plan(loss: str = LOSS, *, steps: int = 4, changes: dict[str, Any] | None = None, **options: Any) -> Plan:
    """A plan of such a recipe."""
    return Plan(recipe=recipe(loss, steps=steps, **(changes or {})), **options)


def searched(of: Plan, folder: Path, trials: int, url: str = "", *, pictures: bool = False, **goal: Any) -> list[Event]:
    """Everything that happens until the study has so many trials."""
    events = search(of, Goal(trials, **goal), folder=folder, url=url, command="a test", pictures=pictures)
    return list(events)


def ended(events: list[Event]) -> list[TrialRecord]:
    """The trials that ended."""
    return [event.trial for event in events if isinstance(event, TrialOver)]


def same(one: TrialRecord, other: TrialRecord) -> bool:
    """Whether two trials are one but for their times."""
    return replace(one, seconds=None, started=None, ended=None) == replace(
        other, seconds=None, started=None, ended=None
    )
