"""Flags in, a dataclass out: tyro, with its boxed errors said in one sentence."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import re
import typing
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

import tyro

from sandbox.called import typed
from sandbox.cli import help
from sandbox.errors import SandboxError, near
from sandbox.recipe.specs import DataSpec, as_kind, is_foreign, own_settings

T = TypeVar("T")
_PLUGINS = "Every command takes --plugin FILE.py as well: losses, miners, networks, data sets and metrics of your own."


def parse(
    kind: type[T],
    argv: Sequence[str],
    *,
    prog: str,
    description: str,
    default: T | None = None,
    untold: Sequence[str] = (),
) -> T:
    """Read command-line flags into a dataclass.

    Args:
        kind: the dataclass; nested dataclasses become dotted flags, field docstrings their help.
        argv: the words after the command's name.
        prog: the command as a person types it, shown in the usage line.
        description: the paragraph above the flags in ``--help``.
        default: values for the flags that are not given.
        untold: fields whose flags ``--help`` leaves out; the description says where they are told.

    Raises:
        SandboxError: one sentence for an unknown flag, a wrong type or a missing value.
    """
    helping = help.asked(argv)
    if not helping:
        _check_words(kind, argv)
    whole = with_data_settings(typing.cast(Any, kind))
    if helping:
        whole = help.told(whole, untold)
    message = io.StringIO()
    try:
        with contextlib.redirect_stderr(message), help.fitted() if helping else contextlib.nullcontext():
            parsed = tyro.cli(
                whole,
                args=list(argv),
                prog=prog,
                description=f"{description}\n\n{_PLUGINS}" if helping else description,
                default=_recast(default, whole) if default is not None else tyro.MISSING_NONPROP,
                use_underscores=True,
            )
    except SystemExit as end:
        if end.code in (0, None):
            raise
        raise SandboxError(_sentence(message.getvalue(), whole, argv)) from None
    return _recast(parsed, kind)


def _check_words(kind: type, argv: Sequence[str]) -> None:
    """Refuse a flag that is given twice, and one for several values that is given none.

    Raises:
        SandboxError: names the flag.
    """
    several = [f"--{name}" for name in flag_names(kind, wanted=tuple)]
    places = [place for place, word in enumerate(argv) if word.startswith("--")]
    names = ["--" + argv[place][2:].split("=")[0].replace("-", "_") for place in places]
    for place, name in zip(places, names, strict=True):
        if names.count(name) > 1:
            hint = f"; several values stand behind one: {name} A B" if name in several else ""
            raise SandboxError(f"the flag '{name}' is given twice{hint}")
        if name in several and "=" not in argv[place] and (place + 1 == len(argv) or place + 1 in places):
            raise SandboxError(f"no value stands behind {name} (--help says what it takes)")


@cache
def with_data_settings(kind: Any) -> Any:
    """The same dataclass with every setting of every data set where one has the settings of its data."""
    if kind is DataSpec:
        from sandbox.data.catalog import data_kinds

        bases = tuple(dict.fromkeys(own for own in data_kinds().values() if own is not DataSpec)) or (DataSpec,)
        return dataclasses.dataclass(frozen=True, kw_only=True)(
            type("DataSettings", bases, {"__doc__": DataSpec.__doc__})
        )
    hints, changed = typing.get_type_hints(kind, include_extras=True), {}
    for field in dataclasses.fields(kind):
        inner, marks = help.unmarked(hints[field.name])
        whole = with_data_settings(typing.cast(Any, inner)) if dataclasses.is_dataclass(inner) else inner
        if whole is not inner:
            hint = typing.Annotated[whole, *marks] if marks else whole
            changed[field.name] = (hint, _recast(field.default, whole))
    if not changed:
        return kind
    rows = [(name, hint, dataclasses.field(default=default)) for name, (hint, default) in changed.items()]
    return dataclasses.make_dataclass(
        kind.__name__, rows, bases=(kind,), namespace={"__doc__": kind.__doc__}, frozen=True, kw_only=True
    )


def _recast(given: Any, kind: Any) -> Any:
    """The same values as another dataclass of the same fields; data have the settings of their data set, or all.

    Raises:
        SandboxError: a setting is given that another data set has.
    """
    if issubclass(kind, DataSpec):
        if kind is not DataSpec:
            return as_kind(given, kind)
        from sandbox.data.catalog import data_kinds

        kinds = data_kinds()
        own = kinds.get(given.name, DataSpec)
        for name in own_settings(type(given)):
            is_foreign(name, getattr(given, name), given.name, kinds)
        return as_kind(given, own)
    hints, values = typing.get_type_hints(kind, include_extras=True), {}
    for field in dataclasses.fields(kind):
        value, inner = getattr(given, field.name), help.unmarked(hints[field.name])[0]
        values[field.name] = _recast(value, inner) if dataclasses.is_dataclass(inner) else value
    return kind(**values)


def _sentence(boxed: str, kind: type, argv: Sequence[str]) -> str:
    """The parser's message without its frame, with the nearest flag where one was misspelt."""
    rows = [re.sub(r"^[│╭╰]\s?|\s*[│╮╯]$", "", row).strip() for row in boxed.splitlines()]
    body: list[str] = []
    for row in rows[1:]:
        if set(row) <= set("─"):
            break
        body.append(row)
    text = " ".join(body).strip().replace("Expected one of ('', ", "Expected one of (")  # a flag is left out for that
    misspelt = re.match(r"Unrecognized options: (.*)", text)
    if misspelt:
        word = misspelt[1].split(", ")[0]
        if word.startswith("-"):
            close = near("--" + word.lstrip("-").replace("-", "_"), [f"--{name}" for name in flag_names(kind)])
            return f"no flag '{word}'{close} (--help lists them)"
        return f"'{word}' stands where no value is expected; flags are written --name value (--help lists them)"
    wrong = re.match(r"Error parsing (--\S+): (.*)", text)
    if wrong:
        return f"{wrong[1]}: {wrong[2].rstrip('.')} (--help says what it takes)"
    return text.rstrip(".") or f"cannot read the flags {' '.join(argv)}"


