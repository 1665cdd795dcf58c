"""What is said of a study on the terminal: its plan before it starts, and what it found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.called import called
from sandbox.cli.say import say
from sandbox.cli.study.progress import short_values
from sandbox.errors import SandboxError
from sandbox.evaluation.figures import printed_name
from sandbox.tuning.study.spelling import spell_parameter, spell_seconds
from sandbox.wording import counted

if TYPE_CHECKING:
    from sandbox.tuning.plan.plan import Plan
    from sandbox.tuning.search.cost import Cost
    from sandbox.tuning.study.record import StudyRecord

_TIME = re.compile(r"(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?:in)?)?(?:(\d+(?:\.\d+)?)s?)?")


def read_duration(flag: str, text: str) -> float:
    """Seconds of a time such as 2h, 1h30m, 45m or 90s.

    Raises:
        SandboxError: it is none, or none above 0.
    """
    match = _TIME.fullmatch(text.strip().lower())
    parts = match.groups() if match else ()
    seconds = sum(float(part) * unit for part, unit in zip(parts, (86400, 3600, 60, 1), strict=False) if part)
    if not seconds > 0:
        raise SandboxError(f"{flag} is '{text}', but is a time above 0, such as 2h, 1h30m, 45m or 90s")
    return seconds


def say_plan(plan: Plan, cost: Cost, folder: Path, workers: int) -> None:
    """What is searched, by what means, and what a trial costs."""
    defaults = plan.space.defaults() or {}
    say(f"study {folder.name}")
    width = max(map(len, plan.space.marks))
    for name, mark in plan.space.marks.items():
        told = f"one of {', '.join(map(str, mark.choices))}" if mark.choices else _range(mark.low, mark.high, mark.log)
        say(
            f"  {name:<{width}}  {told}"
            + (f"   (default {spell_parameter(defaults[name])})" if name in defaults else "")
        )
    if plan.baseline:
        lies = "" if not defaults or plan.space.holds(defaults) else "; it lies outside what is searched"
        say(f"  the default is trained first and counts as no trial{lies}" if defaults else _no_default(plan))
    goals = " and ".join(map(printed_name, plan.goals))
    limits = f", subject to {' and '.join(map(str, plan.limits))}" if plan.limits else ""
    say(f"reaching for {goals} of {plan.judge}{limits}; sampler {plan.sampler}, pruner {plan.pruner}")
    runs = f" in each of {cost.runs} runs" if cost.runs > 1 else ""
    threads = f" on {counted(cost.threads, 'thread', 'threads')}" if cost.threads else ""
    say(
        f"a trial: {cost.steps:,} steps of {cost.batch} images and {cost.validations} validations{runs}, "
        f"about {spell_seconds(cost.seconds)}{threads} by a few steps tried out"
        + (f"; {workers} workers" if workers > 1 else "")
    )


def _no_default(plan: Plan) -> str:
    return "  something searched has no default value, so none is trained beside the trials"


def _range(low: float | None, high: float | None, log: bool) -> str:
    return f"{low:g} to {high:g}" + (", log" if log else "")


def say_standing(record: StudyRecord, trials: int) -> None:
    """What is there already, where a study goes on."""
    over = [trial for trial in record.trials if trial.counts]
    if not record.trials:
        return
    kinds = [(state, sum(t.state == state for t in record.trials if t.kind == "trial")) for state in _ORDER]
    parts = ", ".join(f"{count} {state}" for state, count in kinds if count)
    best = record.best()
    told = f"; best {best.values[0]:.4f} (trial {best.number})" if best else ""
    say(f"going on: {len(over)} of {trials} trials are over" + (f" ({parts})" if parts else "") + told)


_ORDER = ("complete", "pruned", "failed", "running", "waiting", "interrupted")


def say_winner(record: StudyRecord, again: str) -> None:
    """The best trial as a run.py line, beside the default.

    Args:
        record: the study.
        again: the study's name or path, as other commands take it.
    """
    best, default = record.best(), record.default()
    if best is None:
        complete = [trial for trial in record.trials if trial.state == "complete" and trial.kind == "trial"]
        say("no trial meets every constraint" if complete else "no trial is complete yet")
        return
    if not best.line:
        raise SandboxError(
            f"the study {record.name} does not say how trial {best.number} was made: its command is gone"
        )
    of = sum(trial.counts for trial in record.trials)
    say(
        f"best on {record.judge}: {best.values[0]:.4f}, trial {best.number} ({short_values(best.params)}); "
        f"it is the best of {of}, so no result: train it on fresh seeds"
    )
    if default is not None:
        say(f"the default: {default.values[0]:.4f} on {record.judge} ({short_values(default.params)})")
    if len(record.monitors) > 1:
        say(f"the front, by {' and '.join(map(printed_name, record.monitors))}:")
        for trial in record.front():
            say(f"  trial {trial.number:>4}  {_values(trial.values)}   {short_values(trial.params)}")
    line = re.sub(r" --seed \d+", "", best.line)
    say(f"next: {line} --seed 1 --seeds 5")
    say(f"  or: {called('run')} --from {again} --seed 1 --seeds 5")
    say(f"      {called('tune')} report {again}")
    say(f"      {called('tune')} dashboard {again}")


def _values(values: Sequence[float]) -> str:
    return " ".join(f"{value:.4f}" for value in values)
