"""What an objective is made of, as --where asks for it: its canonical spelling, its miners and its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sandbox.errors import SandboxError
from sandbox.wording import shown

if TYPE_CHECKING:
    from sandbox.objectives.expression import Bound, Expression

ALSO_SETTINGS = frozenset({"gamma", "momentum", "scale"})
"""Parameters of objectives that a setting's last part is called as well; known without the catalogue, which is slow."""
_SIMPLE = ("number", "whole", "truth", "text", "choice", "whole or 'all'")


@dataclass(frozen=True)
class Parts:
    """An objective taken apart."""

    whole: str
    """Its canonical spelling, miners inside."""
    without_miners: str
    miners: tuple[str, ...] = ()
    parameters: tuple[tuple[str, Any], ...] = ()
    """Dotted name and value, defaults too, outer ones first: ``triplet_margin.margin``, ``center.weight``."""


@lru_cache(maxsize=4096)
def parts_of(loss: str, miner: str = "none") -> Parts:
    """An objective of a run taken apart; one that today's catalogue cannot read has its text alone."""
    from sandbox.objectives.resolve import resolve

    try:
        return _taken_apart(resolve(loss, miner))
    except SandboxError:
        return Parts(loss, loss)


def objective_as_asked(text: str) -> tuple[str, bool]:
    """The canonical spelling of an objective, and whether it says anything of miners; where not, miners do not count.

    Raises:
        SandboxError: it is no objective, or one with marks for a search.
    """
    from sandbox.objectives.language import parse
    from sandbox.objectives.resolve import resolve

    expression = resolve(text)
    if expression.tunes():
        raise SandboxError(f"{shown(text)} has marks for a search, but runs have one value for each")
    mined = any("miner" in term.call.kwargs for term in parse(text))
    parts = _taken_apart(expression)
    return (parts.whole, True) if mined else (parts.without_miners, False)


def miner_as_asked(text: str) -> str:
    """The canonical spelling of a miner.

    Raises:
        SandboxError: there is none of that name, or it does not take these values.
    """
    from sandbox.objectives.resolve import resolve

    return str(resolve("triplet_margin", text).terms[0].loss.values["miner"])


def parameter_kinds(name: str) -> set[str]:
    """What a parameter takes, over all objectives that have one of that name; empty where none has.

    Args:
        name: ``margin``, ``loss.margin``, ``triplet_margin.margin`` or ``triplet_margin.miner.margin``.
    """
    from sandbox.objectives.catalog import catalog, look_up

    path = name.removeprefix("loss.").split(".")
    last = path[-1]
    entries = [entry for slot in ("loss", "miner") for entry in catalog(slot).values()]  # type: ignore[arg-type]
    if len(path) > 1:
        try:
            owner = look_up(path[0].partition("#")[0], "loss")[0]
        except SandboxError:
            return set()
        entries = [owner] if len(path) == 2 else entries
    if last == "weight" and len(path) <= 2:
        return {"number"}
    found = {entry.parameters[last].kind for entry in entries if last in entry.parameters}
    return found & set(_SIMPLE)


def parameter_of(parts: Parts, name: str) -> Any:
    """The value of a parameter in an objective; None where it has none.

    Raises:
        SandboxError: several terms have one, and which is meant is not said.
    """
    name = name.removeprefix("loss.")
    if "." in name:
        return dict(parts.parameters).get(_spelt_out(name))
    found = [(path, value) for path, value in parts.parameters if path.rpartition(".")[2] == name]
    outer = [pair for pair in found if pair[0].count(".") == 1] or found
    if len(outer) > 1:
        paths = " or ".join(path for path, _ in outer)
        raise SandboxError(f"--where names {name}, which '{parts.whole}' has more than once: write {paths}")
    return outer[0][1] if outer else None


def _spelt_out(path: str) -> str:
    """A path with the canonical name of its loss: ``triplet.margin`` is ``triplet_margin.margin``."""
    from sandbox.objectives.catalog import look_up

    head, _, rest = path.partition(".")
    head, mark, number = head.partition("#")
    try:
        return f"{look_up(head, 'loss')[0].name}{mark}{number}.{rest}"
    except SandboxError:
        return path


def _taken_apart(expression: Expression) -> Parts:
    import dataclasses

    from sandbox.objectives.expression import Bound, Expression, ordered

    bare = []
    for term in expression.terms:
        values = {key: value for key, value in term.loss.values.items() if key != "miner"}
        bare.append(dataclasses.replace(term, loss=Bound(term.loss.entry, values)))
    miners = tuple(str(t.loss.values["miner"]) for t in expression.terms if t.loss.values.get("miner"))
    parameters: list[tuple[str, Any]] = []
    for name, term in expression.named():
        parameters += [(f"{name}.weight", term.weight), *_parameters(term.loss, name)]
    return Parts(str(expression), str(Expression(ordered(bare))), miners, tuple(parameters))


def _parameters(bound: Bound, path: str) -> list[tuple[str, Any]]:
    from sandbox.objectives.catalog import REQUIRED
    from sandbox.objectives.expression import Bound

    found: list[tuple[str, Any]] = []
    for key, parameter in bound.entry.parameters.items():
        value = bound.values.get(key, parameter.default)
        if isinstance(value, Bound):
            found += _parameters(value, f"{path}.{key}")
        elif parameter.kind in _SIMPLE and value is not REQUIRED:
            found.append((f"{path}.{key}", value))
    return found
