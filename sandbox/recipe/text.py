"""A recipe as text, in and out: TOML, and the flags that make it."""

from __future__ import annotations

import dataclasses
import reprlib
import shlex
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

import tomli_w

from sandbox.errors import SandboxError, near, unknown
from sandbox.recipe.specs import DataKinds, DataSpec, Recipe, as_kind, flat, is_foreign
from sandbox.wording import printable

T = TypeVar("T")
_LARGEST = 2**20
_NONE: DataKinds = MappingProxyType({})


@dataclass(frozen=True)
class _Source:
    """Where a recipe is read from, and which settings its data may have."""

    name: str
    kinds: DataKinds

    def __str__(self) -> str:
        return self.name


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

    # A control character, as a file's name may have, is none that a comment may hold.
    comment = "".join(f"# {printable(line)}\n" for line in header.splitlines())
    return comment + tomli_w.dumps(table(recipe))


def to_flags(recipe: Recipe) -> list[str]:
    """The words that make run.py build this recipe: every setting that is not the default, quoted for a shell."""
    plain, words = flat(Recipe(data=type(recipe.data)())), []
    for name, value in flat(recipe).items():
        if value == plain[name] or value is None:
            continue
        parts = value if isinstance(value, tuple) else (value,)
        if isinstance(value, bool):
            head, _, leaf = name.rpartition(".")
            words.append(f"--{name}" if value else f"--{head + '.' if head else ''}no_{leaf}")
        else:
            words += [f"--{name}", *(quoted(str(part)) for part in parts)]
    return words


def quoted(text: str) -> str:
    """A word for a shell, in the quotes that leave it readable: double ones where it holds single ones."""
    plain = "'" in text and not any(character in text for character in '"$`\\!')
    return f'"{text}"' if plain else shlex.quote(text)


def from_toml(text: str, *, source: str = "recipe", kinds: DataKinds = _NONE) -> Recipe:
    """Read a recipe; what it does not name keeps its default.

    Args:
        text: the TOML.
        source: what errors call it.
        kinds: the settings of each data set (`sandbox.data.catalog.data_kinds`); those that all have, where not given.

    Raises:
        SandboxError: broken TOML, a key that does not exist, or a value of the wrong type.
    """
    return _build(Recipe, _rows(text, source), _Source(source, kinds), "")


def from_settings(rows: Mapping[str, Any], base: Recipe, *, source: str = "recipe", kinds: DataKinds = _NONE) -> Recipe:
    """A recipe with settings over it, nested as in TOML; `source` and `kinds` as for `from_toml`.

    Raises:
        SandboxError: a key that does not exist, or a value of the wrong type.
    """
    return _build(Recipe, dict(rows), _Source(source, kinds), "", base)


def _rows(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a bare ValueError
        raise SandboxError(f"{source} is not valid TOML: {error}") from None


@dataclass(frozen=True)
class Stage:
    """One of several runs that a recipe file asks for, one after the other."""

    name: str
    rows: Mapping[str, Any]
    """What it sets over the rest of the file, nested as in TOML."""
    source: _Source

    def over(self, recipe: Recipe) -> Recipe:
        """The recipe with the stage's settings over it.

        Raises:
            SandboxError: a key that does not exist, or a value of the wrong type.
        """
        source = dataclasses.replace(self.source, name=f"{self.source.name}, stage '{self.name}'")
        return _build(Recipe, dict(self.rows), source, "", recipe)


def load(name_or_file: str, folder: Path, kinds: DataKinds = _NONE) -> Recipe:
    """A recipe by the name of a file in `folder`, or by its path; `kinds` as for `from_toml`.

    Raises:
        SandboxError: no such recipe (the nearest is named), it cannot be read, or it has stages.
    """
    recipe, stages = load_staged(name_or_file, folder, kinds)
    if stages:
        names = ", ".join(stage.name for stage in stages)
        raise SandboxError(f"the recipe {name_or_file} has stages ({names}), which only run.py takes")
    return recipe


def load_staged(name_or_file: str, folder: Path, kinds: DataKinds = _NONE) -> tuple[Recipe, tuple[Stage, ...]]:
    """A recipe and its ``[[stages]]``, if it has any; `kinds` as for `from_toml`.

    Raises:
        SandboxError: no such recipe (the nearest is named), or it cannot be read.
    """
    path, text = _find(name_or_file, folder)
    rows = _rows(text, str(path))
    source = _Source(str(path), kinds)
    stages = _stages(rows.pop("stages"), source) if "stages" in rows else ()
    recipe = _build(Recipe, rows, source, "")
    for stage in stages:
        stage.over(recipe)  # a mistake in the last stage is said before the first one trains
    return recipe, stages


def _stages(given: Any, source: _Source) -> tuple[Stage, ...]:
    if not isinstance(given, list) or not all(isinstance(rows, dict) for rows in given):
        raise SandboxError(f"{source}: stages are tables, each under a line [[stages]]")
    if not given:
        raise SandboxError(f"{source}: stages is empty; write each under a line [[stages]], or leave the key out")
    stages: list[Stage] = []
    for place, rows in enumerate(given, start=1):
        name = rows.pop("name", "")
        if not isinstance(name, str) or not name.strip():
            raise SandboxError(f'{source}: stage {place} has no name; give it one, such as name = "pretrain"')
        if name in (stage.name for stage in stages):
            raise SandboxError(f"{source} has two stages named '{name}'")
        stages.append(Stage(name, rows, source))
    return tuple(stages)


def _find(name_or_file: str, folder: Path) -> tuple[Path, str]:
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
        return path, read_recipe(path)
    except (OSError, ValueError) as error:
        raise SandboxError(f"cannot read the recipe {path}: {error}") from None


def read_recipe(path: Path) -> str:
    """The text of a recipe file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no UTF-8, or longer than any recipe is.
    """
    with path.open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"it is longer than the {_LARGEST:,} bytes that are read")
    return content.decode("utf-8-sig")


