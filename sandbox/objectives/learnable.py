"""Whether an objective can learn: what its gradient does to free rows, and the nearest spelling that learns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import torch

from sandbox.objectives import free_rows
from sandbox.objectives.catalog import Entry
from sandbox.objectives.expression import Bound, BoundTerm, Expression, spell
from sandbox.objectives.objective import Objective, build
from sandbox.objectives.resolve import resolve

_SPREADS = (0.1, 0.03, 0.003)
_START = 0.3  # spread of the rows that are pulled apart
_LEAST_FORCE = 0.035  # between classes: losses that only pull have up to 0.03, those that train at least 0.35
_LEAST_GAIN = 0.05  # of AUC; losses that train have at least 0.16 from one of the two starts
_WORSE = 0.1
_MOST_TERMS = 4  # of a sum, up to which each is tried alone as well
_SIMILARITIES = ("cosine_similarity", "dot_product_similarity")


@dataclass(frozen=True)
class Fault:
    """Why an objective cannot learn."""

    kind: Literal["no gradient", "not finite", "no push", "reverse", "no gain"]
    said: str
    """What follows the objective's name."""


def trainable(expression: Expression) -> bool:
    """Whether free rows can say something; not where weights are given for each class, or no term reads labels."""
    return "class_weighted" not in str(expression) and any(t.loss.entry.reads != "embeddings" for t in expression.terms)


@lru_cache(maxsize=256)
def fault(text: str) -> Fault | None:
    """What is wrong with an objective in its canonical spelling, or None where it learns or cannot be tried.

    It is asked for a gradient on scattered rows and on rows that lie together; without its miners, for a force between
    classes once all lie together, and for steps along the gradient that pull classes apart.
    """
    expression = resolve(text)
    if not trainable(expression):
        return None
    read = (term for term in expression.terms if term.loss.entry.reads != "embeddings")
    expression = Expression(tuple(replace(term, loss=_held(term.loss)) for term in read))
    with free_rows.own_draws():
        found = _without_gradient(expression)
    if found or all(term.loss.entry.note.alone for term in expression.terms):
        return found
    return _fault_unmined(str(Expression(tuple(replace(term, loss=_unmined(term.loss)) for term in expression.terms))))


@lru_cache(maxsize=256)
def _fault_unmined(text: str) -> Fault | None:
    """What is wrong with an objective that has no miner: it is the same beside every miner."""
    expression = resolve(text)
    with free_rows.own_draws():
        return _without_push(expression) or _without_gain(expression)


def faulty_terms(expression: Expression) -> list[tuple[BoundTerm, Fault]]:
    """Of a sum of few terms, those that alone cannot learn."""
    if not 1 < len(expression.terms) <= _MOST_TERMS:
        return []
    found = ((term, fault(str(term.loss))) for term in expression.terms)
    return [(term, wrong) for term, wrong in found if wrong]


def nearest(expression: Expression) -> str:
    """The nearest objective that learns, or nothing: margins exchanged, else a value or all values left out."""
    mended = expression
    for place, term in enumerate(expression.terms):
        if fault(str(term.loss)):
            for candidate in _candidates(term.loss):
                if not fault(str(candidate)):
                    terms = list(mended.terms)
                    terms[place] = replace(term, loss=candidate)
                    mended = Expression(tuple(terms))
                    break
    return str(mended) if str(mended) != str(expression) and not fault(str(mended)) else ""


def meaning(expression: Expression) -> str:
    """A clause where margins of a distance are used with a similarity, for which they mean the opposite."""
    for term in expression.terms:
        inner = term.loss.values.get("loss", term.loss)
        given = inner.values.get("distance") if isinstance(inner, Bound) else None
        margins = [key for key in inner.entry.parameters if key.endswith("margin") or key in ("beta", "alpha")]
        if isinstance(given, Bound) and given.entry.name in _SIMILARITIES and margins:
            values = {key: inner.values.get(key, inner.entry.parameters[key].default) for key in margins}
            named = [f"{key}={spell(value)}" for key, value in values.items() if value is not None]
            meant = f"{' and '.join(named)} {'is' if len(named) == 1 else 'are'} meant for a distance"
            return f" ({meant}, and {given.entry.name} is larger for nearer rows)"
    return ""


