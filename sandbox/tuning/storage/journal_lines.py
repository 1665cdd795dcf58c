"""What a line of a study's journal has to say, so that one that is no record is refused in a sentence.

Optuna takes each line for a record of its own. One that is JSON but no record ends in a traceback of any kind, or in
figures that are no numbers, so each line is held against what its operation has to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError
from sandbox.files import parse_json
from sandbox.wording import reason

LONGEST = 2**22
"""Bytes of a line; a trial's is of some hundred."""


def record(path: Path, number: int, line: bytes) -> dict[str, Any]:
    """What a line says.

    Args:
        path: the journal, for the sentence.
        number: of the line, from 1.
        line: its bytes, or more than `LONGEST` of them where it is longer.

    Raises:
        SandboxError: Optuna did not write it.
    """
    if len(line) > LONGEST:
        raise damaged(path, number, f"is longer than {LONGEST:,} bytes")
    try:
        log = parse_json(line, finite=False)
    except ValueError as error:
        raise damaged(path, number, f"is no JSON ({reason(error)})") from None
    if why := _fault(log):
        raise damaged(path, number, why)
    return log  # type: ignore[no-any-return]


def damaged(path: Path, number: int, why: str) -> SandboxError:
    """The error for a line that makes no sense."""
    return SandboxError(
        f"{path} is damaged: line {number} {why}; take the line out, or give the study another name by --study"
    )


def _fault(log: object) -> str:
    """Why a line is no record of a study; empty where it is one."""
    if not isinstance(log, dict) or type(log.get("op_code")) is not int or not isinstance(log.get("worker_id"), str):
        return "is no record of a study"
    operation = log["op_code"]
    if operation not in range(len(_NEEDED)):
        return f"has the operation {operation}, which is none of Optuna's {len(_NEEDED)}"
    for name, fits in _NEEDED[operation].items():
        if name not in log or not fits(log[name]):
            return f"is no record of a study: its {name} is {'missing' if name not in log else 'of another kind'}"
    for name, fits in _PERHAPS.items():
        if name in log and not fits(log[name]):
            return f"is no record of a study: its {name} is of another kind"
    return ""


def _whole(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**31


def _number(value: object) -> bool:
    return type(value) in (int, float) and not math.isnan(value)  # type: ignore[arg-type]


def _text(value: object) -> bool:
    return isinstance(value, str)


def _listed(fits: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(map(fits, value))


def _named(value: object) -> bool:
    return isinstance(value, dict)


def _one_named(value: object) -> bool:
    return isinstance(value, dict) and len(value) == 1


def _or_none(fits: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or fits(value)


def _any_number(value: object) -> bool:
    return type(value) in (int, float)


_Fields = dict[str, Callable[[object], bool]]
_TRIAL: _Fields = {"trial_id": _whole}
_STUDY: _Fields = {"study_id": _whole}
_NEEDED: tuple[_Fields, ...] = (
    {"study_name": _text, "directions": _listed(_whole)},  # 0: a study is made
    _STUDY,  # 1: and deleted
    _STUDY | {"user_attr": _one_named},
    _STUDY | {"system_attr": _one_named},
    _STUDY | {"datetime_start": _or_none(_text)},  # 4: a trial is made
    _TRIAL | {"param_name": _text, "param_value_internal": _number, "distribution": _text},
    _TRIAL | {"state": _whole, "values": _or_none(_listed(_number))},
    _TRIAL | {"step": _whole, "intermediate_value": _any_number},
    _TRIAL | {"user_attr": _one_named},
    _TRIAL | {"system_attr": _one_named},
    {},  # 10: of another writer of the format
)
"""What each operation says, by its number."""
_PERHAPS: _Fields = {
    "distributions": _named,
    "params": _named,
    "user_attrs": _named,
    "system_attrs": _named,
    "intermediate_values": _named,
    "value": _or_none(_number),
    "values": _or_none(_listed(_number)),
    "datetime_start": _or_none(_text),
    "datetime_complete": _or_none(_text),
}
"""What a trial may say as well when it is made."""
