"""What happens while a study is searched, beside what happens in its runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.pipeline.events import Note, Progress
from sandbox.tuning.record import TrialRecord


@dataclass(frozen=True)
class TrialBegun:
    """A worker has a trial."""

    number: int
    kind: str
    values: dict[str, Any]
    steps: int
    """Of all its runs together."""
    adopted: bool
    """Whether it was begun before, and goes on."""


@dataclass(frozen=True)
class TrialStep:
    """How far a trial is."""

    number: int
    done: int
    """Steps of all its runs together."""
    steps: int
    value: float | None
    """The first figure at the last validation."""


@dataclass(frozen=True)
class TrialOver:
    """A trial has ended, here."""

    trial: TrialRecord
    over: int
    """Trials that count, and are over, anywhere."""
    best: tuple[int, float] | None
    """Number and first figure of the best one so far."""


@dataclass(frozen=True)
class Waiting:
    """Others are at work on all that is left."""


@dataclass(frozen=True)
class Ended:
    """Nothing is left to do for this worker."""

    why: str
    """Where it is not that all trials asked for are over."""


Event = TrialBegun | TrialStep | TrialOver | Waiting | Ended | Note | Progress
