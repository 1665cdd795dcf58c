"""A worker: claims trials, trains them, tells what came of them, until nothing is left."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Sequence
from pathlib import Path

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from sandbox.errors import SandboxError
from sandbox.runs.checkpoints import remove_checkpoints
from sandbox.runs.folder import RunFolder
from sandbox.tuning.dashboard.shown import show_study, show_trial
from sandbox.tuning.plan.draw import DIVERGED
from sandbox.tuning.plan.plan import Plan
from sandbox.tuning.search.claims import Claim, Claims, Goal, Over, Wait
from sandbox.tuning.search.events import Ended, Event, TrialBegun, TrialOver, Waiting
from sandbox.tuning.search.trial import Lost, Outcome, Trial
from sandbox.tuning.search.trial_run import run_line
from sandbox.tuning.study.attributes import LINE, OVER, feasible, kind_of
from sandbox.tuning.study.heartbeat import beating
from sandbox.tuning.study.making import make_study
from sandbox.tuning.study.read import FIGURES, record_of
from sandbox.tuning.study.record import DEFAULT, TrialRecord
from sandbox.tuning.study.study import Study

_POLL = 1.0
_MOST_FAILURES = 5
_NOTHING_TRAINED = 10


def search(
    plan: Plan,
    goal: Goal,
    *,
    folder: Path,
    url: str = "",
    command: str = "",
    study: Study | None = None,
    pictures: bool = True,
) -> Generator[Event, None, None]:
    """Do trials until the study has as many as asked for; the same call goes on with it, from any process.

    Args:
        plan: what is searched.
        goal: when it is over.
        folder: the study's folder.
        url: of the database that the trials are kept in; the journal in the folder where empty.
        command: what a person typed, for the record.
        study: the study, where it is open already.
        pictures: draw each trial for the dashboard.

    Raises:
        SandboxError: the plan is refused, the study cannot be kept, or nothing can be trained.
    """
    study = study or make_study(plan, folder, url=url, command=command)
    yield from search_all([(plan, study)], goal, pictures=pictures)


def search_all(
    searches: Sequence[tuple[Plan, Study]], goal: Goal, *, pictures: bool = True
) -> Generator[Event, None, None]:
    """Do trials of several studies in turn, until each has as many as asked for.

    Args:
        searches: each plan with its study, which is open.
        goal: when each of them is over.
        pictures: draw each trial for the dashboard.

    Raises:
        SandboxError: as `search`.
    """
    for _, study in searches:
        show_study(study)
    left = [Claims(study, plan, goal) for plan, study in searches]
    failures, waits, whys = dict.fromkeys(range(len(left)), 0), False, dict[str, str]()
    places = {claims.study.folder: place for place, claims in enumerate(left)}
    while True:
        found = _next(left, whys)
        if isinstance(found, Over):
            yield Ended(found.why)
            return
        if isinstance(found, Wait):
            if not waits:
                yield Waiting()
            waits = True
            time.sleep(_POLL)
            continue
        waits = False
        claims, claim = found
        record = yield from _one(claims, claim)
        if record is None:
            continue
        show_trial(claims.study, record, claim.id, pictures=pictures)
        if record.number == 0:
            show_study(claims.study)  # its split is known from now on
        place = places[claims.study.folder]
        failures[place] = failures[place] + 1 if record.state == "failed" else 0
        trials = claims.study.trials()
        over = sum(t.state in OVER and kind_of(t) != DEFAULT for t in trials)
        yield TrialOver(claims.study.folder.name, record, over, _best(trials, claims.plan))
        _check_hope(trials, failures[place], record.why)


def _next(left: list[Claims], whys: dict[str, str]) -> tuple[Claims, Claim] | Wait | Over:
    """A trial of the study that has the fewest, so that what changes with the hour changes for all alike."""
    waiting = False
    for claims in sorted(left, key=lambda claims: len(claims.study.trials())):
        found = claims.next()
        if isinstance(found, Claim):
            return claims, found
        if isinstance(found, Wait):
            waiting = True
            continue
        left.remove(claims)
        if found.why:
            whys[claims.study.folder.name] = found.why
    if waiting:
        return Wait()
    several = len(whys) > 1 or len(set(whys.values())) > 1
    return Over("; ".join(f"{name}: {why}" for name, why in whys.items()) if several else "".join(whys.values()))


def _one(claims: Claims, claim: Claim) -> Generator[Event, None, TrialRecord | None]:
    """Train a trial and tell what came of it; None where another worker took it over."""
    steps = (claim.recipe.max_steps or 0) * claims.plan.runs
    storage = claims.study.store.storage
    told = False
    try:
        yield TrialBegun(claims.study.folder.name, claim.number, claim.kind, claim.values, steps, claim.adopted)
        with beating(storage, claim.id):
            if gpu := os.environ.get("CUDA_VISIBLE_DEVICES"):
                storage.set_trial_user_attr(claim.id, "gpu", gpu)
            outcome = yield from Trial(claims, claim).train()
            if not claims.owns(claim):
                raise Lost
            _keep(claims, claim, outcome)
        told = claims.tell(claim, outcome.state, outcome.values or None)
        if told and outcome.state == TrialState.PRUNED:
            for folder in outcome.folders:
                _close(folder, outcome.why)
    except (Lost, UpdateFinishedTrialError):  # the second where another has ended it already
        pass
    finally:
        if not told:
            claims.release(claim)
    return record_of(claims.study, storage.get_trial(claim.id)) if told else None


def _keep(claims: Claims, claim: Claim, outcome: Outcome) -> None:
    """Write what came of a trial beside its value, while it still may be written to."""
    storage = claims.study.store.storage
    storage.set_trial_system_attr(claim.id, LINE, run_line(claim.recipe))
    storage.set_trial_user_attr(claim.id, "seconds", round(outcome.seconds, 1))
    if outcome.folders:
        storage.set_trial_user_attr(claim.id, "runs", [folder.path.name for folder in outcome.folders])
    if outcome.why or "why" in storage.get_trial(claim.id).user_attrs:  # of a worker that died before it could tell
        storage.set_trial_user_attr(claim.id, "why", outcome.why)
    for key, value in outcome.figures.items():
        storage.set_trial_user_attr(claim.id, f"{FIGURES[claims.plan.judge]}{key}", value)
    if outcome.broken:
        for name, value in outcome.broken.items():
            storage.set_trial_system_attr(claim.id, f"constraints:{name}", value)
        storage.set_trial_system_attr(claim.id, "constraints", list(outcome.broken.values()))  # the dashboard's own


def _close(folder: RunFolder, why: str) -> None:
    """A run that was pruned is not gone on with."""
    if not folder.status().startswith("done"):
        folder.update(status=why)
        remove_checkpoints(folder)


def _best(trials: Sequence[FrozenTrial], plan: Plan) -> tuple[int, float] | None:
    complete = [t for t in trials if t.state == TrialState.COMPLETE and kind_of(t) != DEFAULT]
    found = [(t.values[0], t.number) for t in complete if feasible(t)]
    if not found:
        return None
    value, number = min(found, key=lambda row: (row[0] if plan.lower[0] else -row[0], row[1]))
    return number, value


def _check_hope(trials: Sequence[FrozenTrial], failures: int, why: str) -> None:
    """End a study that can come to nothing.

    Raises:
        SandboxError: nothing was ever trained, or trial after trial cannot run.
    """
    ended = [t for t in trials if t.state.is_finished()]
    if failures >= _MOST_FAILURES:
        raise SandboxError(f"{failures} trials in a row could not run, the last one so: {why}")
    idle = all(t.state == TrialState.FAIL or t.system_attrs.get(DIVERGED) for t in ended)
    if len(ended) >= _NOTHING_TRAINED and idle:
        raise SandboxError(f"none of {len(ended)} trials could be trained, the last one so: {why}")
