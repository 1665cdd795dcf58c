"""What a study searches: the marks in an objective and in the recipe's settings, and how a trial fills them."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from sandbox.data.catalog import data_kinds
from sandbox.errors import SandboxError, near
from sandbox.objectives.catalog import REQUIRED
from sandbox.objectives.expression import Expression
from sandbox.objectives.language import Call, Tune, parse_value
from sandbox.objectives.margins import check_margins
from sandbox.objectives.resolve import fill, resolve
from sandbox.recipe.ranges import check_ranges
from sandbox.recipe.specs import Recipe, flat, replace
from sandbox.recipe.text import from_toml, to_toml

_BARE = {
    "optimizer.lr": Tune(1e-4, 3e-2, log=True),
    "optimizer.loss_lr": Tune(1e-5, 1.0, log=True),
    "optimizer.weight_decay": Tune(1e-5, 0.3, log=True),
    "backbone.embedding_dim": Tune(choices=(64, 128, 256, 512)),
}


@dataclass(frozen=True)
class Space:
    """A recipe whose objective and settings hold marks."""

    recipe: Recipe
    expression: Expression
    settings: dict[str, Tune]

    @property
    def marks(self) -> dict[str, Tune]:
        """Dotted name -> range of everything that is searched."""
        return {**self.expression.tunes(), **self.settings}

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        """Dotted name -> range of everything that is searched, as Optuna takes it."""
        return {name: self._distribution(name, mark) for name, mark in self.marks.items()}

    @property
    def size(self) -> int | None:
        """How many points there are; None where a range has no end of them."""
        counts = [_count(one) for one in self.distributions.values()]
        return None if None in counts else math.prod(typing.cast(list[int], counts))

    def holds(self, values: dict[str, Any]) -> bool:
        """Whether a point lies in the space: a value for each name, and each in its range."""
        ranges = self.distributions
        return values.keys() == ranges.keys() and all(_within(one, values[name]) for name, one in ranges.items())

    def defaults(self) -> dict[str, Any] | None:
        """What is searched, at the catalogue's and the recipe's own values; None where one of them has none."""
        settings = flat(self.recipe)
        found = {name: self.expression.default(name) for name in self.expression.tunes()}
        found |= {name: settings[name] for name in self.settings}
        if any(value is REQUIRED or value is None for value in found.values()):
            return None
        return {name: _plain(value, self.distributions[name]) for name, value in found.items()}

    def fill(self, values: dict[str, Any]) -> Recipe:
        """The recipe with a trial's values in place of the marks."""
        recipe = dataclasses.replace(self.recipe, loss=str(fill(self.expression, values)), miner="none")
        for name in self.settings:
            recipe = replace(recipe, name, values[name])
        return recipe

    def _distribution(self, name: str, mark: Tune) -> BaseDistribution:
        if mark.choices:
            return CategoricalDistribution(list(mark.choices))
        low, high = typing.cast(float, mark.low), typing.cast(float, mark.high)
        if self._whole(name, mark):
            return IntDistribution(int(low), int(high), log=mark.log)
        return FloatDistribution(float(low), float(high), log=mark.log)

    def _whole(self, name: str, mark: Tune) -> bool:
        if name in self.settings:
            return _field_type(name) is int
        return self.expression.whole(name)


def shortened(value: float, low: float, high: float, *, log: bool) -> float:
    """A drawn number with no more digits than tell it from its neighbours: 4 that count, or 1,000 steps of the range.

    Names, lines and tables then hold all of it, and what is typed from them is the same point.
    """
    span = math.floor(math.log10(high - low)) - 3 if high > low else 0
    own = math.floor(math.log10(abs(value))) - 3 if value and (log or abs(value) < high - low) else span
    short = round(value, -min(span, own))
    return float(min(max(short, low), high))


def _count(one: BaseDistribution) -> int | None:
    if isinstance(one, CategoricalDistribution):
        return len(one.choices)
    if isinstance(one, IntDistribution):
        return len(range(one.low, one.high + 1, one.step))
    return 1 if one.single() else None


