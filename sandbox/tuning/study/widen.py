"""A study goes on with a wider search: its trials that lie in the new space are taken over."""

from __future__ import annotations

from typing import Any

from optuna.trial import FrozenTrial, TrialState, create_trial

from sandbox.errors import SandboxError
from sandbox.objectives.language import Tune, parse_value
from sandbox.recipe.text import from_toml
from sandbox.tuning.plan.plan import Plan
from sandbox.tuning.study.attributes import VALUES, WIDER, kind_of, values_of
from sandbox.tuning.study.heartbeat import Watcher
from sandbox.tuning.study.study import Study
from sandbox.wording import counted


def widened(study: Study, plan: Plan, before: dict[str, Any]) -> Study:
    """The study that goes on from another one under its name, with every trial of it.

    Optuna's studies keep their ranges, so it is a new one there, with a number behind its name.

    Args:
        study: as it is.
        plan: what is to be searched now.
        before: the facts of the study.

    Raises:
        SandboxError: the new search is no wider one, or the study is being worked on.
    """
    why = _misfit(plan, before)
    if why:
        raise SandboxError(
            f"the study {study.folder.name} searches something else ({before.get('command', '?')}): {why}; "
            "give this one another --study"
        )
    trials = study.trials()
    watcher = Watcher()
    if any(t.state == TrialState.RUNNING and not watcher.gone(t) for t in trials):
        raise SandboxError(f"the study {study.folder.name} is being worked on; widen it when its workers are done")
    storage, place = study.store.storage, int(study.name.rpartition(" ~")[2]) if " ~" in study.name else 1
    name = f"{study.folder.name} ~{place + 1}"
    for half in storage.get_all_studies():
        if half.study_name == name:  # of a process that was killed as it copied: facts come last
            storage.delete_study(half._study_id)
    new_id = storage.create_new_study(plan.directions, study_name=name)
    for trial in trials:
        storage.create_new_trial(new_id, template_trial=_taken_over(trial, plan))
    storage.set_study_system_attr(study.id, WIDER, name)
    inside = sum(plan.space.holds(values_of(trial)) for trial in trials)
    note = f"the search is a wider one now; {inside} of {counted(len(trials), 'trial lies', 'trials lie')} in it"
    return Study(study.store, new_id, name, study.folder, (*study.notes, note))


def _misfit(plan: Plan, before: dict[str, Any]) -> str:
    """Why the new search is no wider one than that before; empty where it is."""
    if before.get("identity") != plan.identity:
        return "another recipe, goal or option"
    earlier = {str(name): parse_value(str(text)) for name, text in before.get("search", {}).items()}
    now = plan.space.marks
    if earlier.keys() != now.keys():
        return "other values are searched"
    for name, mark in earlier.items():
        if not isinstance(mark, Tune) or not _covers(now[name], mark):
            return f"{name} in {now[name]} does not hold all of {mark}"
    some = {name: mark.choices[0] if mark.choices else mark.low for name, mark in earlier.items()}
    old = Plan(
        recipe=from_toml(str(before.get("recipe", "")), kinds={plan.recipe.data.name: type(plan.recipe.data)}),
        search=tuple(before.get("settings", ())),
    )
    same = old.space.fill(some).loss == plan.space.fill(some).loss
    return "" if same else "the rest of the objective is another"


def _covers(wide: Tune, narrow: Tune) -> bool:
    if bool(wide.choices) != bool(narrow.choices) or wide.log != narrow.log:
        return False
    if wide.choices:
        return all(any(type(c) is type(d) and c == d for d in wide.choices) for c in narrow.choices)
    assert wide.low is not None and wide.high is not None and narrow.low is not None and narrow.high is not None
    return wide.low <= narrow.low and narrow.high <= wide.high


def _taken_over(trial: FrozenTrial, plan: Plan) -> FrozenTrial:
    """A trial as the new space has it; one that was stopped waits on."""
    values = values_of(trial)
    inside = plan.space.holds(values)
    state = TrialState.WAITING if trial.state == TrialState.RUNNING else trial.state
    copy = create_trial(
        state=state,
        values=trial.values if state == TrialState.COMPLETE else None,
        params=values if inside else {},
        distributions=plan.space.distributions if inside else {},
        user_attrs=trial.user_attrs,
        system_attrs={key: value for key, value in trial.system_attrs.items() if key != VALUES}
        | ({} if inside else {VALUES: values}),
        intermediate_values=trial.intermediate_values,
    )
    assert kind_of(copy) == kind_of(trial)
    copy.datetime_start, copy.datetime_complete = trial.datetime_start, trial.datetime_complete
    return copy
