"""Whether a trial is worth going on with, by the trials before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, PatientPruner, WilcoxonPruner
from optuna.trial import FrozenTrial, TrialState, create_trial

from sandbox.errors import SandboxError
from sandbox.tuning.plan.draw import quiet

PRUNERS = ("median", "none", "hyperband", "patient", "wilcoxon")
_STARTUP = 5
"""Complete trials before the first is cut."""
_WARMUP = 0.3
"""Share of a trial's steps in which none is cut: who is behind at the first look often ends ahead."""
_PATIENCE = 2
"""patient: looks without a better value before the median is asked."""


def check_pruner(name: str, runs: int) -> None:
    """Refuse a pruner that has nothing to go by.

    Raises:
        SandboxError: says why.
    """
    if name == "wilcoxon" and runs < 5:
        raise SandboxError(
            f"--pruner wilcoxon compares trials run by run and needs 5 runs of each, but here there are {runs}; "
            "give --folds or --trial_seeds, or take median"
        )


def is_hopeless(
    name: str, trials: Sequence[FrozenTrial], number: int, *, study: str, lower: bool, steps: int, every: int
) -> tuple[bool, dict[str, Any]]:
    """Whether a running trial should be cut, and what the pruner wants to be kept with it.

    Args:
        name: one of `PRUNERS`.
        trials: all so far, the running one with its values so far.
        number: of the running one.
        study: name of the study, by which hyperband deals trials out.
        lower: whether less is better.
        steps: of a whole trial.
        every: steps between two looks.
    """
    if name == "none":
        return False, {}
    with quiet():
        copy = optuna.create_study(study_name=study, direction="minimize" if lower else "maximize")
        copy.add_trials([_first_figure(trial) for trial in sorted(trials, key=lambda trial: trial.number)])
        place = [trial.number for trial in sorted(trials, key=lambda trial: trial.number)].index(number)
        before = copy.get_trials(deepcopy=False)[place]
        kept = dict(before.system_attrs)
        cut = _pruner(name, steps, every).prune(copy, before)
        after = copy.get_trials(deepcopy=False)[place].system_attrs
    return cut, {key: value for key, value in after.items() if kept.get(key) != value}


def _pruner(name: str, steps: int, every: int) -> BasePruner:
    if name == "hyperband":
        return HyperbandPruner(min_resource=max(1, every), max_resource=max(1, steps))
    if name == "wilcoxon":
        return WilcoxonPruner(p_threshold=0.1)
    median = MedianPruner(n_startup_trials=_STARTUP, n_warmup_steps=int(_WARMUP * steps))
    if name == "patient":
        return PatientPruner(median, patience=_PATIENCE)
    return median if name == "median" else NopPruner()


def _first_figure(trial: FrozenTrial) -> FrozenTrial:
    complete = trial.state == TrialState.COMPLETE and trial.values is not None
    return create_trial(
        state=trial.state,
        value=trial.values[0] if complete else None,
        intermediate_values=trial.intermediate_values,
        system_attrs={k: v for k, v in trial.system_attrs.items() if k.startswith("completed_rung")},
    )
