"""Margins that are angles, cosines or factors: which values they may have, and which look as if another were meant."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.errors import SandboxError
from sandbox.objectives.catalog import Slot
from sandbox.objectives.expression import Bound, Expression, spell
from sandbox.objectives.language import Tune

# (slot, name): parameter in degrees, and whether 0 and 90 are values of it
_DEGREES: dict[tuple[Slot, str], tuple[str, bool]] = {
    ("loss", "arcface"): ("margin", True),
    ("loss", "sub_center_arcface"): ("margin", True),
    ("loss", "tuplet_margin"): ("margin", True),
    ("loss", "angular"): ("alpha", False),
    ("miner", "angular"): ("angle", True),
}
_COSINES: dict[str, dict[str, float]] = {  # parameters, and the least that each may be; the most is 1
    "adaface": {"margin": 0},
    "cosface": {"margin": 0},
    "proxy_anchor": {"margin": 0},
    "soft_triple": {"margin": 0},
    "circle": {"m": -1},
    "unitsface": {"margin": 0, "sample_margin": 0},
}
_RADIANS = {"curricularface": ("margin",), "magface": ("low_margin", "high_margin")}
_FACTORS = ("sphereface", "large_margin_softmax", "a_softmax")
_LARGEST_FACTOR = 10  # beyond it the multiple-angle formula leaves float32, and 28.6 was meant as degrees
_RADIANS_BELOW = 2  # 90 degrees are 1.57 radians


def check_margins(expression: Expression) -> None:
    """Refuse a margin that is no angle, no cosine or no factor; of a `tune()`, both ends and every choice.

    Raises:
        SandboxError: names the value, what is allowed and what is usual.
    """
    for bound in _bounds(expression):
        for key, allows, what in _rules(bound):
            usual = spell(bound.entry.parameters[key].default)
            for value in _given(bound, key):
                if not allows(value):
                    degrees = value >= _RADIANS_BELOW and ("cosine" in what or "radians" in what)
                    looks = ", and this looks like degrees" * degrees
                    raise SandboxError(
                        f"{bound.entry.name}({key}={spell(value)}): {key} is {what}{looks}; {usual} is usual"
                    )


def margin_notes(expression: Expression) -> list[str]:
    """A sentence for each angle so small that radians may have been meant."""
    notes = []
    for bound in _bounds(expression):
        key, _ = _DEGREES.get((bound.entry.slot, bound.entry.name), ("", True))
        for value in _given(bound, key):
            if 0 < value < _RADIANS_BELOW:
                degrees = math.degrees(value)
                meant = f"; {spell(value)} radians, as most code writes it, are {key}={degrees:.1f}" * (degrees <= 90)
                notes.append(f"{bound.entry.name}({key}={spell(value)}) is an angle of {spell(value)} degrees{meant}")
    return notes


def _rules(bound: Bound) -> Iterator[tuple[str, Callable[[float], bool], str]]:
    """Of a name whose margins have a range: each parameter, which values it may have, and what it is."""
    name, slot = bound.entry.name, bound.entry.slot
    if (slot, name) in _DEGREES:
        key, ends = _DEGREES[slot, name]
        if ends:
            yield key, lambda value: 0 <= value <= 90, "an angle in degrees from 0 to 90"
        else:
            yield key, lambda value: 0 < value < 90, "an angle in degrees above 0 and below 90"
    if slot != "loss":
        return
    for key, least in _COSINES.get(name, {}).items():
        yield key, _within(least, 1), f"taken off a cosine and lies between {least} and 1"
    for key in _RADIANS.get(name, ()):
        yield key, _within(0, math.pi / 2), "an angle in radians from 0 to 1.57"
    if name in _FACTORS:
        whole = f"what the angle is multiplied by, a whole number from 1 to {_LARGEST_FACTOR}"
        yield "margin", lambda value: 1 <= value <= _LARGEST_FACTOR and float(value).is_integer(), whole


def _within(least: float, most: float) -> Callable[[float], bool]:
    return lambda value: least <= value <= most


def _given(bound: Bound, key: str) -> list[float]:
    """The value of a parameter where it was given, or what a mark may make of it."""
    value: Any = bound.values.get(key)
    if isinstance(value, Tune):
        value = value.choices or (value.low, value.high)
    values = value if isinstance(value, tuple) else (value,)
    return [number for number in values if isinstance(number, int | float)]


def _bounds(expression: Expression) -> Iterator[Bound]:
    """Every name of an objective, nested ones too."""
    waiting = [term.loss for term in expression.terms]
    while waiting:
        bound = waiting.pop(0)
        yield bound
        waiting += [value for value in bound.values.values() if isinstance(value, Bound)]
