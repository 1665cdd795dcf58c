"""A wrapper around a sum is a sum of wrapped losses: `f(a + 0.5*b, ...)` is `f(a, ...) + 0.5*f(b, ...)`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from sandbox.errors import SandboxError
from sandbox.objectives.catalog import WRAPPERS, look_up
from sandbox.objectives.language import Call, Sum, Term, Tune


def spread(terms: tuple[Term, ...]) -> Iterator[Term]:
    """Terms of which none is a wrapper around a sum.

    Raises:
        SandboxError: a mark stands before a sum, so that it would be one number for several terms.
    """
    for term in terms:
        held = _held(term.call)
        if not isinstance(held, Sum):
            yield term
            continue
        parts = list(spread(held.terms))
        some_mine = any(_mines(part.call) for part in parts)
        for part in parts:
            call = term.call if _mines(part.call) or not some_mine else _without_miner(term.call)
            yield Term(_times(term, part.weight), _holding(call, part.call))


def _held(call: Call) -> Any:
    """The loss inside a wrapper, as it is written; None where the name is no wrapper."""
    if call.name not in WRAPPERS:
        return None
    return call.args[0] if call.args else call.kwargs.get("loss")


def _holding(call: Call, inner: Call) -> Call:
    if call.args:
        return dataclasses.replace(call, args=(inner, *call.args[1:]))
    return dataclasses.replace(call, kwargs=call.kwargs | {"loss": inner})


def _mines(call: Call) -> bool:
    """Whether a loss takes the wrapper's miner, as in a sum only some may; a name that is none is refused later."""
    try:
        return look_up(call.name, "loss")[0].tuples == "mined"
    except SandboxError:
        return True


def _without_miner(call: Call) -> Call:
    return dataclasses.replace(call, kwargs={key: value for key, value in call.kwargs.items() if key != "miner"})


def _times(outer: Term, weight: float | Tune) -> float | Tune:
    """The weight of a part of a sum that is weighed as a whole."""
    if not isinstance(outer.weight, Tune) and not isinstance(weight, Tune):
        return outer.weight * weight
    if outer.weight == 1.0:
        return weight
    raise SandboxError(
        f"the weight {outer.weight} before {outer.call.name}({_held(outer.call)}, ...) would be one number for several "
        "terms, and a tune() is searched for each: write the weights inside the sum"
    )
