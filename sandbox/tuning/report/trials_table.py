"""The trials of a study as CSV, as JSON, and as rows for the terminal."""

from __future__ import annotations

import csv
import io
import json
import math
from datetime import datetime
from typing import Any

from sandbox.tuning.study.record import DEFAULT, StudyRecord, TrialRecord
from sandbox.tuning.study.spelling import (
    parameter_names,
    spell_figure,
    spell_parameters,
    spell_seconds,
    trial_name,
    value_of,
    why,
)

_FIXED = ("trial", "state", "value", "seconds", "kind")


def csv_text(record: StudyRecord) -> str:
    """A line a trial, in full precision; a cell is empty where there is nothing.

    Columns: ``trial,state,value,seconds``; ``value:KEY`` for each monitor after the first; each parameter by its dotted
    name; ``kind``, which tells the trial of the default values apart. Its state is ``default``: those that count are
    complete or pruned.
    """
    names = parameter_names(record)
    further = [f"value:{key}" for key in record.monitors[1:]]
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    columns = [f"parameter:{name}" if name in (*_FIXED, *further) else name for name in names]
    table.writerow([*_FIXED[:4], *further, *columns, "kind"])
    for trial in record.trials:
        others = [_cell(value_of(trial, place)) for place in range(1, len(record.monitors))]
        params = [str(trial.params[name]) if name in trial.params else "" for name in names]
        first = [str(trial.number), _state(trial), _cell(value_of(trial)), _cell(trial.seconds)]
        table.writerow([*first, *others, *params, trial.kind])
    return out.getvalue()


def _state(trial: TrialRecord) -> str:
    """The state as lists have it, of which complete and pruned are those of trials that count."""
    if trial.kind != DEFAULT or trial.state not in ("complete", "pruned"):
        return trial.state
    return DEFAULT if trial.state == "complete" else "failed"


def json_text(record: StudyRecord) -> str:
    """The study and its trials as strict JSON, with the numbers of the best trial, the default and the front.

    A number that is not finite is null.
    """
    best, default = record.best(), record.default()
    content = {
        "name": record.name,
        "folder": str(record.folder),
        "command": record.command,
        "objective": record.objective,
        "search": record.search,
        "monitors": record.monitors,
        "lower_is_better": record.lower,
        "protocol": record.protocol,
        "best": best.number if best else None,
        "default": default.number if default else None,
        "front": [trial.number for trial in record.front()] if len(record.monitors) > 1 else [],
        "trials": [_plain_trial(trial, record.monitors) for trial in record.trials],
    }
    return json.dumps(_strict(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def trial_rows(record: StudyRecord) -> tuple[tuple[str, ...], list[tuple[str, ...]], tuple[int, ...]]:
    """Names of the columns, a row of texts for each trial, and the columns to set to the right, as `print_rows` asks.

    The best so far is that of the trials with a lower number that count and meet every constraint.
    """
    further = record.monitors[1:]
    names = ("trial", "state", record.monitors[0], *further, "best so far", "parameters", "time", "why")
    rows, best = [], None
    for trial in record.trials:
        value = value_of(trial)
        if value is not None and trial.state == "complete" and trial.feasible and trial.kind != DEFAULT:
            best = value if best is None else min(best, value) if record.lower[0] else max(best, value)
        figures = [spell_figure(value_of(trial, place)) for place in range(len(record.monitors))]
        told = (spell_figure(best), spell_parameters(trial.params), spell_seconds(trial.seconds), why(trial))
        rows.append((trial_name(trial), trial.state, *figures, *told))
    right = (*range(2, 3 + len(further) + 1), 3 + len(further) + 2)
    return names, rows, right


def _cell(value: float | None) -> str:
    return "" if value is None else repr(float(value))


def _plain_trial(trial: TrialRecord, monitors: tuple[str, ...]) -> dict[str, Any]:
    return {
        "trial": trial.number,
        "kind": trial.kind,
        "state": trial.state,
        "values": dict(zip(monitors, trial.values, strict=False)),
        "feasible": trial.feasible,
        "params": trial.params,
        "seconds": trial.seconds,
        "why": trial.why,
        "objective": trial.objective,
        "line": trial.line,
        "figures": trial.figures,
        "constraints": trial.constraints,
        "curve": [[step, value] for step, value in sorted(trial.curve.items())],
        "runs": trial.runs,
        "started": trial.started,
        "ended": trial.ended,
    }


def _strict(value: Any) -> Any:
    """The same of what JSON knows; NaN and the infinities are none of it."""
    if isinstance(value, dict):
        return {str(key): _strict(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(inner) for inner in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)
