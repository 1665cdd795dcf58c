"""One trial: its runs one after the other, watched by the pruner, gone on with where they were cut off."""

from __future__ import annotations

import statistics
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from sandbox.pipeline.events import Done, Note, Progress, Started, Validation
from sandbox.runs.folder import RunFolder
from sandbox.training.loop import Diverged
from sandbox.tuning.plan.draw import DIVERGED
from sandbox.tuning.plan.plan import Plan
from sandbox.tuning.plan.prune import is_hopeless
from sandbox.tuning.search.claims import Claim, Claims
from sandbox.tuning.search.events import TrialStep
from sandbox.tuning.search.trial_run import Failed, check_images, run_events

SECONDS = "sandbox:seconds"
"""System attribute: what a trial has taken so far, by all its workers."""


class Lost(Exception):
    """Another worker has taken the trial over."""


@dataclass
class Outcome:
    """What came of a trial."""

    state: TrialState
    values: tuple[float, ...] = ()
    """Of each goal; the mean over its runs."""
    why: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    """Report key -> figure of validation, or of the judging folds of a protocol; the mean over its runs."""
    broken: dict[str, float] = field(default_factory=dict)
    """By how much each constraint is broken."""
    folders: list[RunFolder] = field(default_factory=list)
    seconds: float = 0.0


