"""What a NAME of --where is of a run: a setting, a fact, a figure, or a parameter of its objective."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any, Literal

from sandbox.data.catalog import data_kinds
from sandbox.errors import SandboxError, near
from sandbox.recipe.specs import Recipe, own_settings
from sandbox.reporting.records.names import figure_key
from sandbox.reporting.records.objective_parts import ALSO_SETTINGS, parameter_kinds, parameter_of, parts_of
from sandbox.reporting.records.run import Run
from sandbox.reporting.records.where import Plain
from sandbox.wording import shown

Kind = Literal["number", "numbers", "truth", "text", "objective", "miner", "digest"]


@dataclass(frozen=True)
class Field:
    """One thing that runs have."""

    name: str
    """As it is best written."""
    kind: Kind
    of: Callable[[Run], tuple[Plain, ...]]
    """Its values in a run; none where it is not set. Only tags, miners and settings of several values have more."""
    choices: tuple[str, ...] = ()
    """The only values there can be, of a number those beside numbers; any where empty."""


def find_field(name: str, column: int, runs: Sequence[Run]) -> Field:
    """What a name stands for.

    Args:
        name: as it is written.
        column: where, for the error.
        runs: those whose figures and parameters there are.

    Raises:
        SandboxError: nothing is called so, or several things are.
    """
    plain = name.strip().lstrip("-")
    if plain.lower() in _FACTS:
        return _FACTS[plain.lower()]
    settings, dotted = _settings(), plain.replace("-", "_")
    if dotted in settings:
        return settings[dotted]
    ends = [setting for setting in settings if setting.rpartition(".")[2] == dotted]
    if len(ends) > 1 or (ends and dotted in ALSO_SETTINGS):
        parameter = [f"loss.{dotted} (of the objective)"] if dotted in ALSO_SETTINGS else []
        raise SandboxError(
            f"--where at character {column}: {shown(plain)} may be {' or '.join([*ends, *parameter])}; write it out"
        )
    if ends:
        return settings[ends[0]]
    return _figure(plain, runs) or _parameter(plain) or _nothing(plain, column, runs)


def _figure(name: str, runs: Sequence[Run]) -> Field | None:
    try:
        key = figure_key(name, (key for run in runs for key in run.figures))
    except SandboxError:
        return None
    split, _, plain = key.partition("/")

    def of(run: Run) -> tuple[Plain, ...]:
        entry = run.report.get(split, {}).get(plain, {})
        # What the data cannot support is in no table either.
        return (float(entry["value"]),) if entry and entry.get("supported") is not False else ()

    return Field(name, "number", of)


def _parameter(name: str) -> Field | None:
    kinds = parameter_kinds(name)
    if not kinds:
        return None
    kind: Kind = "number" if kinds <= {"number", "whole"} else "truth" if kinds == {"truth"} else "text"

    def of(run: Run) -> tuple[Plain, ...]:
        value = parameter_of(parts_of(run.recipe.loss, run.recipe.miner), name)
        if value is None:
            return ()
        return (float(value) if kind == "number" else value if kind == "truth" else str(value),)

    return Field(name, kind, of)


def _nothing(name: str, column: int, runs: Sequence[Run]) -> Field:
    settings = _settings()
    keys = {key.partition("/")[2] for run in runs for key in run.figures}
    figures = [*keys, *(key.rpartition("/")[2] for key in keys)]
    objectives = {parts_of(run.recipe.loss, run.recipe.miner) for run in runs}
    parameters = sorted({path.rpartition(".")[2] for parts in objectives for path, _ in parts.parameters})
    known = [*_FACTS, *settings, *(s.rpartition(".")[2] for s in settings), *sorted(figures), *parameters]
    raise SandboxError(
        f"--where at character {column}: nothing of a run is called {shown(name)}"
        + (near(name.lower(), known) or "; it takes settings such as data.name, figures such as MAP@R, seed and tag")
    )


@cache
def _settings() -> dict[str, Field]:
    """Every setting by its dotted name, those of single data sets too."""
    found = dict(_of_kind(Recipe, ""))
    for kind in data_kinds().values():
        found |= {f.name: f for _, f in _of_kind(kind, "data.") if f.name.removeprefix("data.") in own_settings(kind)}
    return found


def _of_kind(kind: type, prefix: str) -> Iterable[tuple[str, Field]]:
    hints = typing.get_type_hints(kind)
    for field in fields(typing.cast(Any, kind)):
        hint = hints[field.name]
        if is_dataclass(hint):
            yield from _of_kind(typing.cast(type, hint), f"{field.name}.")
        else:
            yield prefix + field.name, Field(prefix + field.name, *_typed(hint, prefix + field.name))


def _typed(hint: Any, name: str) -> tuple[Kind, Callable[[Run], tuple[Plain, ...]], tuple[str, ...]]:
    """Kind, values and choices of a setting of a type."""
    words: tuple[str, ...] = ()
    if typing.get_origin(hint) in (types.UnionType, typing.Union):  # such as int | None, or int | Literal["all"] | None
        parts = [part for part in typing.get_args(hint) if part is not type(None)]
        words = tuple(word for part in parts[1:] for word in typing.get_args(part))
        hint = parts[0]

    def of(run: Run) -> tuple[Plain, ...]:
        value = run.settings.get(name)
        values = value if isinstance(value, tuple) else (value,)
        return tuple(v if isinstance(v, str | bool) else float(v) for v in values if v is not None and v != "")

    if typing.get_origin(hint) is Literal:
        return "text", of, tuple(map(str, typing.get_args(hint)))
    if typing.get_origin(hint) is tuple:
        return "numbers", of, ()
    return ("truth" if hint is bool else "number" if hint in (int, float) else "text"), of, words


def _fact(name: str, *keys: str, scale: float = 1.0) -> Field:
    """A number of run.json; a run from before it was written has none."""

    def of(run: Run) -> tuple[Plain, ...]:
        value: Any = run.facts
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return (float(value * scale),) if type(value) in (int, float) else ()

    return Field(name, "number", of)


def _objective(run: Run) -> tuple[Plain, ...]:
    return (parts_of(run.recipe.loss, run.recipe.miner).whole,)


_LOSS = Field("loss", "objective", _objective)
_TAG = Field("tag", "text", lambda run: run.tags)
_FACTS = {
    "loss": _LOSS,
    "objective": _LOSS,
    "miner": Field("miner", "miner", lambda run: parts_of(run.recipe.loss, run.recipe.miner).miners),
    "tag": _TAG,
    "tags": _TAG,
    "digest": Field("digest", "digest", lambda run: (run.digest,)),
    "status": Field("status", "text", lambda run: (str(run.facts.get("status", "done")),)),
    "seed": Field("seed", "number", lambda run: (float(run.seed),)),
    "stage": Field("stage", "text", lambda run: (str(run.facts["stage"]),) if run.facts.get("stage") else ()),
    "steps": _fact("steps", "steps"),
    "hours": _fact("hours", "seconds", "total", scale=1 / 3600),
}
