"""A study as plain data: what its trials tried, what came of each, and why some came to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.tuning.plan.protocol import JUDGE, VALIDATION

DEFAULT = "default"
"""The kind of the trial that trains the catalogue's and the recipe's own values, and counts as none."""


@dataclass(frozen=True)
class TrialRecord:
    """One trial."""

    number: int
    """Its place in the study, from 0."""
    state: str
    """complete, pruned, failed, running, waiting, or interrupted: running where its worker is gone."""
    values: tuple[float, ...]
    """A figure of validation, or of a protocol's judging folds, for each monitor; empty unless it is complete."""
    params: dict[str, Any]
    """Dotted name -> value of everything that is searched."""
    kind: str = "trial"
    """`DEFAULT` for the one that trains the default values; else trial."""
    seconds: float | None = None
    """Of training and evaluation, all its runs together."""
    curve: dict[int, float] = field(default_factory=dict)
    """The first monitor on validation after so many steps, those of all its runs counted."""
    why: str = ""
    """Why it failed, or was pruned at which step."""
    objective: str = ""
    """The objective with its values, spelt canonically."""
    line: str = ""
    """The run.py command that trains it again, its seed included."""
    figures: dict[str, float] = field(default_factory=dict)
    """Report key -> figure of the same, where it is complete; the mean over its runs."""
    constraints: dict[str, float] = field(default_factory=dict)
    """Constraint as it is written -> by how much it is broken; it is met at 0 and below."""
    runs: tuple[str, ...] = ()
    """Names of its run folders below `runs` of the study."""
    started: datetime | None = None
    ended: datetime | None = None

    @property
    def feasible(self) -> bool:
        """Whether every constraint is met, so far as they are known."""
        return all(value <= 0 for value in self.constraints.values())

    @property
    def counts(self) -> bool:
        """Whether it is over, and one of those that a person asked for."""
        return self.state in ("complete", "pruned") and self.kind != DEFAULT


@dataclass(frozen=True)
class StudyRecord:
    """A study and its trials, in their order."""

    name: str
    folder: Path
    """Where its run folders and pictures lie."""
    command: str
    """What a person typed to begin it."""
    objective: str
    """The objective with its marks."""
    search: dict[str, str]
    """Dotted name -> range of everything that is searched, as it is written."""
    monitors: tuple[str, ...]
    """Report keys that are reached for; the first decides about pruning."""
    lower: tuple[bool, ...]
    """Of each monitor, whether less is better."""
    protocol: dict[str, Any]
    """What all trials share: data, split, seed, trial_seeds, folds, sampler, pruner, constraints, steps."""
    trials: Sequence[TrialRecord]

    @property
    def judge(self) -> str:
        """What values and figures are of: validation, or folds that neither training nor stopping had seen."""
        return JUDGE if self.protocol.get("protocol") else VALIDATION

    def complete(self) -> list[TrialRecord]:
        """The complete trials that meet every constraint, the default's not among them, best first monitor first."""
        found = [t for t in self.trials if t.state == "complete" and t.feasible and t.kind != DEFAULT]
        return sorted(found, key=lambda t: (t.values[0] if self.lower[0] else -t.values[0], t.number))

    def best(self) -> TrialRecord | None:
        """The best by the first monitor of those that are complete and meet every constraint."""
        return next(iter(self.complete()), None)

    def front(self) -> list[TrialRecord]:
        """Of several monitors, the trials that no other one equals in all and beats in one; best first one first."""
        found = self.complete()
        return [t for t in found if not any(self._beats(other, t) for other in found)]

    def default(self) -> TrialRecord | None:
        """The trial of the default values, where it is complete."""
        return next((t for t in self.trials if t.kind == DEFAULT and t.state == "complete"), None)

    def _beats(self, one: TrialRecord, other: TrialRecord) -> bool:
        signed = [(-a, -b) if low else (a, b) for a, b, low in zip(one.values, other.values, self.lower, strict=True)]
        return all(a >= b for a, b in signed) and any(a > b for a, b in signed)
