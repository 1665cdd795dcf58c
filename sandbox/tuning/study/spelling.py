"""How a study's numbers are written: parameters at three digits, figures at four decimals, time in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sandbox.tuning.study.record import DEFAULT, StudyRecord, TrialRecord


def spell_parameter(value: Any) -> str:
    """A parameter at three significant digits; a whole number and a text as they are.

    >>> spell_parameter(0.000123456), spell_parameter(31.4159), spell_parameter(12345.6), spell_parameter(128)
    ('0.000123', '31.4', '12,346', '128')
    """
    if isinstance(value, float) and math.isfinite(value):
        if 1000 <= abs(value) < 1e7:
            return f"{value:,.0f}"
        digits, power, exponent = f"{value:.3g}".partition("e")
        return f"{digits}e{int(exponent)}" if power else digits
    return str(value)


def spell_parameters(params: Mapping[str, Any]) -> str:
    """All parameters of a trial on one line."""
    return ", ".join(f"{name} {spell_parameter(value)}" for name, value in params.items())


def spell_figure(value: float | None) -> str:
    """A figure of validation at four decimals, as everywhere; one that is very small or large at four digits."""
    if value is None:
        return ""
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.4g}"


def spell_seconds(seconds: float | None) -> str:
    """Time with the two units that matter.

    >>> spell_seconds(3.21), spell_seconds(75), spell_seconds(7384), spell_seconds(200_000)
    ('3.2 s', '1 min 15 s', '2 h 3 min', '2 d 8 h')
    """
    if seconds is None:
        return ""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    if seconds < 3599.5:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest} s"
    if seconds < 86_400 - 30:
        hours, rest = divmod(round(seconds / 60), 60)
        return f"{hours} h {rest} min"
    days, rest = divmod(round(seconds / 3600), 24)
    return f"{days} d {rest} h"


def trial_name(trial: TrialRecord) -> str:
    """The number of a trial, and whether it is the default."""
    return f"{trial.number} (default)" if trial.kind == DEFAULT else str(trial.number)


def value_of(trial: TrialRecord, place: int = 0) -> float | None:
    """The figure of one monitor, None where the trial has none."""
    return float(trial.values[place]) if place < len(trial.values) else None


def why(trial: TrialRecord) -> str:
    """Why a trial came to nothing, or which constraints it breaks and by how much."""
    broken = [f"breaks {text} by {spell_parameter(float(by))}" for text, by in trial.constraints.items() if not by <= 0]
    return "; ".join([*([trial.why] if trial.why else []), *broken])


def parameter_names(record: StudyRecord) -> list[str]:
    """Everything that is searched, then what trials have beside it, such as what an earlier space searched."""
    return list(dict.fromkeys([*record.search, *(name for trial in record.trials for name in trial.params)]))
