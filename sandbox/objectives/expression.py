"""`Expression`: an objective whose names are found and whose values are checked; its text is its canonical spelling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.objectives.catalog import WRAPPERS, Entry, Parameter
from sandbox.objectives.language import Call, Tune


@dataclass(frozen=True)
class Bound:
    """A catalogue entry with its values, all checked; what equals the default is left out."""

    entry: Entry
    values: dict[str, Any]

    @property
    def wraps(self) -> bool:
        """Whether it is a wrapper around another loss."""
        return self.entry.name in WRAPPERS

    @property
    def core(self) -> Bound:
        """What a wrapper holds; any other name is its own."""
        return self.values["loss"] if self.wraps else self

    @property
    def mined(self) -> bool:
        """Whether it takes pairs or triplets of the batch, and so a miner."""
        return self.entry.tuples == "mined" and self.core.entry.tuples == "mined"

    def __str__(self) -> str:
        inside = ", ".join(f"{key}={spell(value)}" for key, value in sorted(self.values.items()))
        return f"{self.entry.name}({inside})" if inside else self.entry.name


@dataclass(frozen=True)
class BoundTerm:
    """One weighed part of an objective, resolved."""

    weight: float | Tune
    loss: Bound

    def __str__(self) -> str:
        return str(self.loss) if self.weight == 1.0 else f"{spell(self.weight)}*{self.loss}"


@dataclass(frozen=True)
class Expression:
    """A resolved objective; its text is its canonical spelling."""

    terms: tuple[BoundTerm, ...]

    def __str__(self) -> str:
        return " + ".join(map(str, self.terms))

    def named(self) -> Iterator[tuple[str, BoundTerm]]:
        """Terms with a name each; a loss that stands twice is numbered: `triplet_margin`, `triplet_margin#2`."""
        seen: dict[str, int] = {}
        for term in self.terms:
            name = term.loss.entry.name
            seen[name] = seen.get(name, 0) + 1
            yield (name if seen[name] == 1 else f"{name}#{seen[name]}"), term

    @property
    def takes_tuples(self) -> bool:
        """Whether any term works on pairs or triplets of the batch, which then needs classes that repeat."""
        return any(_needs_repeats(term.loss) for term in self.terms)

    @property
    def owns_classes(self) -> bool:
        """Whether any term owns something for each class: weights, proxies or centres."""
        return any("num_classes" in term.loss.core.entry.sizes for term in self.terms)

    def tunes(self) -> dict[str, Tune]:
        """Dotted name -> range, for everything that is marked; a bare `tune()` has the catalogue's range."""
        return {path: mark for path, mark in _marks(self)}

    def whole(self, path: str) -> bool:
        """Whether a marked value takes whole numbers only."""
        parameter = self._marked(path)
        return parameter is not None and parameter.kind == "whole"

    def default(self, path: str) -> Any:
        """What a marked value is where nobody gives it: 1 for a weight, else the catalogue's, perhaps `REQUIRED`."""
        parameter = self._marked(path)
        return 1.0 if parameter is None else parameter.default

    def _marked(self, path: str) -> Parameter | None:
        """The parameter that a mark stands for; None for the weight of a term."""
        for name, term in self.named():
            if path.startswith(f"{name}."):
                bound, rest = term.loss, path.removeprefix(f"{name}.").split(".")
                if rest == ["weight"] and isinstance(term.weight, Tune):
                    return None
                for key in rest[:-1]:
                    bound = bound.values[key]
                if isinstance(bound.values.get(rest[-1]), Tune):
                    return bound.entry.parameters[rest[-1]]
        return None


def ordered(terms: list[BoundTerm]) -> tuple[BoundTerm, ...]:
    """The terms as the canonical spelling has them: the heaviest first, equal ones by their text."""

    def key(term: BoundTerm) -> tuple[float, str, str]:
        return (-term.weight if not isinstance(term.weight, Tune) else 0.0, str(term.loss), str(term.weight))

    return tuple(sorted(terms, key=key))


def spell(value: Any) -> str:
    """A value as the language writes it."""
    if isinstance(value, Call):
        return value.name
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {spell(inner)}" for key, inner in sorted(value.items())) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(spell, value)) + "]"
    if isinstance(value, str):
        return repr(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return "none" if value is None else str(value)


def _needs_repeats(loss: Bound) -> bool:
    """Classification and proxy losses (those with class weights) are content with any batch; all others compare."""
    return "num_classes" not in loss.core.entry.sizes


def _marks(expression: Expression) -> Iterator[tuple[str, Tune]]:
    for name, term in expression.named():
        if isinstance(term.weight, Tune):
            yield f"{name}.weight", term.loss.core.entry.weight_tune if term.weight.bare else term.weight
        yield from marks_in(term.loss, name)


def marks_in(bound: Bound, path: str) -> Iterator[tuple[str, Tune]]:
    """Dotted name and range of each mark inside a name's values, at any depth."""
    for key, value in sorted(bound.values.items()):
        if isinstance(value, Tune):
            yield f"{path}.{key}", value
        elif isinstance(value, Bound):
            yield from marks_in(value, f"{path}.{key}")
