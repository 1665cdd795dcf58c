"""What happens while a study is searched, beside what happens in its runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.pipeline.events import Note, Progress
from sandbox.tuning.study.record import TrialRecord


@dataclass(frozen=True)
class TrialBegun:
    """A worker has a trial."""

    study: str
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

    study: str
    number: int
    done: int
    """Steps of all its runs together."""
    steps: int
    value: float | None
    """The first figure at the last validation."""


@dataclass(frozen=True)
class TrialOver:
    """A trial has ended, here."""

    study: str
    trial: TrialRecord
    over: int
    """Trials that count, and are over, anywhere."""
    best: tuple[int, float] | None
    """Number and first figure of the best one so far."""


@dataclass(frozen=True)
class Retrained:
    """A run on a fresh seed is over, of a winner or of the default values."""

    study: str
    kind: str
    seed: int
    figure: float | None
    """The first goal on test; None where the run came to nothing."""
    seconds: float
    over: int
    of: int


@dataclass(frozen=True)
class Retraining:
    """How far such a run is."""

    study: str
    kind: str
    seed: int
    done: int
    steps: int


@dataclass(frozen=True)
class Waiting:
    """Others are at work on all that is left."""


@dataclass(frozen=True)
class Ended:
    """Nothing is left to do for this worker."""

    why: str
    """Where it is not that all trials asked for are over."""


Event = TrialBegun | TrialStep | TrialOver | Retraining | Retrained | Waiting | Ended | Note | Progress