def _build(kind: type[T], rows: dict[str, Any], source: _Source, prefix: str, base: T | None = None) -> T:
    """The dataclass that the rows make, over its defaults or over `base`."""
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for name, value in rows.items():
        if name not in hints:
            raise SandboxError(f"{source} has the key '{prefix}{name}', which does not exist{near(name, hints)}")
        inner = hints[name]
        if dataclasses.is_dataclass(inner):
            if not isinstance(value, dict):
                raise SandboxError(f"{source}: '{prefix}{name}' is a table of settings, not {_spelt(value)}")
            under = None if base is None else getattr(base, name)
            if inner is DataSpec:
                values[name] = _build_data(value, source, under)
            else:
                values[name] = _build(typing.cast(type, inner), value, source, f"{prefix}{name}.", under)
        else:
            values[name] = as_type(value, inner, f"{source}: '{prefix}{name}'")
    return kind(**values) if base is None else dataclasses.replace(base, **values)  # type: ignore[type-var]


def _build_data(rows: dict[str, Any], source: _Source, base: DataSpec | None) -> DataSpec:
    """The settings of the data set that the rows name, else of that of `base`.

    Settings of other data sets may stand at their defaults, as earlier versions wrote them of every recipe.
    """
    name = rows.get("name", DataSpec.name if base is None else base.name)
    kind = source.kinds.get(name, DataSpec) if isinstance(name, str) else DataSpec
    hints = typing.get_type_hints(kind)
    rows = {k: v for k, v in rows.items() if k in hints or not is_foreign(k, v, name, source.kinds)}
    return _build(kind, rows, source, "data.", None if base is None else as_kind(base, kind))


def as_type(value: Any, hint: Any, where: str) -> Any:
    """`value` as the field's type, or one sentence that says what is allowed."""
    origin, choices = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        if value not in choices:
            close = near(value, choices) if isinstance(value, str) else ""
            raise SandboxError(f"{where} is {_spelt(value)}, but takes one of {', '.join(map(repr, choices))}{close}")
        return value
    if origin in (types.UnionType, typing.Union):
        words = [word for choice in choices if typing.get_origin(choice) is Literal for word in typing.get_args(choice)]
        if words and isinstance(value, str) and value not in words:
            raise SandboxError(f"{where} is {_spelt(value)}, but takes {_NAMES[choices[0]]} or {', '.join(words)}")
        return as_type(value, chosen_type(choices, value), where)
    if origin is tuple:
        if not isinstance(value, list):
            raise SandboxError(f"{where} is {_spelt(value)}, but takes a list")
        return tuple(as_type(item, choices[0], where) for item in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise SandboxError(f"{where} is larger than any number of the machine") from None
    if type(value) is not hint:
        raise SandboxError(f"{where} is {_spelt(value)}, but takes {_NAMES[hint]}")
    return value


def chosen_type(choices: tuple[Any, ...], value: Any) -> Any:
    """Of the types that a setting may have, the value's own or the words that it is one of, else the first.

    So it is with 3 and all of folds, and with 64 and 256x128 of image sizes.
    """
    if value is not None and type(value) in choices:
        return type(value)
    words = (choice for choice in choices if typing.get_origin(choice) is Literal)
    named = [choice for choice in words if isinstance(value, str) and value in typing.get_args(choice)]
    return named[0] if named else next(choice for choice in choices if choice is not type(None))


def _spelt(value: Any) -> str:
    """A value as Python writes it, cut where it is long or deep."""
    return reprlib.repr(value) if isinstance(value, dict | list) or len(str(value)) > 200 else repr(value)


_NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
