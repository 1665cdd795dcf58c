"""The journal of a study, which Optuna writes a line of JSON at a time, looked at before Optuna reads it.

Optuna takes each line for a record of its own. One that is JSON but no record ends in a traceback of any kind, or in
figures that are no numbers, so each line is held against what its operation has to say.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from sandbox.errors import SandboxError
from sandbox.files import parse_json
from sandbox.wording import reason

_LONGEST = 2**22  # bytes of a line; a trial's is of some hundred
_TAIL = 2**16


def open_journal(path: Path) -> JournalStorage:
    """The journal as Optuna's storage; a last line that a crash cut off is taken away, since it would spoil the next.

    Raises:
        SandboxError: it cannot be read, or a line is no record of a study; names the line.
    """
    try:
        _cut_tail(path)
        _check(path)
        backend = _Watched(str(path))
        try:
            return JournalStorage(backend)
        except Exception as error:  # each operation fails in its own way on a record that does not fit those before
            raise _damaged(path, backend.line, f"does not fit the lines before it ({reason(error)})") from None
    except OSError as error:
        raise SandboxError(f"cannot read {path}: {reason(error)}") from None


class _Watched(JournalFileBackend):
    """Optuna's file, which knows what line it is at."""

    line = 0

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        for self.line, log in enumerate(super().read_logs(log_number_from), start=log_number_from + 1):
            yield log


def _cut_tail(path: Path) -> None:
    """Take away a last line without an end; a line of another kind before it is not touched."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        whole = size
        while whole:
            start = max(0, whole - _TAIL)
            file.seek(start)
            end = file.read(whole - start).rfind(b"\n") + 1
            whole = start + end
            if end:
                break
    if whole < size:
        with path.open("r+b") as file:
            file.truncate(whole)


def _check(path: Path) -> None:
    """Hold each line against what Optuna writes.

    Raises:
        SandboxError: names the first line that it did not write.
    """
    if not path.is_file():
        return
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_LONGEST + 1), b""), start=1):
            if len(line) > _LONGEST:
                raise _damaged(path, number, f"is longer than {_LONGEST:,} bytes")
            try:
                why = _fault(parse_json(line, finite=False))
            except ValueError as error:
                raise _damaged(path, number, f"is no JSON ({reason(error)})") from None
            if why:
                raise _damaged(path, number, why)


def _damaged(path: Path, number: int, why: str) -> SandboxError:
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
