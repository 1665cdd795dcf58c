"""The words that `sandbox.recipe.text.to_flags` writes, read back without a parser of command lines."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Sequence
from functools import cache
from typing import Any

import tomli_w

from sandbox.errors import SandboxError, near
from sandbox.recipe.specs import DataKinds, DataSpec, Recipe
from sandbox.recipe.text import chosen_type, from_toml
from sandbox.wording import shown


def from_flags(words: Sequence[str], *, source: str, kinds: DataKinds) -> Recipe:
    """The recipe of which `to_flags` wrote these words, their quotes taken off (`shlex.split`).

    Args:
        words: ``--name value``, ``--name value value`` for lists, ``--name`` and ``--no_name`` for truths.
        source: what errors call it.
        kinds: the settings of each data set (`sandbox.data.catalog.data_kinds`).

    Raises:
        SandboxError: a word that is no setting, or a value of another type.
    """
    given = _grouped(words, source)
    name = (given.get("data.name") or [DataSpec.name])[0]
    kind: Any = kinds.get(name, DataSpec)
    hints = setting_hints(kind)
    rows: dict[str, Any] = {}
    for dotted, values in given.items():
        head, _, leaf = dotted.rpartition(".")
        plain = f"{head}.{leaf.removeprefix('no_')}" if head else leaf.removeprefix("no_")
        known = dotted if dotted in hints else plain
        if known not in hints or (known != dotted and hints[known] is not bool):
            raise SandboxError(f"{source} has the flag --{dotted}, which is no setting of a run{near(dotted, hints)}")
        inner = rows
        *above, last = known.split(".")
        for part in above:
            inner = inner.setdefault(part, {})
        inner[last] = _value(values, hints[known], f"{source}: --{dotted}", said=known == dotted)
    return from_toml(tomli_w.dumps(rows), source=source, kinds=kinds)


def _grouped(words: Sequence[str], source: str) -> dict[str, list[str]]:
    """Flag, without its dashes -> the words up to the next one."""
    given: dict[str, list[str]] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word[2:]
            if name in given:
                raise SandboxError(f"{source} has the flag --{name} twice")
            given[name] = []
        elif name:
            given[name].append(word)
        else:
            raise SandboxError(f"{source} begins with {shown(word)}, which is no flag")
    return given


@cache
def setting_hints(data: type) -> dict[str, Any]:
    """Dotted name -> type of every setting of a recipe with such data."""

    def below(kind: Any, prefix: str) -> dict[str, Any]:
        rows: dict[str, Any] = {}
        for name, hint in typing.get_type_hints(kind).items():
            inner = data if hint is DataSpec else hint
            rows |= below(inner, f"{prefix}{name}.") if dataclasses.is_dataclass(inner) else {prefix + name: hint}
        return rows

    return below(Recipe, "")


def _value(texts: Sequence[str], hint: Any, where: str, said: bool = True) -> Any:
    """The words after a flag as a value of TOML; `from_toml` checks it against the setting."""
    choices = typing.get_args(hint)
    if hint is bool:
        if texts:
            raise SandboxError(f"{where} takes no value, but has {shown(texts[0])}")
        return said
    if typing.get_origin(hint) is tuple:
        return [_value([text], choices[0], where) for text in texts]
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return _value(texts, chosen_type(choices, texts[0] if len(texts) == 1 else None), where)
    if len(texts) != 1:
        raise SandboxError(f"{where} has {len(texts)} values, but takes one")
    (text,) = texts
    try:
        return hint(text) if hint in (int, float) else text
    except ValueError:
        raise SandboxError(f"{where} is {shown(text)}, but takes a number") from None
