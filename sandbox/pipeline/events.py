"""What happens while a recipe is trained, as the values that `run` yields."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.evaluation.figures import Figures
from sandbox.runs.folder import RunFolder


@dataclass(frozen=True)
class Note:
    """A sentence the person should read before or while the run goes on."""

    text: str


@dataclass(frozen=True)
class Started:
    """The run has a folder."""

    folder: RunFolder


@dataclass(frozen=True)
class Progress:
    """One step was taken."""

    done: int
    total: int
    loss: float
    images_per_second: float
    monitor: float | None


@dataclass(frozen=True)
class Validation:
    """The validation split was scored."""

    step: int
    figures: Figures
    value: float
    best: bool


@dataclass(frozen=True)
class Done:
    """The run is over and recorded."""

    folder: RunFolder
    report: dict[str, Figures]


Event = Started | Note | Progress | Validation | Done
