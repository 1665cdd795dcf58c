"""What a call in Python was given, held to the types that a flag has of itself."""

from __future__ import annotations

import os
import reprlib
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.errors import SandboxError, unknown
from sandbox.recipe.text import as_type


def plain(value: Any) -> Any:
    """A value as TOML would have it: paths are texts, tuples and arrays lists, NumPy's numbers those of Python."""
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list | range):
        return [plain(inner) for inner in value]
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return str(value) if isinstance(value, Path) else value


def text(name: str, value: Any) -> str:
    """A text.

    Raises:
        SandboxError: it is of another type.
    """
    if not isinstance(value, str):
        raise SandboxError(f"{name} is {reprlib.repr(value)}, but takes a text")
    return str(value)


def texts(name: str, value: Any) -> tuple[str, ...]:
    """Several texts; a single one is itself, not its letters.

    Raises:
        SandboxError: something is of another type.
    """
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, Iterable):
        raise SandboxError(f"{name} is {reprlib.repr(value)}, but takes a list of texts")
    return tuple(text(name, one) for one in value)


def place(name: str, value: Any) -> Path:
    """A file or a folder.

    Raises:
        SandboxError: it is neither a text nor a path.
    """
    if not isinstance(value, str | os.PathLike) or not isinstance(os.fspath(value), str):
        raise SandboxError(f"{name} is {reprlib.repr(value)}, but takes a path")
    return Path(value)


def whole(name: str, value: Any, least: int) -> int:
    """A whole number from `least` upwards.

    Raises:
        SandboxError: it is of another type, or less.
    """
    number = plain(value)
    if type(number) is not int or number < least:
        raise SandboxError(f"{name} is {reprlib.repr(value)}, but takes a whole number of at least {least}")
    return number


def options(kind: type, given: Mapping[str, Any], what: str, passed_over: Sequence[str] = ()) -> dict[str, Any]:
    """Keywords as the fields of a dataclass.

    Args:
        kind: the dataclass.
        given: keywords and their values; a single text does for a list of texts.
        what: what errors call one, such as ``option of score``.
        passed_over: fields that are no keywords.

    Raises:
        SandboxError: there is no such field, or its type is another.
    """
    hints = typing.get_type_hints(kind)
    allowed = [name for name in hints if name not in passed_over]
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name not in allowed:
            raise unknown(what, name, allowed)
        found[name] = _as(hints[name], name, plain(value))
    return found


def _as(hint: Any, name: str, value: Any) -> Any:
    if value is None and type(None) in typing.get_args(hint):
        return None
    return as_type([value] if hint == tuple[str, ...] and isinstance(value, str) else value, hint, name)
