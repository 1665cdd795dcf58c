"""What a study and its trials keep beside their values, by which names, and what is read from it."""

from __future__ import annotations

from typing import Any

from optuna.trial import FrozenTrial, TrialState

FACTS = "sandbox:facts"
"""System attribute of a study: what its plan was."""
WIDER = "sandbox:wider"
"""System attribute of a study: the name of the one that goes on from it."""
RECIPE, KIND, VALUES = "sandbox:recipe", "sandbox:kind", "sandbox:values"
"""System attributes of a trial: its recipe as TOML, whether it is the default, and the values of a default that lies
outside the space."""
LINE = "sandbox:line"
"""System attribute of a trial: the run.py command that trains it again."""
OVER = (TrialState.COMPLETE, TrialState.PRUNED)
"""States of trials that count."""


def feasible(trial: FrozenTrial) -> bool:
    """Whether a trial keeps to every constraint that was judged."""
    return all(value <= 0 for value in trial.constraints.values())


def kind_of(trial: FrozenTrial) -> str:
    """`DEFAULT`, or trial."""
    return str(trial.system_attrs.get(KIND, "trial"))


def values_of(trial: FrozenTrial) -> dict[str, Any]:
    """Everything that is searched, of a default that lies outside the space too."""
    outside = trial.system_attrs.get(VALUES)
    return dict(outside) if isinstance(outside, dict) else dict(trial.params)