def flag_names(kind: type, prefix: str = "", wanted: type | None = None) -> list[str]:
    """Every dotted flag of a dataclass, without the dashes; a field marked with an empty name adds no prefix.

    Args:
        kind: the dataclass.
        prefix: what stands before each.
        wanted: flags of this type alone, such as tuple; all where not given. Words without a flag are none.
    """
    hints = typing.get_type_hints(kind, include_extras=True)
    names: list[str] = []
    for field in dataclasses.fields(kind):
        inner, marks = help.unmarked(hints[field.name])
        if dataclasses.is_dataclass(inner):
            names += flag_names(typing.cast(type, inner), prefix if marks else f"{prefix}{field.name}.", wanted)
        elif wanted is None or (typing.get_origin(inner) is wanted and tyro.conf.Positional not in marks):
            names.append(prefix + field.name.rstrip("_"))  # as in from_, which Python has no field named from for
    return names


def value(argv: Sequence[str], flag: str) -> str:
    """The value of a flag that must be known before the others can be read; empty where it is not given."""
    for place, word in enumerate(argv):
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
        if word == flag and place + 1 < len(argv):
            if not argv[place + 1]:
                raise SandboxError(f"{flag} is empty")
            return argv[place + 1]
    return ""


def given(argv: Sequence[str]) -> set[str]:
    """The flags that a person gave, at their default or not, spelt with _ and without the dashes."""
    return {word[2:].partition("=")[0].replace("-", "_") for word in argv if word.startswith("--")}


def without(argv: Sequence[str], names: Sequence[str]) -> list[str]:
    """The words of a command but for some flags and their one value each; - and _ are one in a flag."""
    kept: list[str] = []
    skip = False
    for word in argv:
        name = word.partition("=")[0].replace("-", "_")
        if skip:
            skip = False
        elif any(name == other.replace("-", "_") for other in names):
            skip = "=" not in word
        else:
            kept.append(word)
    return kept


def quiet_libraries() -> None:
    """Leave a person's terminal to the command: no import-time or deprecation warnings of libraries."""
    if not os.environ.get("PYTHONWARNINGS"):
        warnings.filterwarnings("ignore")


def short(value: object) -> str:
    """A number as a person reads it: four digits that count."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def program() -> str:
    """The command as it was typed, for usage lines and for the record."""
    return typed()
