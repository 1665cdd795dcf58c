"""Which runs are wanted: what --where and --tag say."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from unicodedata import normalize

from sandbox.errors import SandboxError, near
from sandbox.reporting.records.fields import Field, find_field
from sandbox.reporting.records.objective_parts import miner_as_asked, objective_as_asked, parts_of
from sandbox.reporting.records.run import Run
from sandbox.reporting.records.where import Both, Comparison, Node, Not, Plain, Value, comparisons_in, parse_where
from sandbox.wording import counted, first_names, printable, shown

Holds = Callable[[Run], bool]
_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_LEAST_DIGEST = 4
"""Characters of a digest that name it."""


@dataclass(frozen=True)
class Choice:
    """A choice of runs; a --where that cannot be read is refused as this is made."""

    where: str = ""
    """Such as ``data.name = glyphs and seed < 5`` (`sandbox.reporting.records.where`); every run where empty."""
    tags: tuple[str, ...] = ()
    """Runs that have one of these; every run where empty."""

    def __post_init__(self) -> None:
        if self.where:
            parse_where(self.where)

    def of(self, runs: Sequence[Run]) -> list[Run]:
        """Those that are wanted, in their order.

        A comparison with what a run does not have is false: ``max_steps < 5`` of a run without ``max_steps``.

        Raises:
            SandboxError: a name or a value has no meaning, or no run is left.
        """
        tags = {normalize("NFC", tag) for tag in self.tags}  # as they are kept
        kept = [run for run in runs if not tags or tags & set(run.tags)]
        if not kept and self.tags:
            there = sorted({tag for run in runs for tag in run.tags})
            told = f"; the tags are {first_names(there)}" if there else "; they have no tags"
            raise SandboxError(f"none of {_runs(runs)} has the tag {' or '.join(map(shown, self.tags))}{told}")
        if not self.where:
            return kept
        tree = parse_where(self.where)
        holds = {id(test): _holds(test, find_field(test.name, test.column, kept)) for test in comparisons_in(tree)}
        found = [run for run in kept if _true(tree, run, holds)]
        if not found:
            raise SandboxError(_none(tree, kept, holds, self.tags))
        return found


def _runs(runs: Sequence[Run]) -> str:
    return counted(len(runs), "run", "runs")


def _true(node: Node, run: Run, holds: dict[int, Holds]) -> bool:
    if isinstance(node, Comparison):
        return holds[id(node)](run)
    if isinstance(node, Not):
        return not _true(node.inner, run, holds)
    parts = (_true(part, run, holds) for part in node.parts)
    return all(parts) if isinstance(node, Both) else any(parts)


def _holds(test: Comparison, field: Field) -> Holds:
    """Whether a run meets a test.

    Raises:
        SandboxError: the values are of another kind than what they are compared with.
    """
    if test.operator in _ORDER:
        (value,), less = test.values, _ORDER[test.operator]
        if field.kind != "number":
            holds = "holds several values" if field.kind == "numbers" else "has no order"
            raise _refused(test, f"{field.name} {holds}; it is compared by =, != and in")
        bound = _number(test, field, value)
        if bound is None:
            raise _refused(test, "none has no order; write = none or != none")
        return lambda run: any(isinstance(v, float) and less(v, bound) for v in field.of(run))
    alike = [_alike(test, field, value) for value in test.values]
    if test.operator == "!=":
        return lambda run: not any(one(run) for one in alike)
    return lambda run: any(one(run) for one in alike)


def _alike(test: Comparison, field: Field, value: Value) -> Holds:
    """Whether a run has a value."""
    if value.plain is None:
        return lambda run: not field.of(run)
    if field.kind == "objective":
        spelt, mined = objective_as_asked(value.text)
        return lambda run: spelt == _spelt(run, mined)
    wanted: Plain = normalize("NFC", value.text) if field.name == "tag" else value.text
    if field.kind in ("number", "numbers"):
        wanted = value.text if value.text in field.choices else _number(test, field, value)
    elif field.kind == "truth":
        if not isinstance(value.plain, bool):
            raise _refused(test, f"{field.name} is true or false, not {shown(value.text)}")
        wanted = value.plain
    elif field.kind == "miner":
        wanted = miner_as_asked(value.text)
    elif field.kind == "digest":
        if len(value.text) < _LEAST_DIGEST:
            raise _refused(test, f"of a digest at least {_LEAST_DIGEST} characters are needed, not {shown(value.text)}")
        return lambda run: run.digest.startswith(value.text)
    elif field.choices and value.text not in field.choices:
        close = near(value.text, field.choices) or f"; it is {' or '.join(field.choices)}"
        raise _refused(test, f"{field.name} is never {shown(value.text)}{close}")
    return lambda run: wanted in field.of(run)


def _number(test: Comparison, field: Field, value: Value) -> float | None:
    if value.plain is None:
        return None
    if isinstance(value.plain, float):
        return value.plain
    words = "".join(f" or {word}" for word in field.choices)
    raise _refused(test, f"{field.name} is a number{words}, not {shown(value.text)}")


def _spelt(run: Run, mined: bool) -> str:
    parts = parts_of(run.recipe.loss, run.recipe.miner)
    return parts.whole if mined else parts.without_miners


def _refused(test: Comparison, why: str) -> SandboxError:
    return SandboxError(f"--where at character {test.column}: {why}")


def _none(tree: Node, runs: Sequence[Run], holds: dict[int, Holds], tags: Sequence[str]) -> str:
    """What to say where no run is left: which part none has, and what they have instead."""
    of = _runs(runs) + (f" with the tag {' or '.join(map(shown, tags))}" if tags else "")
    parts = tree.parts if isinstance(tree, Both) else (tree,)
    missed = [part for part in parts if not any(_true(part, run, holds) for run in runs)]
    if not missed:
        return f"none of {of} has all that --where asks for, though each part alone is true of some"
    tests = list({test.name: test for test in comparisons_in(missed[0])}.values())[:3]
    asked = str(missed[0]) if isinstance(missed[0], Comparison) else "what --where asks for"
    told = "; ".join(_told(find_field(test.name, test.column, runs), runs) for test in tests)
    return f"none of {of} has {asked}; {told}"


def _told(field: Field, runs: Sequence[Run]) -> str:
    """What values of a field there are."""
    name = printable(field.name)
    values = list(dict.fromkeys(value for run in runs for value in field.of(run)))
    numbers = sorted(value for value in values if isinstance(value, float))
    if not values:
        return f"{name} is set in none"
    if len(numbers) == len(values) > 4:
        return f"{name} lies between {numbers[0]:.4g} and {numbers[-1]:.4g}"
    spelt = sorted(map(_short, values))
    more = f" or one of {len(spelt) - 5:,} more" if len(spelt) > 5 else ""
    return f"{name} is {' or '.join(map(printable, spelt[:5]))}{more}"


def _short(value: Plain) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else value if len(value) <= 80 else f"{value[:77]}..."
