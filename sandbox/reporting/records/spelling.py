"""Settings shortened to what they mean: 0.00137, 16, and an objective as a person types it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sandbox.errors import SandboxError
from sandbox.objectives.language import Call, Tune, parse
from sandbox.objectives.literature import ALIASES

_LEAST, _ALL = 3, 17


def shortened(name: str, values: Iterable[Any]) -> dict[Any, str]:
    """Each value of a setting as it is printed, with three digits that count, or as many as tell it from the others."""
    ways: dict[str, Callable[[Any, int], str]] = {"loss": short_objective, "miner": short_miners}
    spell = ways.get(name, short_value)
    texts = {value: spell(value, _LEAST) for value in values}
    for digits in range(_LEAST + 1, _ALL + 1):
        alike: dict[str, list[Any]] = {}
        for value, text in texts.items():
            alike.setdefault(text, []).append(value)
        clashing = [value for found in alike.values() if len(found) > 1 for value in found if value not in (None, "")]
        if not clashing:
            break
        texts |= {value: spell(value, digits) for value in clashing}
    return texts


def short_value(value: Any, digits: int = _LEAST) -> str:
    """A value of a setting.

    >>> short_value(0.0013654198505578894), short_value(16.0), short_value(1e9), short_value(None), short_value((1, 5))
    ('0.00137', '16', '1,000,000,000', 'none', '1, 5')
    """
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(short_value(part, digits) for part in value)
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    return _short_number(value, digits) if isinstance(value, float) else str(value)


def short_objective(text: str, digits: int = _LEAST) -> str:
    """An objective with short numbers, and with the names that a person types for what has one.

    >>> short_objective("triplet_margin(margin=0.21395, miner=triplet_margin(type_of_triplets='semihard'))")
    'triplet_margin(margin=0.214, miner=semihard)'
    """
    try:
        terms = parse(text)
    except SandboxError:  # of an earlier version, or another program
        return text
    written = []
    for term in terms:
        weight = str(term.weight) if isinstance(term.weight, Tune) else _short_number(float(term.weight), digits)
        inner = _short_call(term.call, digits, outermost=True)
        written.append(inner if term.weight == 1 else f"{weight}*{inner}")
    return " + ".join(written)


def short_miners(text: str, digits: int = _LEAST) -> str:
    """Miners as a person types them, those of several losses with a stroke between.

    >>> short_miners("triplet_margin(type_of_triplets='semihard') / none")
    'semihard / none'
    """
    try:
        calls = [term.call for part in text.split(" / ") for term in parse(part)]
    except SandboxError:
        return text
    return " / ".join(_short_call(call, digits) for call in calls)


def _short_call(call: Call, digits: int, outermost: bool = False) -> str:
    if not outermost:
        for alias, (name, preset) in _nicknames():
            if call.name == name and not call.args and preset.items() <= call.kwargs.items():
                rest = {key: value for key, value in call.kwargs.items() if key not in preset}
                return _short_call(Call(alias, (), rest), digits, outermost=True)
    inside = [_short_part(value, digits) for value in call.args]
    inside += [f"{key}={_short_part(value, digits)}" for key, value in call.kwargs.items()]
    return f"{call.name}({', '.join(inside)})" if inside else call.name


def _nicknames() -> Sequence[tuple[str, tuple[str, dict[str, Any]]]]:
    """Aliases of parts that set something, those that set most first: `semihard`, `squared_l2`."""
    found = [row for slot, rows in ALIASES.items() if slot != "loss" for row in rows.items() if row[1][1]]
    return sorted(found, key=lambda row: -len(row[1][1]))


def _short_part(value: Any, digits: int) -> str:
    if isinstance(value, Call):
        return _short_call(value, digits)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_short_part(inner, digits)}" for key, inner in value.items()) + "}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_short_part(inner, digits) for inner in value) + "]"
    if isinstance(value, float):
        return _short_number(value, digits)
    return "none" if value is None else str(value)


def _short_number(value: float, digits: int) -> str:
    """Digits that count, without a needless exponent: 0.00137, 12346, 1e-9."""
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = f"{value:.{digits}g}"
    mantissa, power, exponent = text.partition("e")
    if not power:
        return text
    return str(int(float(text))) if 0 <= int(exponent) < 15 else f"{mantissa}e{int(exponent)}"
