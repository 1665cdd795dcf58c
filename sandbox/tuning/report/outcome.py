"""The chapters that say what came of it: the winner, the winner against the default, the front, the constraints."""

from __future__ import annotations

import re
from functools import partial

import numpy as np

from sandbox.evaluation.figures import lower_is_better
from sandbox.reporting.plots.study_history import Front, draw_front
from sandbox.tuning.report.document import Block, Cell, Chapter, Line, Picture, Table, Text
from sandbox.tuning.report.facts import spell_range
from sandbox.tuning.report.importance import read_range
from sandbox.tuning.report.points import drawn, monitor_values
from sandbox.tuning.study.record import DEFAULT, StudyRecord, TrialRecord
from sandbox.tuning.study.spelling import spell_figure, spell_parameter, spell_parameters, trial_name, why
from sandbox.wording import counted, first_names

MINUS = "\u2212"
NO_RESULT = (
    "It was chosen as the best of many on the same images, so this figure flatters it and is no result. "
    "Train it again on fresh seeds before you trust or report it."
)


def winner(record: StudyRecord) -> Chapter:
    """The best trial, its parameters and the command that trains it."""
    best = record.best()
    if best is None:
        return Chapter("The best trial", [Text(_without_best(record))])
    complete = counted(len(record.complete()), "complete trial", "complete trials")
    meeting = " that meet every constraint" if any(t.constraints for t in record.trials) else ""
    text = (
        f"Trial {best.number} is the best of {complete}{meeting}, by {record.judge} {record.monitors[0]}: "
        f"{spell_figure(best.values[0])}{_runs(best)}."
    )
    rows = [[name, spell_parameter(value), _range(record, name)] for name, value in best.params.items()]
    blocks: list[Block] = [Text(text), Text(NO_RESULT), Table(["parameter", "best", "range"], rows)]
    if at_end := [name for name in best.params if _at_end(record, name, best.params[name])]:
        those = "lies at an end of its range" if len(at_end) == 1 else "lie at an end of their ranges"
        blocks.append(Text(f"{first_names(at_end)} {those}: a better value may lie beyond."))
    if best.line:
        blocks += [Text("This trains the same trial again:"), Line(best.line)]
        blocks += [Text("This trains it on five fresh seeds:"), Line(fresh_line(record, best))]
    else:
        blocks.append(Text("Its run.py command is not recorded."))
    return Chapter("The best trial", blocks)


def fresh_line(record: StudyRecord, best: TrialRecord) -> str:
    """The command of a trial with five seeds that no trial has seen."""
    seeds = [int(seed) for trial in record.trials for seed in re.findall(r" --seed (\d+)", trial.line)]
    seeds += [seed for seed in [record.protocol.get("seed")] if isinstance(seed, int)]
    own = record.protocol.get("trial_seeds")
    first = max(seeds, default=0) + (own if isinstance(own, int) and own > 0 else 1)
    return f"{re.sub(r' --seeds? [0-9]+', '', best.line)} --seed {first} --seeds 5"


def against_default(record: StudyRecord) -> Chapter:
    """The figures of the best and the default side by side."""
    title, best, default = "Tuned against default", record.best(), record.default()
    if default is None:
        found = next((trial for trial in record.trials if trial.kind == DEFAULT), None)
        if found is None:
            return Chapter(title, [Text("The study has no trial of the default values.")])
        reason = f": {why(found)}" if why(found) else ""
        return Chapter(title, [Text(f"The default trial has no figure; its state is {found.state}{reason}.")])
    if best is None:
        known = f"The default reaches {record.monitors[0]} {spell_figure(default.values[0])}{_runs(default)}."
        return Chapter(title, [Text(f"{known} There is no best trial to set against it."), *_broken(default)])
    ours, others = _figures(record, best), _figures(record, default)
    lower = dict(zip(record.monitors, record.lower, strict=True))
    rows: list[list[Cell | str]] = []
    for key in (key for key in ours if key in others):
        better = ours[key] < others[key] if lower.get(key, lower_is_better(key)) else ours[key] > others[key]
        word = "same" if ours[key] == others[key] else "better" if better else "worse"
        figures = [spell_figure(others[key]), spell_figure(ours[key]), _signed(ours[key] - others[key])]
        rows.append([key, *figures, word])
    head = [record.judge, f"default, trial {default.number}", f"best, trial {best.number}", "difference", "the best is"]
    text = (
        f"One trial each (default {_count(default)}, best {_count(best)}), and the best was chosen for its figure, the "
        "default was not: the difference is too large by what the choice gains. Retrain both on fresh seeds to know it."
    )
    return Chapter(title, [Table(head, rows), Text(text), *_broken(default)])


