"""What the report of a study says, in its order."""

from __future__ import annotations

from collections import Counter

from sandbox.reporting.plots.study_history import draw_history, draw_learning_curves, draw_spread
from sandbox.tuning.report.document import Cell, Chapter, Document, Picture, Table, Text
from sandbox.tuning.report.facts import lead, protocol, searched
from sandbox.tuning.report.importance import importance
from sandbox.tuning.report.outcome import against_default, constraints, front, winner
from sandbox.tuning.report.points import drawn, shown_trials, trial_points
from sandbox.tuning.report.space import contour, importance_chapter, parallel, slices
from sandbox.tuning.study.record import DEFAULT, StudyRecord
from sandbox.tuning.study.spelling import (
    parameter_names,
    spell_figure,
    spell_parameter,
    spell_parameters,
    spell_seconds,
    trial_name,
    value_of,
    why,
)
from sandbox.wording import counted


def study_document(record: StudyRecord) -> Document:
    """The whole report; a chapter that the study has nothing for is left out, or says so."""
    weighed = importance(record)
    found = [
        winner(record),
        against_default(record),
        searched(record),
        protocol(record),
        history(record),
        spread(record),
        front(record),
        constraints(record),
        importance_chapter(weighed),
        slices(record),
        contour(record, weighed),
        parallel(record),
        learning_curves(record),
        came_to_nothing(record),
        all_trials(record),
    ]
    return Document(f"Study {record.name}", lead(record), [chapter for chapter in found if chapter is not None])


def history(record: StudyRecord) -> Chapter:
    """Each trial's figure, and the best so far."""
    trials = shown_trials(record)
    if not trials:
        return Chapter("History", [Text("No trial is over yet.")])
    png, beyond = drawn(lambda path: draw_history(trial_points(record), path))
    alt = (
        f"{record.judge.capitalize()} {record.monitors[0]} of {counted(len(trials), 'trial', 'trials')} by their number"
    )
    caption = f"{counted(len(trials), 'trial is', 'trials are')} over, the default apart. " + _beyond(beyond, "trial")
    if any(trial.state == "pruned" for trial in trials):
        caption += " A pruned trial stands at the last figure of validation that it had, which is of an earlier step."
    return Chapter("History", [Picture([png], [alt], caption.strip())])


def spread(record: StudyRecord) -> Chapter | None:
    """The best against all trials."""
    found = record.complete()
    if len(found) < 3:
        return None
    values = sorted(float(trial.values[0]) for trial in found)
    median, best, second = values[len(values) // 2], found[0].values[0], found[1].values[0]
    if len(values) % 2 == 0:
        median = (values[len(values) // 2 - 1] + median) / 2
    text = (
        f"The best is {spell_figure(abs(best - median))} better than the median of {len(found)} complete trials and "
        f"{spell_figure(abs(best - second))} better than the second, trial {found[1].number}."
    )
    png, _ = drawn(lambda path: draw_spread(trial_points(record), path))
    caption = (
        "Where the points rise steeply at the right end, many trials are nearly as good: which one won is luck too."
    )
    return Chapter("The best against all trials", [Text(text), Picture([png], [text], caption)])


def learning_curves(record: StudyRecord) -> Chapter | None:
    """The curve of every trial that has one."""
    trials, default = shown_trials(record), record.default()
    count = sum(bool(trial.curve) for trial in trials)
    if not count:
        return None
    curves = [trial.curve for trial in trials]
    own = default.curve if default else None
    png, beyond = drawn(lambda path: draw_learning_curves(curves, trial_points(record), path, default=own))
    caption = f"{counted(count, 'trial has', 'trials have')} a curve. {_beyond(beyond, 'curve')}"
    if any(len(trial.runs) > 1 for trial in trials):
        caption += " The steps of all runs of a trial follow each other."
    alt = f"Validation {record.monitors[0]} over the steps of {counted(count, 'trial', 'trials')}"
    return Chapter("Learning curves", [Picture([png], [alt], caption.strip())])


def came_to_nothing(record: StudyRecord) -> Chapter:
    """Trials that failed, diverged, were pruned, were interrupted or break a constraint, and why."""
    title = "Trials that came to nothing, and why"
    rows: list[list[Cell | str]] = []
    states, defaults = Counter[str](), False
    for trial in record.trials:
        state = "broke a constraint" if trial.state == "complete" and not trial.feasible else trial.state
        if state not in ("failed", "pruned", "interrupted", "broke a constraint"):
            continue
        states[state] += 1
        defaults |= trial.kind == DEFAULT
        last = str(max(trial.curve)) if trial.curve else ""
        reason = why(trial) or "no reason is recorded"
        step = Cell(last, float(last) if last else None)
        cells = [Cell(trial_name(trial), trial.number), Cell(state), Cell(reason), step, _time(trial.seconds)]
        rows.append([*cells, spell_parameters(trial.params)])
    if not rows:
        return Chapter(title, [Text("None.")])
    summary = "; ".join(f"{count} {state}" for state, count in states.items())
    head = ["trial", "state", "why", "last step", "time", "parameters"]
    among = ", the default among them" if defaults else ""
    return Chapter(title, [Text(f"{summary}{among}."), Table(head, rows, sortable=True)])


def all_trials(record: StudyRecord) -> Chapter:
    """Every trial with its parameters, sortable."""
    if not record.trials:
        return Chapter("All trials", [Text("There is no trial yet.")])
    names = parameter_names(record)
    rows: list[list[Cell | str]] = []
    for trial in record.trials:
        figures = [value_of(trial, place) for place in range(len(record.monitors))]
        params = [_parameter(trial.params[name]) if name in trial.params else Cell("") for name in names]
        first: list[Cell | str] = [Cell(trial_name(trial), trial.number), trial.state]
        cells = [Cell(spell_figure(figure), figure) for figure in figures]
        rows.append([*first, *cells, *params, _time(trial.seconds)])
    apart = ", the default apart" if any(trial.kind == DEFAULT for trial in record.trials) else ""
    asked = sum(trial.kind != DEFAULT for trial in record.trials)
    text = f"{counted(asked, 'trial', 'trials')}{apart}. trials.csv has them in full precision."
    table = Table(["trial", "state", *record.monitors, *names, "time"], rows, sortable=True)
    return Chapter("All trials", [Text(text), table])


def _parameter(value: object) -> Cell:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return Cell(spell_parameter(value), float(value) if number else None)  # type: ignore[arg-type]


def _time(seconds: float | None) -> Cell:
    return Cell(spell_seconds(seconds), seconds)


def _beyond(count: int, what: str) -> str:
    if not count:
        return ""
    return f"{counted(count, f'{what} goes', f'{what}s go')} beyond the axis, which would press all others together."