def _without_gradient(expression: Expression) -> Fault | None:
    places = [free_rows.scattered(), free_rows.exchanged(), *map(free_rows.together, (_START, *_SPREADS))]
    pulls = [free_rows.gradient(_fresh(expression), rows) for rows in places]
    if not bool(pulls[0].isfinite().all()):
        return Fault("not finite", "has a gradient that is not finite on random rows")
    if any(bool(pull.any()) for pull in pulls):
        return None
    mined = any("miner" in term.loss.values for term in expression.terms)
    where = " on the tuples that its miner chooses" if mined else ""
    return Fault("no gradient", f"cannot learn: its gradient{where} is zero, on random rows and on rows close together")


def _without_push(expression: Expression) -> Fault | None:
    pulls = (free_rows.gradient(_fresh(expression), free_rows.together(spread)) for spread in _SPREADS)
    if any(free_rows.force_between(pull) >= _LEAST_FORCE for pull in pulls):
        return None
    return Fault(
        "no push",
        "cannot learn: nothing in it pushes classes apart once all images lie close together, as those of an untrained "
        "network do",
    )


def _without_gain(expression: Expression) -> Fault | None:
    walks = []
    for rows in (free_rows.scattered(), free_rows.together(_START)):
        try:
            walks.append((free_rows.auc(rows), free_rows.auc(free_rows.after_steps(_fresh(expression), rows))))
        except (RuntimeError, IndexError):  # a histogram whose rows have come to coincide
            return None
    before, after = min(walks, key=lambda walk: walk[1] - walk[0])
    steps = f"{free_rows.STEPS} steps along its gradient"
    change = f"(AUC of free rows {before:.2f} to {after:.2f})"
    if after < before - _WORSE:
        return Fault("reverse", f"learns the reverse: {steps} push classes into one another {change}")
    if all(end - start < _LEAST_GAIN for start, end in walks):
        return Fault("no gain", f"cannot learn: {steps} do not pull classes apart {change}")
    return None


def _fresh(expression: Expression) -> Objective:
    torch.manual_seed(0)
    return build(expression, classes=free_rows.CLASSES, dim=free_rows.DIM)


def _held(loss: Bound) -> Bound:
    """What a memory holds, with its miner: it is as good as that."""
    inner = loss.values.get("loss")
    if not isinstance(inner, Bound):
        return loss
    miner = {key: value for key, value in loss.values.items() if key == "miner"}
    return Bound(inner.entry, inner.values | miner)


def _unmined(loss: Bound) -> Bound:
    return Bound(loss.entry, {key: value for key, value in loss.values.items() if key != "miner"})


def _candidates(loss: Bound) -> Iterator[Bound]:
    """Spellings near a loss: its two margins exchanged, one of its values left out, all left out."""
    inner = loss.values.get("loss")
    if isinstance(inner, Bound):
        yield from (Bound(loss.entry, loss.values | {"loss": candidate}) for candidate in _candidates(inner))
    keys = ("pos_margin", "neg_margin")
    if all(key in loss.entry.parameters for key in keys):
        values: dict[str, Any] = {key: loss.values.get(key, loss.entry.parameters[key].default) for key in keys}
        swapped = dict(zip(keys, reversed(values.values()), strict=True))
        yield Bound(loss.entry, loss.values | _not_default(loss.entry, swapped))
    given = [key for key in loss.values if key not in ("loss", "memory_size", "K", "dims")]
    for key in given:
        yield Bound(loss.entry, {other: value for other, value in loss.values.items() if other != key})
    yield Bound(loss.entry, {key: value for key, value in loss.values.items() if key not in given})


def _not_default(entry: Entry, values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value != entry.parameters[key].default}
