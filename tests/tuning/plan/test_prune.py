"""When the pruners cut a trial."""

from __future__ import annotations

import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from sandbox.errors import SandboxError
from sandbox.tuning.plan.prune import PRUNERS, check_pruner, is_hopeless

STEPS, EVERY = 100, 10


def trials(*finals: float) -> list[FrozenTrial]:
    """Complete trials that climb to their figure."""
    made = [
        create_trial(value=final, intermediate_values={s: final * s / STEPS for s in range(EVERY, STEPS + 1, EVERY)})
        for final in finals
    ]
    for number, trial in enumerate(made):
        trial.number = number
    return made


def running(number: int, values: dict[int, float]) -> FrozenTrial:
    trial = create_trial(state=TrialState.RUNNING, intermediate_values=values)
    trial.number = number
    return trial


def cut(name: str, before: list[FrozenTrial], values: dict[int, float], lower: bool = False) -> bool:
    now = running(len(before), values)
    return is_hopeless(name, [*before, now], now.number, study="mine", lower=lower, steps=STEPS, every=EVERY)[0]


GOOD = (0.5, 0.6, 0.7, 0.8, 0.9)
POOR = {10: 0.01, 20: 0.01, 30: 0.01, 40: 0.01}


def test_the_median_cuts_who_is_behind_after_a_third_and_five_trials() -> None:
    assert cut("median", trials(*GOOD), POOR)
    assert not cut("median", trials(*GOOD), {10: 0.01, 20: 0.01}), "who is behind early often ends ahead"
    assert not cut("median", trials(*GOOD[:4]), POOR), "of four nothing follows"
    assert not cut("median", trials(*GOOD), {**POOR, 40: 0.9})
    assert cut("median", trials(*GOOD), {10: 0.9, 40: 0.9}, lower=True)


def test_patience_lets_a_trial_stand_still_for_a_while() -> None:
    assert not cut("patient", trials(*GOOD), {10: 0.01, 20: 0.02, 30: 0.03, 40: 0.04})
    assert cut("patient", trials(*GOOD), {10: 0.05, 20: 0.04, 30: 0.03, 40: 0.02})


def test_wilcoxon_compares_run_by_run() -> None:
    before = [create_trial(value=0.8, intermediate_values={run: 0.8 + 0.01 * run for run in range(8)})]
    assert cut("wilcoxon", before, {run: 0.2 + 0.01 * run for run in range(6)})
    assert not cut("wilcoxon", before, {run: 0.9 + 0.01 * run for run in range(6)})
    with pytest.raises(SandboxError, match="needs 5 runs"):
        check_pruner("wilcoxon", 4)


def test_none_cuts_nothing() -> None:
    assert not cut("none", trials(*GOOD), POOR)


def test_hyperband_keeps_its_rungs_with_the_trial() -> None:
    before: list[FrozenTrial] = []
    cuts = []
    for number in range(30):
        now = running(number, {})
        ended = False
        for step in range(EVERY, STEPS + 1, EVERY):
            now.intermediate_values[step] = 0.1 + 0.8 * (number % 3) / 2
            done, kept = is_hopeless(
                "hyperband", [*before, now], number, study="mine", lower=False, steps=STEPS, every=EVERY
            )
            for key, value in kept.items():
                assert key.startswith("completed_rung")
                now.system_attrs.update({key: value})
            if done:
                ended = True
                break
        cuts.append(ended)
        state = TrialState.PRUNED if ended else TrialState.COMPLETE
        over = create_trial(
            state=state,
            value=None if ended else 0.5,
            intermediate_values=now.intermediate_values,
            system_attrs=now.system_attrs,
        )
        over.number = number
        before.append(over)
    poor = [c for n, c in enumerate(cuts) if n % 3 == 0]
    rich = [c for n, c in enumerate(cuts) if n % 3 == 2]
    assert sum(poor) > sum(rich) and any(cuts)


def test_every_name_is_known() -> None:
    for name in PRUNERS:
        cut(name, trials(*GOOD), {10: 0.5, 40: 0.5})
