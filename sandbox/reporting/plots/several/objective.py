"""An objective in parts: its loss without miners, its miner, and the value of every parameter, defaults too."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sandbox.errors import SandboxError
from sandbox.objectives.catalog import REQUIRED
from sandbox.objectives.expression import Bound, BoundTerm, Expression, spell
from sandbox.objectives.literature import ALIASES
from sandbox.objectives.resolve import resolve

_LONG = re.compile(r"\d+\.\d{4,}(?:e[+-]?\d+)?|\d+e[+-]?\d+")


@dataclass(frozen=True)
class Parts:
    """What an objective is made of, as a person calls it."""

    loss: str
    """Without miners."""
    miner: str
    """``none`` where no term has one; the short name where it has one, such as semihard."""
    parameters: dict[str, Any] = field(repr=False)
    """``triplet_margin.margin``, ``center.weight`` -> value: numbers, truths, texts and None."""


@cache
def parts(objective: str) -> Parts:
    """An objective, as a recipe spells it, in parts; what cannot be read here is one loss of that text."""
    try:
        expression = resolve(objective)
    except SandboxError:  # of a loss that is not installed here
        return Parts(objective, "none", {})
    bare, miners = [], []
    for term in expression.terms:
        values = dict(term.loss.values)
        if isinstance(miner := values.pop("miner", None), Bound):
            miners.append(_called(miner))
        bare.append(dataclasses.replace(term, loss=Bound(term.loss.entry, values)))
    miner = " / ".join(dict.fromkeys(miners)) or "none"
    return Parts(readable(str(Expression(tuple(bare)))), miner, dict(_parameters(expression)))


def _called(miner: Bound) -> str:
    """The shortest text that makes a miner: an alias where one sets just these values."""
    for alias, (target, preset) in ALIASES["miner"].items():
        if target == miner.entry.name and preset and preset == miner.values:
            return str(alias)
    return readable(str(miner))


def readable(text: str) -> str:
    """The text of an objective with numbers of at most four digits that count.

    >>> readable("triplet_margin(margin=0.2139569380699943) + 0.001772033234683411*center")
    'triplet_margin(margin=0.214) + 0.00177*center'
    """
    return _LONG.sub(lambda number: f"{float(number[0]):.3g}", text)


def without_parameter(objective: str, path: str) -> str:
    """The objective but for one parameter: what two objectives share that differ in nothing else.

    Args:
        objective: as a recipe spells it.
        path: as in `Parts.parameters`.
    """
    kept = []
    for name, term in resolve(objective).named():
        rest = path.removeprefix(f"{name}.") if path.startswith(f"{name}.") else ""
        if rest == "weight":
            term = BoundTerm(1.0, term.loss)
        elif rest:
            term = dataclasses.replace(term, loss=_without(term.loss, rest.split(".")))
        kept.append(term)
    return str(Expression(tuple(sorted(kept, key=str))))


def _without(bound: Bound, path: list[str]) -> Bound:
    key, *rest = path
    values = dict(bound.values)
    if rest and isinstance(values.get(key), Bound):
        values[key] = _without(values[key], rest)
    elif not rest:
        values.pop(key, None)
    return Bound(bound.entry, values)


def _parameters(expression: Expression) -> Iterator[tuple[str, Any]]:
    terms = list(expression.named())
    for name, term in terms:
        if len(terms) > 1 or term.weight != 1.0:
            yield f"{name}.weight", term.weight
        yield from _values(term.loss, name)


def _values(bound: Bound, path: str) -> Iterator[tuple[str, Any]]:
    for key, parameter in bound.entry.parameters.items():
        value = bound.values.get(key, None if parameter.default is REQUIRED else parameter.default)
        if isinstance(value, Bound):
            yield f"{path}.{key}", str(value)
            yield from _values(value, f"{path}.{key}")
        elif isinstance(value, int | float | str) or value is None:
            yield f"{path}.{key}", value
        else:
            yield f"{path}.{key}", spell(value)
