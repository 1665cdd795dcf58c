"""From names as written to catalogue entries with checked values; the canonical spelling comes from here."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

from sandbox.called import called
from sandbox.errors import SandboxError, near
from sandbox.objectives.catalog import REQUIRED, WRAPPERS, Entry, Parameter, Slot, catalog, look_up
from sandbox.objectives.expression import Bound, BoundTerm, Expression, marks_in, ordered, spell
from sandbox.objectives.language import Call, Sum, Tune, parse, parse_call
from sandbox.objectives.literature import CHOICES
from sandbox.objectives.spread import spread
from sandbox.objectives.wrapped import check_wrapped

_SLOTS = ("loss", "miner", "distance", "reducer", "regularizer")


def resolve(loss: str, miner: str = "none") -> Expression:
    """Read an objective and the miner for those of its terms that take tuples and name none.

    Args:
        loss: an objective expression.
        miner: a miner with its arguments, or ``none``.

    Raises:
        SandboxError: an unknown name, a misspelt parameter, a value of the wrong type, a combination that cannot
            work, or a miner that no term can use.
    """
    terms = [BoundTerm(term.weight, _bind(term.call, "loss", outermost=True)) for term in spread(parse(loss))]
    if miner.strip() != "none":
        mined = _bind(parse_call(miner, "miner"), "miner")
        users = [term for term in terms if term.loss.mined]
        if not users:
            raise SandboxError(
                f"--miner {miner} has nothing to do: no term of '{' + '.join(t.loss.entry.name for t in terms)}' takes "
                f"pairs or triplets ({called('run')} --list losses says which do)"
            )
        terms = [
            dataclasses.replace(term, loss=Bound(term.loss.entry, {**term.loss.values, "miner": mined}))
            if term in users and "miner" not in term.loss.values
            else term
            for term in terms
        ]
    cleaned = [dataclasses.replace(t, loss=_without_empty_miner(t.loss)) for t in terms]
    return Expression(ordered(cleaned))


def fill(expression: Expression, values: dict[str, Any]) -> Expression:
    """The expression with each mark replaced by its value.

    Args:
        expression: with `tune()` in it.
        values: dotted name -> value, for every name that `Expression.tunes` gives.

    Raises:
        SandboxError: a value that its parameter does not take.
    """
    terms = []
    for name, term in expression.named():
        weight = values[f"{name}.weight"] if isinstance(term.weight, Tune) else term.weight
        terms.append(BoundTerm(weight, _fill(term.loss, name, values)))
    return Expression(ordered(terms))


def _without_empty_miner(loss: Bound) -> Bound:
    """`miner=none` inside a term only keeps --miner away from it."""
    return Bound(
        loss.entry, {key: value for key, value in loss.values.items() if not (key == "miner" and value is None)}
    )


def _bind(call: Call, slot: Slot, outermost: bool = False) -> Bound:
    entry, preset = look_up(call.name, slot)
    if entry.note.refused:
        raise SandboxError(f"the {slot} '{entry.name}' is refused: {entry.note.refused}")
    given = _arguments(call, entry)
    values: dict[str, Any] = {}
    for key, value in {**preset, **given}.items():
        parameter = entry.parameters[key]
        checked = _check(value, parameter, f"{entry.name}({key}=...)")
        if key == "miner" and checked is None and outermost:
            values[key] = None
        elif not _same(checked, parameter.default):
            values[key] = checked
    missing = [key for key, p in entry.parameters.items() if p.default is REQUIRED and values.get(key) is None]
    if missing:
        raise SandboxError(f"{entry.name} needs {missing[0]}: write {entry.name}({missing[0]}=...)")
    _rules(entry, values, outermost)
    return Bound(entry, values)


def _arguments(call: Call, entry: Entry) -> dict[str, Any]:
    keys = list(entry.parameters)
    if len(call.args) > len(keys):
        raise SandboxError(f"{entry.name} takes at most {len(keys)} values, not {len(call.args)}")
    given = dict(zip(keys, call.args, strict=False))
    for key, value in call.kwargs.items():
        if key not in entry.parameters:
            takes = f"; it takes {', '.join(keys)}" if keys else "; it takes none"
            raise SandboxError(f"{entry.name} has no parameter '{key}'{near(key, keys) or takes}")
        if key in given:
            raise SandboxError(f"{entry.name} is given '{key}' twice")
        given[key] = value
    return given


def _rules(entry: Entry, values: dict[str, Any], outermost: bool) -> None:
    """What cannot work although every part of it exists."""
    if entry.slot == "loss" and not outermost and values.get("miner") is not None:
        raise SandboxError(f"{entry.name} stands inside another loss, which mines for it: move miner= to the outer one")
    if entry.name in WRAPPERS:
        check_wrapped(entry, values)
    if entry.name == "cross_batch_memory":
        from pytorch_metric_learning.losses import CrossBatchMemory

        inner = values["loss"].entry
        supported = CrossBatchMemory.supported_losses()
        if inner.make.__name__ not in supported:
            able = sorted(name for name, other in catalog("loss").items() if other.make.__name__ in supported)
            raise SandboxError(
                f"cross_batch_memory cannot hold {inner.name}: a queue needs a loss that takes other embeddings as "
                f"reference, one of {', '.join(able)}"
            )
    if entry.slot == "reducer" and entry.name == "threshold" and not {"low", "high"} & values.keys():
        raise SandboxError("threshold needs low or high: write threshold(low=0.1)")


def _check(value: Any, parameter: Parameter, where: str) -> Any:
    """`value` as its parameter takes it, or one sentence that says what is allowed."""
    kind = parameter.kind
    if isinstance(value, Call) and kind not in _SLOTS:
        if kind in ("choice", "whole or 'all'") and not value.args and not value.kwargs:
            value = value.name  # a bare word where a text is meant
        else:
            raise SandboxError(f"{where} takes {_takes(parameter)}, not the name '{value.name}'")
    if kind in _SLOTS:
        return _check_slot(value, cast(Slot, kind), where)
    if kind == "reducers":
        if not isinstance(value, dict) or not value or not all(isinstance(inner, Call) for inner in value.values()):
            raise SandboxError(f"{where} takes {_takes(parameter)}")
        bound = {key: _bind(inner, "reducer") for key, inner in value.items()}
        if any(list(marks_in(inner, key)) for key, inner in bound.items()):
            raise SandboxError(f"{where}: tune() cannot stand inside the reducers of multiple")
        return bound
    if isinstance(value, Tune):
        return _check_tune(value, parameter, where)
    if value is None and parameter.default is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    right = {
        "number": number,
        "whole": number and float(value).is_integer() and value >= 0,
        "truth": isinstance(value, bool),
        "text": isinstance(value, str),
        "choice": value in CHOICES.get(parameter.name, ()),
        "whole or 'all'": value == "all" or (number and float(value).is_integer() and value >= 1),
        "numbers": isinstance(value, tuple)
        and all(isinstance(v, int | float) and not isinstance(v, bool) for v in value),
        "wholes": isinstance(value, tuple) and bool(value) and all(_is_whole(v) and v >= 1 for v in value),
    }[kind]
    if not right:
        close = near(value, CHOICES[parameter.name]) if kind == "choice" and isinstance(value, str) else ""
        raise SandboxError(f"{where} takes {_takes(parameter)}, not {spell(value)}{close}")
    if kind == "wholes":
        return tuple(map(int, value))
    return int(value) if number and float(value).is_integer() and abs(value) < 2**53 else value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()


def _check_slot(value: Any, slot: Slot, where: str) -> Bound | None:
    if value is None or (isinstance(value, Call) and value.name == "none" and not value.args and not value.kwargs):
        return None
    if isinstance(value, Sum) and slot == "loss":
        raise SandboxError(f"{where} takes the name of one loss, without a weight, not {value}")
    if not isinstance(value, Call):
        raise SandboxError(f"{where} takes the name of a {slot}, not {spell(value)}")
    if slot != "loss":
        return _bind(value, slot)
    try:
        return _bind(value, slot)
    except SandboxError as error:  # a loss may stand inside one of its own name
        raise SandboxError(f"in {where}: {error}") from None


def _check_tune(mark: Tune, parameter: Parameter, where: str) -> Tune:
    if mark.choices:
        return Tune(choices=tuple(_check(choice, parameter, where) for choice in mark.choices))
    if parameter.kind not in ("number", "whole"):
        raise SandboxError(f"{where} takes {_takes(parameter)}: mark it as tune([...]) with the values to try")
    if mark.bare:
        if parameter.tune is None:
            raise SandboxError(f"{where}: the catalogue has no range for a bare tune(); write tune(low, high)")
        return parameter.tune
    ends = (mark.low or 0, mark.high or 0)
    if parameter.kind == "whole" and not all(float(end).is_integer() and end >= 0 for end in ends):
        raise SandboxError(f"{where} takes whole numbers of at least 0, and so do the ends of its tune()")
    return mark


def _takes(parameter: Parameter) -> str:
    return {
        "number": "a number",
        "whole": "a whole number of at least 0",
        "truth": "True or False",
        "text": "a text",
        "choice": "one of " + ", ".join(CHOICES.get(parameter.name, ())),
        "whole or 'all'": "a whole number of at least 1, or 'all'",
        "numbers": "a list of numbers",
        "wholes": "a list of whole numbers of at least 1",
        "reducers": 'a reducer for each part of the loss, such as {"loss": mean}',
    }[parameter.kind]


def _same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is not bool and type(default) is not bool and value == default)


def _fill(bound: Bound, path: str, values: dict[str, Any]) -> Bound:
    filled: dict[str, Any] = {}
    for key, value in bound.values.items():
        if isinstance(value, Tune):
            filled[key] = _check(values[f"{path}.{key}"], bound.entry.parameters[key], f"{path}.{key}")
        elif isinstance(value, Bound):
            filled[key] = _fill(value, f"{path}.{key}", values)
        else:
            filled[key] = value
    return Bound(bound.entry, filled)