def front(record: StudyRecord) -> Chapter | None:
    """Of several monitors, the trials that no other one beats."""
    if len(record.monitors) < 2:
        return None
    title, kept = "The front", record.front()
    values, trials = monitor_values(record)
    if not trials:
        return Chapter(title, [Text("No trial is complete, so there is no front.")])
    default, numbers = record.default(), {trial.number for trial in kept}
    complete = counted(len(record.complete()), "complete trial", "complete trials")
    text = (
        f"{counted(len(kept), 'trial is', 'trials are')} on the front of {' and '.join(record.monitors)}: no other of "
        f"{complete} is as good in all of them and better in one. Pruning looked at the first alone."
        if kept
        else "No complete trial meets every constraint, so there is no front."
    )
    shown = Front(
        values,
        np.array([trial.number for trial in trials]),
        np.array([trial.number in numbers for trial in trials]),
        np.array([trial.feasible for trial in trials]),
        record.monitors,
        record.lower,
        default.values if default else None,
        record.judge,
    )
    png, _ = drawn(partial(draw_front, shown))
    rows = [[trial_name(trial), *map(spell_figure, trial.values), spell_parameters(trial.params)] for trial in kept]
    blocks: list[Block] = [
        Text(text),
        Picture([png], [text], f"n = {counted(len(trials), 'complete trial', 'complete trials')}."),
    ]
    return Chapter(title, [*blocks, Table(["trial", *record.monitors, "parameters"], rows)] if rows else blocks)


def constraints(record: StudyRecord) -> Chapter | None:
    """Which constraints were broken, by how many, and how far at most."""
    known = [trial for trial in record.trials if trial.constraints and trial.kind != DEFAULT]
    if not known:
        return None
    rows = []
    for name in dict.fromkeys(name for trial in known for name in trial.constraints):
        by = [float(trial.constraints[name]) for trial in known if name in trial.constraints]
        broken = [value for value in by if not value <= 0]
        rows.append([name, f"{len(by) - len(broken)} of {len(by)}", spell_parameter(max(broken)) if broken else ""])
    return Chapter("Constraints", [Table(["constraint", "met by trials", "broken by at most"], rows)])


def _broken(default: TrialRecord) -> list[Text]:
    return [] if default.feasible else [Text(f"The default {why(default)}.")]


def _without_best(record: StudyRecord) -> str:
    complete = [t for t in record.trials if t.state == "complete" and t.kind != DEFAULT]
    if complete:
        return (
            f"There is none: of {counted(len(complete), 'complete trial', 'complete trials')} each breaks a constraint."
        )
    over = sum(trial.state in ("pruned", "failed") and trial.kind != DEFAULT for trial in record.trials)
    return f"There is none: no trial is complete, {over} pruned or failed."


def _figures(record: StudyRecord, trial: TrialRecord) -> dict[str, float]:
    """Monitors first, then what else was reported."""
    return {**dict(zip(record.monitors, trial.values, strict=False)), **trial.figures}


def _count(trial: TrialRecord) -> str:
    return f"n = {counted(max(len(trial.runs), 1), 'run', 'runs')}"


def _runs(trial: TrialRecord) -> str:
    return f", the mean of {len(trial.runs)} runs" if len(trial.runs) > 1 else ", of one run"


def _range(record: StudyRecord, name: str) -> str:
    return spell_range(record.search[name]) if name in record.search else "not searched any more"


def _signed(difference: float) -> str:
    return f"{'+' if difference >= 0 else MINUS}{spell_figure(abs(difference))}"


def _at_end(record: StudyRecord, name: str, value: object) -> bool:
    """Whether a number lies within a fiftieth of its range of one of the ends."""
    mark = read_range(record.search.get(name, ""))
    if mark.low is None or mark.high is None or not isinstance(value, int | float) or isinstance(value, bool):
        return False
    low, high, at = float(mark.low), float(mark.high), float(value)
    if mark.log and min(low, at) > 0:
        low, high, at = (float(np.log(end)) for end in (low, high, at))
    return high > low and min(at - low, high - at) <= 0.02 * (high - low)
