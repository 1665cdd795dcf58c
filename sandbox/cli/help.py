"""What --help prints: texts of flags joined over the lines of their source, and everything as wide as the terminal."""

from __future__ import annotations

import ast
import dataclasses
import io
import re
import shutil
import sys
import textwrap
import typing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import tyro

_BOX = ("│", "╭", "╰")
_COLOURED = re.compile(r"\x1b\[[\d;]*m")
_NARROWEST = 20


def asked(argv: Sequence[str]) -> bool:
    """Whether --help stands among the words of a command."""
    return "-h" in argv or "--help" in argv


def width() -> int:
    """Columns of the terminal, or what COLUMNS says; 80 where there is none."""
    return max(_NARROWEST, shutil.get_terminal_size().columns)


def told(kind: Any, hidden: Sequence[str] = ()) -> Any:
    """The same dataclass with the text of each flag on one line, for the parser to wrap.

    Args:
        kind: a dataclass; nested ones become dotted flags.
        hidden: fields whose flags are not told.
    """
    hints, texts = typing.get_type_hints(kind, include_extras=True), docs(kind)
    rows: list[Any] = []
    for field in dataclasses.fields(kind):
        inner, marks = unmarked(hints[field.name])
        if dataclasses.is_dataclass(inner):
            inner = told(inner)
        else:
            # Where a mark has a text of its own, that counts.
            marks = (tyro.conf.arg(help=texts.get(field.name), help_behavior_hint=_default), *marks)
            marks = (*_choices(inner), *marks)
        if field.name in hidden:
            marks = (*marks, tyro.conf.Suppress)
        rows.append((field.name, typing.Annotated[inner, *marks] if marks else inner, _again(field, inner)))
    return dataclasses.make_dataclass(
        kind.__name__, rows, bases=(kind,), namespace={"__doc__": kind.__doc__}, frozen=True
    )


def _choices(inner: Any) -> tuple[Any, ...]:
    """How the values of a choice are shown where one of them is nothing, which a person leaves out instead."""
    values = typing.get_args(inner) if typing.get_origin(inner) is typing.Literal else ()
    return (tyro.conf.arg(metavar=f"{{{','.join(filter(None, map(str, values)))}}}"),) if "" in values else ()


def unmarked(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type without its marks, and the marks."""
    if typing.get_origin(hint) is typing.Annotated:
        inner, *marks = typing.get_args(hint)
        return inner, tuple(marks)
    return hint, ()


def _again(field: dataclasses.Field[Any], inner: Any) -> Any:
    """The field of a derived dataclass: a default that is a dataclass becomes one of the derived kind."""
    default = field.default
    if dataclasses.is_dataclass(inner) and dataclasses.is_dataclass(default):
        default = recast(default, inner)
    return dataclasses.field(default=default, default_factory=field.default_factory, kw_only=field.kw_only)  # type: ignore[call-overload]


def recast(given: Any, kind: Any) -> Any:
    """The same values as a dataclass that derives from theirs."""
    values = {}
    for field in dataclasses.fields(given):
        value = getattr(given, field.name)
        if dataclasses.is_dataclass(value):
            default = next(f.default for f in dataclasses.fields(kind) if f.name == field.name)
            value = recast(value, type(default))
        values[field.name] = value
    return kind(**values)


def _default(label: str) -> str:
    """What is said of a default; where it is nothing, the text says what that means."""
    return "" if label in ("", "''", "None") else f"(default: {label})"


def docs(kind: type) -> dict[str, str]:
    """The text below each field of a dataclass and of those that it derives from, on one line each."""
    found: dict[str, str] = {}
    for owner in reversed(kind.__mro__):
        file = getattr(sys.modules.get(owner.__module__), "__file__", None)
        if file and dataclasses.is_dataclass(owner):
            found |= _docs_in(file).get(owner.__name__, {})
    return found


@cache
def _docs_in(file: str) -> dict[str, dict[str, str]]:
    """Class -> field -> the text below it, of a source file."""
    with open(file, encoding="utf-8") as source:
        tree = ast.parse(source.read())
    found: dict[str, dict[str, str]] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            texts = found.setdefault(node.name, {})
            for field, below in zip(node.body, node.body[1:], strict=False):
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    match below:
                        case ast.Expr(value=ast.Constant(value=str(text))):
                            texts[field.target.id] = " ".join(text.split())
    return found


class _Kept(io.StringIO):
    """What is printed, kept; it seems to be the stream that it stands for."""

    def __init__(self, of: typing.TextIO):
        super().__init__()
        self._of = of

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._of.encoding or "utf-8"

    def isatty(self) -> bool:
        return self._of.isatty()


@contextmanager
def fitted() -> Iterator[None]:
    """Wrap what is printed meanwhile: the parser wraps flags, but no usage line and no description."""
    out, kept = sys.stdout, _Kept(sys.stdout)
    sys.stdout = kept
    try:
        yield
    finally:
        sys.stdout = out
        for line in kept.getvalue().splitlines():
            plain = _COLOURED.sub("", line).rstrip()
            if plain.startswith("│") and not plain.strip(" │"):
                continue  # what is left of an empty default
            print(line.rstrip() if plain.startswith(_BOX) or len(plain) <= width() else wrap(plain, width()))


def wrap(line: str, columns: int) -> str:
    """A line as several that fit; a usage line is broken between flags, and goes on under its first."""
    if len(line) <= columns:
        return line
    if not line.startswith("usage:"):
        return textwrap.fill(line, columns, break_long_words=False, break_on_hyphens=False)
    units, depth = [""], 0
    for word in line.split(" "):
        units[-1] += f" {word}" if depth else ""
        units += [] if depth else [word]
        depth += word.count("[") - word.count("]")
    glued = " ".join(unit.replace(" ", "\0") for unit in units[1:])
    return textwrap.fill(
        glued, columns, subsequent_indent=" " * 7, break_long_words=False, break_on_hyphens=False
    ).replace("\0", " ")


def overview(usage: Sequence[str], lines: Mapping[str, str], last: str) -> str:
    """What a command with several words after its name prints for --help.

    Args:
        usage: what may be typed, a line each.
        lines: word -> what it does.
        last: what is to be said below.
    """
    column, columns = max(map(len, lines)) + 4, width()
    rows = [wrap(("usage: " if place == 0 else "       ") + line, columns) for place, line in enumerate(usage)]
    told = [
        textwrap.fill(text, columns, initial_indent=f"  {name}".ljust(column), subsequent_indent=" " * column)
        for name, text in lines.items()
    ]
    return "\n".join([*rows, "", *told, "", wrap(last, columns)])
