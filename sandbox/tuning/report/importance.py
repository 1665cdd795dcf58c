"""Which parameters good trials agree on: PED-ANOVA, beside what it finds where there is nothing to find."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from sandbox.errors import SandboxError
from sandbox.objectives.language import Tune, parse_value
from sandbox.tuning.study.record import DEFAULT, StudyRecord, TrialRecord
from sandbox.wording import counted

FEWEST = 15
"""Complete trials below which nothing is said."""
_TOP = 5  # trials among the good ones at least, as Optuna advises
_SHUFFLES = 100


@dataclass(frozen=True)
class Importance:
    """How far the good trials differ from all, in each parameter."""

    shares: dict[str, float]
    """Parameter -> its share of the whole, most first; they add up to 1."""
    chance: dict[str, float]
    """Parameter -> what 95 of 100 shuffles of the figures stay below, in the unit of the shares."""
    top: int
    """Trials that are called good."""
    trials: int
    """Complete trials in all."""


def importance(record: StudyRecord) -> Importance | str:
    """PED-ANOVA of the first monitor (Watanabe et al., IJCAI 2023), or the sentence that says why there is none.

    The default trial is left out: it was not drawn. Of fewer than 50 trials the best five are the good ones, else the
    best tenth.
    """
    kept = [
        t
        for t in record.trials
        if t.state == "complete" and t.kind != DEFAULT and t.values and np.isfinite(t.values[0])
    ]
    names = [name for name in record.search if len({str(t.params[name]) for t in kept if name in t.params}) > 1]
    if len(record.search) == 1:
        return "Only one parameter is searched, so there is nothing to weigh it against."
    if len(kept) < FEWEST:
        count = counted(len(kept), "complete trial is", "complete trials are")
        return f"{count} too few to tell which parameters matter; from {FEWEST} on it is shown."
    if not names:
        return "No parameter took two values among the complete trials, so nothing can be said of any."
    sign = 1.0 if record.lower[0] else -1.0
    losses = np.array([sign * t.values[0] for t in kept])
    study, top = _study(record, kept, names), max(_TOP, math.ceil(0.1 * len(kept)))
    found = _divergences(study, names, losses, top / len(kept))
    total = sum(found.values())
    if np.sort(losses)[top - 1] == losses.max() or total <= 0:
        return f"Too many of the {len(kept)} complete trials have the same figure to tell which parameters matter."
    random = np.random.default_rng(0)
    by_chance = [_divergences(study, names, random.permutation(losses), top / len(kept)) for _ in range(_SHUFFLES)]
    order = sorted(names, key=lambda name: -found[name])
    return Importance(
        {name: found[name] / total for name in order},
        {name: float(np.quantile([one[name] for one in by_chance], 0.95)) / total for name in order},
        int((losses <= np.sort(losses)[top - 1]).sum()),
        len(kept),
    )


def _divergences(study: optuna.Study, names: list[str], losses: np.ndarray, share: float) -> dict[str, float]:
    """Pearson's divergence between the best share of the trials and all of them, for each parameter."""
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=share - 1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a target is minimised, which is meant
        return optuna.importance.get_param_importances(
            study,
            evaluator=evaluator,
            params=names,
            target=lambda trial: float(losses[trial.number]),
            normalize=False,
        )


def _study(record: StudyRecord, trials: list[TrialRecord], names: list[str]) -> optuna.Study:
    """The complete trials as a study in memory, numbered from 0."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    spaces = {
        name: _distribution(record.search[name], [t.params[name] for t in trials if name in t.params]) for name in names
    }
    study = optuna.create_study()
    for trial in trials:
        held = {name: space for name, space in spaces.items() if name in trial.params}
        params = {name: _held(trial.params[name], space) for name, space in held.items()}
        study.add_trial(optuna.create_trial(state=TrialState.COMPLETE, value=0.0, params=params, distributions=held))
    return study


def read_range(text: str) -> Tune:
    """What a range says, as far as it can be read; else an empty mark, of which the trials tell the ends."""
    try:
        mark = parse_value(text)
    except SandboxError:
        return Tune()
    return mark if isinstance(mark, Tune) else Tune()


def _distribution(text: str, values: list[Any]) -> BaseDistribution:
    """The range as Optuna has it, wide enough for every value: a study that was widened has some from elsewhere."""
    mark = read_range(text)
    if mark.choices or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return CategoricalDistribution(list(dict.fromkeys([*map(str, mark.choices), *map(str, values)])))
    ends = [end for end in (mark.low, mark.high) if end is not None]
    low, high = min([*ends, *values]), max([*ends, *values])
    if all(isinstance(value, int) for value in values):
        return IntDistribution(math.floor(low), math.ceil(high), log=mark.log and low >= 1)
    return FloatDistribution(float(low), float(high), log=mark.log and low > 0)


def _held(value: Any, space: BaseDistribution) -> Any:
    return str(value) if isinstance(space, CategoricalDistribution) else value