def _within(one: BaseDistribution, value: Any) -> bool:
    if isinstance(one, CategoricalDistribution):
        return any(type(value) is type(choice) and value == choice for choice in one.choices)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if isinstance(one, IntDistribution) and not float(value).is_integer():
        return False
    return typing.cast(FloatDistribution, one).low <= value <= typing.cast(FloatDistribution, one).high


def _plain(value: Any, one: BaseDistribution) -> Any:
    """A value as a point of the range has it: 1 is 1.0 where numbers are searched."""
    return float(value) if isinstance(one, FloatDistribution) and type(value) is int else value


def read_space(recipe: Recipe, settings: Sequence[str]) -> Space:
    """Find the marks of an objective and of `setting=tune(...)` words.

    Raises:
        SandboxError: nothing is marked, a setting does not exist, or it cannot be searched.
    """
    expression = resolve(recipe.loss, recipe.miner)
    check_margins(expression)
    searched = dict(_setting(word) for word in settings)
    space = Space(recipe, expression, searched)
    for name, mark in space.marks.items():
        if any(not isinstance(choice, bool | int | float | str | None) for choice in mark.choices):
            raise SandboxError(f"the choices of {name} are numbers, texts, True, False or None, not {mark}")
    if not space.marks:
        raise SandboxError(
            f"nothing in '{recipe.loss}' is marked for the search; write for example --loss "
            '"triplet(margin=tune(0.05, 0.5))", or --search "optimizer.lr=tune(1e-4, 1e-2, log=True)"'
        )
    for name, mark in searched.items():  # every end and choice must be a value that a recipe may have
        for value in mark.choices or (mark.low, mark.high):
            tried = from_toml(to_toml(replace(recipe, name, value)), source="--search", kinds=data_kinds())
            check_ranges(tried)
    return space


def _setting(word: str) -> tuple[str, Tune]:
    name, equals, text = word.partition("=")
    name = name.strip()
    names = [key for key in flat(Recipe()) if _field_type(key) in (int, float, str) and not _fixed(key)]
    if name not in names:
        raise SandboxError(f"--search '{word}': there is no setting '{name}' to search{near(name, names)}")
    mark = parse_value(text) if equals else Tune()
    if not isinstance(mark, Tune):
        raise SandboxError(f"--search '{word}': write {name}=tune(low, high) or {name}=tune([a, b])")
    if mark.bare:
        if name not in _BARE:
            raise SandboxError(f"--search '{word}': there is no usual range for {name}; write tune(low, high)")
        mark = _BARE[name]
    kind = _field_type(name)
    if not mark.choices and kind is str:
        raise SandboxError(f"--search '{word}': {name} is a text; write tune([...]) with the values to try")
    words = [choice.name for choice in mark.choices if isinstance(choice, Call)]
    if words:
        quoted = ", ".join(repr(c.name if isinstance(c, Call) else c) for c in mark.choices)
        raise SandboxError(f"--search '{word}': {words[0]} is a text and stands in quotes: {name}=tune([{quoted}])")
    for value in mark.choices or (mark.low, mark.high):
        fits = isinstance(value, str) if kind is str else isinstance(value, int | float) and not isinstance(value, bool)
        if not fits or (kind is int and not float(typing.cast(float, value)).is_integer()):
            raise SandboxError(f"--search '{word}': {value!r} is no value of {name}")
    return name, mark


def _fixed(name: str) -> bool:
    """Settings that a study may not search: trials would not be judged alike, or not be the same run elsewhere."""
    return name in ("loss", "miner", "seed", "device", "threads", "precision") or name.startswith(
        ("data.", "evaluate.")
    )


def _field_type(dotted: str) -> type:
    """The plain type of a recipe setting (of `int | None`, int)."""
    kind: Any = Recipe
    for part in dotted.split("."):
        kind = typing.get_type_hints(kind)[part]
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        kind = next(choice for choice in typing.get_args(kind) if choice is not type(None))
    if typing.get_origin(kind) is typing.Literal:
        return str
    return kind if isinstance(kind, type) else tuple
