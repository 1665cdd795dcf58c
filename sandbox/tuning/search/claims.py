"""Which trial a worker does next: one that another left behind, or a new point; decided by one worker at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from sandbox.data.catalog import data_kinds
from sandbox.errors import SandboxError
from sandbox.recipe.specs import Recipe
from sandbox.recipe.text import from_toml, to_toml
from sandbox.tuning.plan.draw import draw
from sandbox.tuning.plan.plan import Plan
from sandbox.tuning.storage.database import LostLock
from sandbox.tuning.study.attributes import FACTS, KIND, OVER, RECIPE, VALUES, WIDER, feasible, kind_of, values_of
from sandbox.tuning.study.heartbeat import BEAT, OWNER, Watcher
from sandbox.tuning.study.owner import this_process
from sandbox.tuning.study.record import DEFAULT
from sandbox.tuning.study.study import Study

T = TypeVar("T")
DEATHS = "sandbox:deaths"
"""System attribute of a trial: how often its worker was gone without getting further."""
_MOST_DEATHS = 5


@dataclass(frozen=True)
class Goal:
    """When a study is over."""

    trials: int
    """Complete or pruned, the default not counted."""
    until: float = float("inf")
    """By `time.time`: no trial begins later."""
    patience: int = 0
    """Trials in a row without a better value; 0 never ends it."""


@dataclass(frozen=True)
class Claim:
    """A trial that this process does."""

    id: int
    number: int
    values: dict[str, Any]
    recipe: Recipe
    kind: str
    adopted: bool
    """Whether another process, or this one before, has begun it."""


@dataclass(frozen=True)
class Wait:
    """Others are at work on all that is left; one of them may yet fail."""


@dataclass(frozen=True)
class Over:
    """Nothing is left to do."""

    why: str = ""
    """Where it is not that all trials asked for are over."""


@dataclass
class Claims:
    """The claims of one worker."""

    study: Study
    plan: Plan
    goal: Goal
    watcher: Watcher = field(default_factory=Watcher)

    def next(self) -> Claim | Wait | Over:
        """What to do next.

        Raises:
            SandboxError: the storage is out of reach, or the study was widened by another command.
        """
        return self._in_turn(self._next)

    def _next(self) -> Claim | Wait | Over:
        self._check_same()
        trials = self.study.trials()
        for trial in trials:
            if self._wanted(trial, trials) and (claim := self._adopted(trial)) is not None:
                return claim
        trials = self.study.trials()
        flying, counted = _flying(trials), _counted(trials)
        if why := self._enough(counted):
            return Over(why)
        if len(counted) >= self.goal.trials:
            return Over()
        if len(counted) + len(flying) >= self.goal.trials:
            return Wait()
        if not trials and self.plan.baseline and (values := self.plan.space.defaults()) is not None:
            return self._begun(values, DEFAULT, {})
        points = [t for t in trials if kind_of(t) != DEFAULT or self.plan.space.holds(t.params)]
        found = draw(
            self.plan.space,
            self.plan.sampler,
            seed=self.plan.recipe.seed,
            place=sum(kind_of(t) != DEFAULT for t in trials),
            trials=points,
            directions=self.plan.directions,
        )
        if found is None:
            return Wait() if flying else Over(f"every point of the space was tried, {len(points):,} in all")
        return self._begun(found[0], "trial", found[1])

    def release(self, claim: Claim) -> None:
        """Leave a trial that was not ended to whoever asks next."""

        def leave() -> None:
            if self.owns(claim):
                self._storage.set_trial_state_values(claim.id, TrialState.WAITING)

        self._in_turn(leave)

    def tell(self, claim: Claim, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """End a trial; False where another worker has taken it over meanwhile."""
        asked = False

        def end() -> bool:
            nonlocal asked
            trial = self._storage.get_trial(claim.id)
            if asked and trial.state == state and self._is_mine(trial):
                return True  # it was written before the turn was lost
            asked = True
            if not self.owns(claim):
                return False
            self._storage.set_trial_state_values(claim.id, state, values)
            return True

        return self._in_turn(end)

    def owns(self, claim: Claim) -> bool:
        """Whether this process is still the one at work on a trial."""
        trial = self._storage.get_trial(claim.id)
        return self._is_mine(trial) and trial.state == TrialState.RUNNING

    def _is_mine(self, trial: FrozenTrial) -> bool:
        return trial.system_attrs.get(OWNER) == this_process().as_attribute()

    def _in_turn(self, act: Callable[[], T]) -> T:
        """Do something while no other worker does; again where the server lost the turn in the middle of it."""
        while True:
            try:
                with self.study.store.exclusive():
                    return act()
            except LostLock:
                continue

    @property
    def _storage(self) -> BaseStorage:
        return self.study.store.storage

    def _check_same(self) -> None:
        """Refuse to go on with a study that another command has widened since.

        A worker between two trials has none that keeps others from it.
        """
        if self._is_left() or self.study.facts().get("name") != self.plan.name:
            raise SandboxError(
                f"the study {self.study.folder.name} searches something else now; give it the new command"
            )

    def _is_left(self) -> bool:
        """Whether a wider study goes on from this one, and is whole."""
        name = self._storage.get_study_system_attrs(self.study.id).get(WIDER)
        if name is None:
            return False
        ids = [study._study_id for study in self._storage.get_all_studies() if study.study_name == name]
        return any(FACTS in self._storage.get_study_system_attrs(wider) for wider in ids)

    def _wanted(self, trial: FrozenTrial, trials: Sequence[FrozenTrial]) -> bool:
        """Whether a trial that was left may begin again: there is time, and it would not be one more than asked for."""
        if kind_of(trial) == DEFAULT or (trial.state == TrialState.RUNNING and self._is_mine(trial)):
            return True
        counted = _counted(trials)
        others = len(counted) + sum(t.number != trial.number for t in _flying(trials))
        return others < self.goal.trials and not self._enough(counted)

    def _adopted(self, trial: FrozenTrial) -> Claim | None:
        """A trial that was stopped, or whose worker is gone, as this worker's; one that gets nowhere fails.

        A worker that asks for a trial is at none. One that is its own is of a turn that was lost after it was written.
        """
        if trial.state == TrialState.RUNNING:
            if not self._is_mine(trial) and (not self.watcher.gone(trial) or self._dies_again(trial)):
                return None
        elif trial.state != TrialState.WAITING:
            return None
        toml = trial.system_attrs.get(RECIPE)
        storage = self._storage
        if not isinstance(toml, str):  # of an earlier version, which tried its point again as another trial
            if trial.state == TrialState.RUNNING:
                storage.set_trial_user_attr(trial._trial_id, "failed", "interrupted")
                storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
                return None
            toml = self._enqueued(trial)
            if toml is None:
                return None
            trial = storage.get_trial(trial._trial_id)
        storage.set_trial_system_attr(trial._trial_id, OWNER, this_process().as_attribute())
        if trial.state == TrialState.WAITING:
            storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING)
        recipe = from_toml(toml, source=f"trial {trial.number}", kinds=data_kinds())
        return Claim(trial._trial_id, trial.number, values_of(trial), recipe, kind_of(trial), True)

    def _dies_again(self, trial: FrozenTrial) -> bool:
        """Count that a worker was gone; whether that was once too often, as with a trial that needs too much memory."""
        before = trial.system_attrs.get(DEATHS)
        looks = len(trial.intermediate_values)
        count = before["count"] + 1 if isinstance(before, dict) and before.get("looks") == looks else 1
        self._storage.set_trial_system_attr(trial._trial_id, DEATHS, {"count": count, "looks": looks})
        if count < _MOST_DEATHS:
            return False
        why = f"its worker died {count} times without getting further"
        self._storage.set_trial_user_attr(trial._trial_id, "why", why)
        self._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
        return True

    def _enqueued(self, trial: FrozenTrial) -> str | None:
        """The recipe of a point that was enqueued through Optuna, which becomes one of the space's; None elsewhere."""
        values = trial.system_attrs.get("fixed_params")
        if not isinstance(values, dict) or not self.plan.space.holds(values):
            return None
        for name, one in self.plan.space.distributions.items():
            self._storage.set_trial_param(trial._trial_id, name, one.to_internal_repr(values[name]), one)
        toml = to_toml(self.plan.space.fill(values))
        self._storage.set_trial_system_attr(trial._trial_id, RECIPE, toml)
        return toml

    def _begun(self, values: dict[str, Any], kind: str, kept: dict[str, Any]) -> Claim:
        """A new trial with its point, its recipe and its worker, written at once."""
        space = self.plan.space
        recipe = space.fill(values)
        inside = space.holds(values)
        system = {**kept, OWNER: this_process().as_attribute(), BEAT: 0, RECIPE: to_toml(recipe), KIND: kind}
        template = create_trial(
            state=TrialState.RUNNING,
            params=values if inside else {},
            distributions=space.distributions if inside else {},
            user_attrs={"objective": recipe.loss} | ({"kind": kind} if kind == DEFAULT else {}),
            system_attrs=system | ({} if inside else {VALUES: values}),
        )
        template.datetime_start, template.datetime_complete = datetime.now(), None
        trial_id = self._storage.create_new_trial(self.study.id, template_trial=template)
        return Claim(trial_id, self._storage.get_trial(trial_id).number, values, recipe, kind, False)

    def _enough(self, counted: Sequence[FrozenTrial]) -> str:
        """Why the study should end before all its trials are over; empty where it should not."""
        if time.time() >= self.goal.until:
            return "its time is up"
        if self.goal.patience:
            since = without_better(counted, self.plan.lower[0])
            if since >= self.goal.patience:
                return f"no better value in {since} trials"
        return ""


def _counted(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    return [t for t in trials if t.state in OVER and kind_of(t) != DEFAULT]


def _flying(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    return [t for t in trials if t.state == TrialState.RUNNING and kind_of(t) != DEFAULT]


def without_better(counted: Sequence[FrozenTrial], lower: bool) -> int:
    """Trials that ended after the best one did; 0 where none is complete."""
    ended = sorted(counted, key=lambda t: (t.datetime_complete or datetime.max, t.number))
    complete = [t for t in ended if t.state == TrialState.COMPLETE and feasible(t)]
    if not complete:
        return 0
    best = min(complete, key=lambda t: (t.values[0] if lower else -t.values[0], ended.index(t)))
    return len(ended) - 1 - ended.index(best)