@dataclass
class Trial:
    """A trial under way."""

    claims: Claims
    claim: Claim
    outcome: Outcome = field(default_factory=lambda: Outcome(TrialState.FAIL))
    total: int = 0
    """Steps of one run."""
    finals: list[float] = field(default_factory=list)
    """The first goal on validation, of each run that is over."""
    last: float | None = None

    def train(self) -> Generator[TrialStep | Note, None, Outcome]:
        """Train and judge every run.

        Raises:
            Lost: another worker took the trial over meanwhile.
            SandboxError: the storage is out of reach, or the disk is full: no fault of the trial.
            KeyboardInterrupt: a signal came; what was done is saved.
        """
        before = self._frozen().system_attrs.get(SECONDS, 0.0)
        earlier, began = float(before) if isinstance(before, int | float) else 0.0, time.monotonic()
        outcome = self.outcome
        try:
            yield from self._runs(earlier, began)
        except Diverged as error:
            outcome.state, outcome.why = TrialState.PRUNED, f"diverged: {error}"
            self._storage.set_trial_system_attr(self.claim.id, DIVERGED, True)
        except Failed as error:
            outcome.state, outcome.why = TrialState.FAIL, str(error)
        outcome.seconds = earlier + time.monotonic() - began
        return outcome

    def _runs(self, earlier: float, began: float) -> Generator[TrialStep | Note, None, None]:
        reports, runs = [], self.plan.recipes(self.claim.recipe)
        for place, (suffix, recipe) in enumerate(runs):
            name = f"trial-{self.claim.number:04d}{suffix}"
            apart = bool(self.plan.protocol)  # another fold, in the place of test, judges what one of validation chose
            folder, tags = self.claims.study.folder / "runs", self.plan.tags
            begun: RunFolder | None = None
            for event in run_events(folder, name, recipe, test=apart, tags=tags):
                if begun is not None:  # by now it has said what it sees
                    check_images(begun)
                begun = event.folder if isinstance(event, Started) else None
                if isinstance(event, Started):
                    self._begin(event.folder)
                    if self._replayed(event.folder, place):
                        return
                elif isinstance(event, Progress):
                    self.total = event.total
                    done, steps = place * event.total + event.done, len(runs) * event.total
                    yield TrialStep(self.claims.study.folder.name, self.claim.number, done, steps, self.last)
                elif isinstance(event, Validation):
                    self._check_mine()
                    self._storage.set_trial_system_attr(self.claim.id, SECONDS, earlier + time.monotonic() - began)
                    if self._hopeless(event.step, event.value, place):
                        return
                elif isinstance(event, Note):
                    yield event
                elif isinstance(event, Done):
                    if event.folder not in self.outcome.folders:  # it was over before
                        self._begin(event.folder)
                        if self._replayed(event.folder, place):
                            return
                    self.finals.append(_figure(_plain(event.report["val"]), self.plan.goals[0], "validation"))
                    reports.append(_plain(event.report["test" if apart else "val"]))
                    _figure(reports[-1], self.plan.goals[0], self.plan.judge)
                    if self._hopeless_so_far(place):
                        return
        shared = set.intersection(*(set(report) for report in reports))
        outcome = self.outcome
        outcome.figures = {key: statistics.fmean(r[key] for r in reports) for key in reports[0] if key in shared}
        outcome.values = tuple(_figure(outcome.figures, goal, self.plan.judge) for goal in self.plan.goals)
        known = outcome.figures | _facts(outcome.folders)
        outcome.broken = {str(limit): limit.broken_by(known) for limit in self.plan.limits}
        outcome.state = TrialState.COMPLETE

    @property
    def plan(self) -> Plan:
        """Of the study."""
        return self.claims.plan

    @property
    def _storage(self) -> Any:
        return self.claims.study.store.storage

    def _frozen(self) -> FrozenTrial:
        return self._storage.get_trial(self.claim.id)

    def _check_mine(self) -> None:
        if not self.claims.owns(self.claim):
            raise Lost

    def _begin(self, folder: RunFolder) -> None:
        self._check_mine()
        if folder not in self.outcome.folders:
            self.outcome.folders.append(folder)

    def _replayed(self, folder: RunFolder, place: int) -> bool:
        """Judge what a run that goes on had shown before, as the pruner did or would have; whether it should end."""
        for row in folder.read_log():
            value = row.get("val", {}).get(self.plan.goals[0])
            if isinstance(value, float) and self._hopeless(row["step"], value, place):
                return True
        return False

    def _hopeless(self, step: int, value: float, place: int) -> bool:
        """Note a validation of a run, and whether the pruner has seen enough."""
        if self.plan.pruner == "wilcoxon":
            self.last = value
            return False
        planned = self.total or int(self.outcome.folders[-1].read_json("run.json").get("planned_steps", 1))
        self.total = planned
        self.last = statistics.fmean([*self.finals, value])
        return self._cut(place * planned + step, self.last)

    def _hopeless_so_far(self, place: int) -> bool:
        """The same after a whole run, for the pruner that compares trials run by run."""
        return self.plan.pruner == "wilcoxon" and self._cut(place, self.finals[-1])

    def _cut(self, step: int, value: float) -> bool:
        self._storage.set_trial_intermediate_value(self.claim.id, step, value)
        steps = self.total * self.plan.runs
        cut, kept = is_hopeless(
            self.plan.pruner,
            self.claims.study.trials(),
            self.claim.number,
            study=self.claims.study.name,
            lower=self.plan.lower[0],
            steps=steps,
            every=max(1, steps // 10),
        )
        for key, kept_value in kept.items():
            self._storage.set_trial_system_attr(self.claim.id, key, kept_value)
        if cut and self.claim.kind == "trial":
            by_run = self.plan.pruner == "wilcoxon"
            where = f"after run {step + 1} of {self.plan.runs}" if by_run else f"at step {step} of {steps}"
            self.outcome.state, self.outcome.why = TrialState.PRUNED, f"pruned {where} ({value:.4g})"
            return True
        return False


def _plain(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    return {key: float(entry["value"]) for key, entry in figures.items()}


def _figure(report: Mapping[str, float], key: str, judge: str) -> float:
    if key not in report:
        raise Failed(f"no {key} of {judge}: pairs of one kind are lacking, or its classes are not trained on")
    return report[key]


def _facts(folders: list[RunFolder]) -> dict[str, float]:
    """What runs say of themselves, averaged; of memory the most, of seconds the sum."""
    rows = [_facts_of(folder) for folder in folders]
    known = {key: statistics.fmean(row[key] for row in rows) for key in rows[0] if all(key in row for row in rows)}
    for key, over_all in (("memory", max), ("seconds", sum)):
        if key in known:
            known[key] = float(over_all(row[key] for row in rows))  # type: ignore[operator]
    return known


def _facts_of(folder: RunFolder) -> dict[str, float]:
    facts, log = folder.read_json("run.json"), folder.read_log()
    speeds = [row["images_per_second"] for row in log if "images_per_second" in row]
    health: dict[str, Any] = next((row for row in reversed(log) if "effective_rank" in row), {})
    memory = facts["peak_memory"]["device"] or facts["peak_memory"]["resident"]
    found = {
        "memory": memory / 1e9,
        "parameters": float(facts["parameters"]["backbone"] + facts["parameters"]["head"]),
        "seconds": float(facts["seconds"]["total"]),
    }
    if speeds:
        found["images_per_second"] = float(statistics.median(speeds))
    return found | {key: float(health[key]) for key in ("effective_rank", "mean_cosine") if key in health}
