"""The chapters that say what was asked: the first figures, the space, and the protocol."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sandbox.tuning.plan.protocol import VALIDATION
from sandbox.tuning.report.document import Block, Chapter, Line, Table, Text
from sandbox.tuning.report.importance import read_range
from sandbox.tuning.study.record import DEFAULT, StudyRecord, TrialRecord
from sandbox.tuning.study.spelling import spell_figure, spell_parameter, spell_seconds
from sandbox.wording import counted

_STATES = ("complete", "pruned", "failed", "running", "waiting", "interrupted")


def lead(record: StudyRecord) -> list[tuple[str, str, str]]:
    """What a person looks for first."""
    best, default = record.best(), record.default()
    states = Counter(trial.state for trial in record.trials if trial.kind != DEFAULT)
    over, asked = states["complete"] + states["pruned"], record.protocol.get("trials")
    counts = ", ".join(f"{states[state]} {state}" for state in _STATES if states[state])
    time, _, missing = _total(record.trials).partition(", ")
    key = record.monitors[0]
    return [
        (f"best {key}", spell_figure(best.values[0]) if best else "none", f"trial {best.number}" if best else ""),
        (f"default {key}", spell_figure(default.values[0]) if default else "none", "the values without tuning"),
        ("trials complete or pruned", f"{over} of {asked}" if asked is not None else str(over), counts),
        ("time of all trials", time, missing),
    ]


def searched(record: StudyRecord) -> Chapter:
    """The objective and the ranges, and what was tried of each."""
    best, default = record.best(), next((trial for trial in record.trials if trial.kind == DEFAULT), None)
    trials = [trial for trial in record.trials if trial.kind != DEFAULT]
    rows = []
    for name, text in record.search.items():
        values = [trial.params[name] for trial in trials if name in trial.params]
        of_best, of_default = (_own(trial, name) for trial in (best, default))
        rows.append([name, spell_range(text), _tried(values), of_default, of_best])
    blocks: list[Block] = [Text("The objective, with what is searched marked by tune(...):"), Line(record.objective)]
    table = Table(["parameter", "range", "tried", "default", "best"], rows)
    return Chapter("What was searched", [*blocks, table] if rows else [*blocks, Text("No range is recorded.")])


def protocol(record: StudyRecord) -> Chapter:
    """How trials were made and judged, how many came of them, and the command."""
    names = [f"{key} ({'less' if low else 'more'} is better)" for key, low in _monitors(record)]
    states = Counter(trial.state for trial in record.trials if trial.kind != DEFAULT)
    rows = [["judged by", "; ".join(f"{record.judge} {name}" for name in names)]]
    rows += [[_WORDS.get(key, key.replace("_", " ")), _plain(value)] for key, value in record.protocol.items()]
    rows += [["trials", ", ".join(f"{states[state]} {state}" for state in _STATES if states[state]) or "none"]]
    default = next((trial for trial in record.trials if trial.kind == DEFAULT), None)
    rows += [["default trial", f"trial {default.number}, {default.state}, counts as none" if default else "none"]]
    rows += [["time of all trials", _total(record.trials)], ["from first start to last end", _wall(record.trials)]]
    text = f"Every figure here is of {meaning_of(record)}; the test images were not looked at."
    return Chapter(
        "How it was made", [Text(text), Table(["", ""], rows, facts=True), Text("The command:"), Line(record.command)]
    )


def meaning_of(record: StudyRecord) -> str:
    """What the figures of a study are of, for a reader."""
    if record.judge == VALIDATION:
        return VALIDATION
    return (
        f"the {record.judge}, which neither training nor stopping had seen, but for curves and trials that were "
        "pruned, whose figures are of the folds that stop a run"
    )


def spell_range(text: str) -> str:
    """A range in words, or as it is written where it is none.

    >>> spell_range("tune(0.0001, 1, log=True)"), spell_range("tune(['a', 'b'])")
    ('0.0001 to 1, logarithmic', 'a or b')
    """
    mark = read_range(text)
    if mark.choices:
        return " or ".join(map(str, mark.choices))
    if mark.low is None or mark.high is None:
        return text
    return f"{mark.low:g} to {mark.high:g}" + (", logarithmic" if mark.log else "")


_WORDS = {
    "seed": "seed of the study",
    "trial_seeds": "seeds of a trial",
    "steps": "steps of a run",
    "trials": "trials asked for",
}


def _monitors(record: StudyRecord) -> list[tuple[str, bool]]:
    return list(zip(record.monitors, record.lower, strict=True))


def _own(trial: TrialRecord | None, name: str) -> str:
    return spell_parameter(trial.params[name]) if trial and name in trial.params else ""


def _tried(values: list[Any]) -> str:
    """The least and the greatest of numbers, each other value with how often it was drawn."""
    if not values:
        return ""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        low, high = spell_parameter(min(values)), spell_parameter(max(values))
        return low if low == high else f"{low} to {high}"
    return ", ".join(f"{value} ({count})" for value, count in Counter(map(str, values)).most_common())


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items()) or "none"
    if isinstance(value, list | tuple):
        return "; ".join(map(_plain, value)) or "none"
    if value is None or value == "":
        return "none"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) and value >= 10_000 else str(value)


def _total(trials: Any) -> str:
    """The time of all trials that have one, and how many have none."""
    known = [trial.seconds for trial in trials if trial.seconds is not None]
    if not known:
        return "not recorded"
    missing = sum(trial.seconds is None for trial in trials)
    without = f", {counted(missing, 'trial', 'trials')} without a time" if missing else ""
    return spell_seconds(sum(known)) + without


def _wall(trials: Any) -> str:
    begun = [trial.started.timestamp() for trial in trials if trial.started]
    ended = [trial.ended.timestamp() for trial in trials if trial.ended]
    if not begun or not ended:
        return "not recorded"
    return spell_seconds(max(ended) - min(begun))
