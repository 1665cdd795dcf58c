"""A recipe as text, in and out: TOML, and the flags that make it."""

from __future__ import annotations

import dataclasses
import shlex
import tomllib
import types
import typing
from pathlib import Path
from typing import Any, Literal, TypeVar

import tomli_w

from sandbox.errors import SandboxError, near, unknown
from sandbox.recipe import Recipe, flat

T = TypeVar("T")


def to_toml(recipe: Recipe, header: str = "") -> str:
    """The recipe as TOML, complete but for fields that are None; `header` becomes its first comment lines."""

    def table(spec: Any) -> dict[str, Any]:
        rows = {field.name: getattr(spec, field.name) for field in dataclasses.fields(spec)}
        return {
            name: table(value)
            if dataclasses.is_dataclass(value)
            else list(value)
            if isinstance(value, tuple)
            else value
            for name, value in rows.items()
            if value is not None
        }

    comment = "".join(f"# {line}\n" for line in header.splitlines())
    return comment + tomli_w.dumps(table(recipe))


def to_flags(recipe: Recipe) -> list[str]:
    """The words that make run.py build this recipe: every setting that is not the default, quoted for a shell."""
    plain, words = flat(Recipe()), []
    for name, value in flat(recipe).items():
        if value == plain[name] or value is None:
            continue
        parts = value if isinstance(value, tuple) else (value,)
        if isinstance(value, bool):
            head, _, leaf = name.rpartition(".")
            words.append(f"--{name}" if value else f"--{head + '.' if head else ''}no_{leaf}")
        else:
            words += [f"--{name}", *(shlex.quote(str(part)) for part in parts)]
    return words


def from_toml(text: str, *, source: str = "recipe") -> Recipe:
    """Read a recipe; what it does not name keeps its default.

    Raises:
        SandboxError: broken TOML, a key that does not exist, or a value of the wrong type.
    """
    try:
        rows = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SandboxError(f"{source} is not valid TOML: {error}") from None
    return _build(Recipe, rows, source, "")


def load(name_or_file: str, folder: Path) -> Recipe:
    """A recipe by the name of a file in `folder`, or by its path.

    Raises:
        SandboxError: no such recipe (the nearest is named), or it cannot be read.
    """
    path = Path(name_or_file)
    if path.suffix != ".toml":
        path = folder / f"{name_or_file}.toml"
        if not path.is_file():
            raise unknown(
                "recipe",
                name_or_file,
                [file.stem for file in folder.glob("*.toml")],
                f"or give FILE.toml; looked in {folder}",
            )
    if not path.is_file():
        raise SandboxError(f"no recipe file at {path}")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SandboxError(f"cannot read the recipe {path}: {error}") from None
    return from_toml(text, source=str(path))


def _build(kind: type[T], rows: dict[str, Any], source: str, prefix: str) -> T:
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for name, value in rows.items():
        if name not in hints:
            raise SandboxError(f"{source} has the key '{prefix}{name}', which does not exist{near(name, hints)}")
        inner = hints[name]
        if dataclasses.is_dataclass(inner):
            if not isinstance(value, dict):
                raise SandboxError(f"{source}: '{prefix}{name}' is a table of settings, not {value!r}")
            values[name] = _build(typing.cast(type, inner), value, source, f"{prefix}{name}.")
        else:
            values[name] = _cast(value, inner, f"{source}: '{prefix}{name}'")
    return kind(**values)


def _cast(value: Any, hint: Any, where: str) -> Any:
    """`value` as the field's type, or one sentence that says what is allowed."""
    origin, choices = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        if value not in choices:
            raise SandboxError(
                f"{where} is {value!r}, but takes one of {', '.join(map(repr, choices))}{near(str(value), choices)}"
            )
        return value
    if origin in (types.UnionType, typing.Union):
        return _cast(value, next(choice for choice in choices if choice is not type(None)), where)
    if origin is tuple:
        if not isinstance(value, list):
            raise SandboxError(f"{where} is {value!r}, but takes a list")
        return tuple(_cast(item, choices[0], where) for item in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not hint:
        raise SandboxError(f"{where} is {value!r}, but takes {_NAMES[hint]}")
    return value


_NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
