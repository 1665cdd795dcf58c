"""Trials as the arrays that pictures are drawn from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from sandbox.reporting.plots.study_marks import BROKEN, COMPLETE, FAILED, PRUNED, ParameterAxis, TrialPoints
from sandbox.tuning.report.importance import read_range
from sandbox.tuning.study.record import DEFAULT, StudyRecord, TrialRecord
from sandbox.tuning.study.spelling import value_of

T = TypeVar("T")


def drawn(draw: Callable[[Path], T]) -> tuple[bytes, T]:
    """The PNG that a function draws to a path, and what it returns."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        returned = draw(path)
        with Image.open(path) as picture:  # of 256 colours a third of the bytes, and the page is to be sent
            few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(path, optimize=True)
        return path.read_bytes(), returned


def shown_trials(record: StudyRecord) -> list[TrialRecord]:
    """The trials that pictures show: those that are over, the default not among them."""
    return [t for t in record.trials if t.kind != DEFAULT and t.state in ("complete", "pruned", "failed")]


def trial_points(record: StudyRecord) -> TrialPoints:
    """The shown trials by the first monitor."""
    trials, best, default = shown_trials(record), record.best(), record.default()
    return TrialPoints(
        np.array([t.number for t in trials], np.int64),
        np.array([_figure(t) for t in trials], np.float64),
        [_state(t) for t in trials],
        next((place for place, t in enumerate(trials) if t is best), None),
        value_of(default) if default else None,
        record.monitors[0],
        record.lower[0],
        record.judge,
    )


def parameter_axis(record: StudyRecord, name: str) -> ParameterAxis:
    """Where the shown trials lie on a parameter; a range that is no scale of numbers has its choices as strips."""
    trials, default = shown_trials(record), record.default()
    values = [t.params.get(name) for t in trials]
    mark = read_range(record.search.get(name, ""))
    own = default.params[name] if default and name in default.params else None
    known = [t.params[name] for t in [*trials, *([default] if default else [])] if name in t.params]
    if mark.choices or not all(map(_is_number, known)):
        choices = list(dict.fromkeys(map(str, [*mark.choices, *known])))
        place = {choice: number for number, choice in enumerate(choices)}
        places = [float(place[str(t.params[name])]) if name in t.params else math.nan for t in trials]
        at = float(place[str(own)]) if default and name in default.params else None
        return ParameterAxis(name, np.array(places, np.float64), at, choices=tuple(choices))
    places = [math.nan if value is None else float(value) for value in values]
    at = None if own is None else float(own)
    log = mark.log and all(value > 0 for value in known)
    return ParameterAxis(name, np.array(places, np.float64), at, log=log)


def monitor_values(record: StudyRecord) -> tuple[np.ndarray, Sequence[TrialRecord]]:
    """(N, M) figures of all complete trials but the default, and the trials."""
    trials = [t for t in shown_trials(record) if t.state == "complete" and len(t.values) == len(record.monitors)]
    return np.array([t.values for t in trials], np.float64).reshape(-1, len(record.monitors)), trials


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _figure(trial: TrialRecord) -> float:
    if trial.state == "complete":
        value = value_of(trial)
        return math.nan if value is None else value
    return float(trial.curve[max(trial.curve)]) if trial.state == "pruned" and trial.curve else math.nan


def _state(trial: TrialRecord) -> str:
    if trial.state == "complete":
        return COMPLETE if trial.feasible else BROKEN
    return PRUNED if trial.state == "pruned" else FAILED
