"""The language of --sweep: settings with several values each, every combination of which is a recipe.

    sweep = axis (";" axis)*      axis = NAME "=" VALUE ("|" VALUE)* | "(" NAMES ")" "=" "(" VALUES ")" ("|" ...)*

A VALUE is what one types behind the setting's flag. Signs inside brackets or quotes part nothing, so an objective may
hold commas and +; a value that stands in quotes as a whole loses them, and '' is an empty one.
"""

from __future__ import annotations

import itertools
import math
import re
import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, get_origin

from sandbox.errors import SandboxError, unknown
from sandbox.recipe.parting import check_closed, in_parentheses, parted, unquoted
from sandbox.recipe.specs import DataKinds
from sandbox.recipe.words import setting_hints
from sandbox.wording import shown

LONGEST = 20_000
EXAMPLE = "loss = triplet | arcface; optimizer.lr = 0.001 | 0.01"
_PAIRED = "(loss, miner) = (triplet, hard) | (arcface, none)"
_UNSWEPT = {
    "seed": "--seed and --seeds say which seeds each combination is run with",
    "device": "runs are not told apart by it; give --device",
    "threads": "runs are not told apart by it; give --threads",
    "after": "it is filled in by resume_from",
    "went_on": "it is filled in by --resume with --max_steps",
}
"""Settings that exist and cannot be swept, and why."""


@dataclass(frozen=True)
class Axis:
    """Settings that vary together, and their values."""

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    """For each point of the axis a text for each of the settings."""


@dataclass(frozen=True)
class Combination:
    """One value for each setting that is swept."""

    values: tuple[tuple[str, str], ...]
    """Setting and text, in the order of the sweep."""

    def __str__(self) -> str:
        return ", ".join(f"{name} = {text or shown(text)}" for name, text in self.values)

    def words(self, kinds: DataKinds) -> tuple[str, ...]:
        """The flags that ask for it, as a shell hands them on.

        Raises:
            SandboxError: a truth that is neither true nor false, or a list whose quotes do not close.
        """
        hints = _hints(kinds)
        return tuple(word for name, text in self.values for word in _flag(name, text, hints[name]))


def read_sweep(text: str) -> tuple[Axis, ...]:
    """Read what --sweep says; whether its settings exist is not looked at.

    Raises:
        SandboxError: it is empty, too long or not of the grammar, or a setting or a value stands twice.
    """
    if not text.strip():
        raise SandboxError(f'--sweep is empty; write for example "{EXAMPLE}"')
    if len(text) > LONGEST:
        raise SandboxError(f"--sweep has {len(text):,} characters, but at most {LONGEST:,} are read")
    check_closed(text, "--sweep")
    axes = tuple(_axis(part) for part in parted(text, ";"))
    names = settings_of(axes)
    for name in names:
        if names.count(name) > 1:
            raise SandboxError(f"--sweep has the setting '{name}' twice; its values are parted by |")
    return axes


def check_settings(axes: Sequence[Axis], kinds: DataKinds, given: Collection[str]) -> None:
    """Refuse settings that do not exist, cannot be swept, or are given a value of their own.

    Args:
        axes: of the sweep.
        kinds: the settings of each data set (`sandbox.data.catalog.data_kinds`).
        given: flags beside --sweep, without dashes, spelt with _.

    Raises:
        SandboxError: names the setting, and the nearest where there is none of that name.
    """
    hints = _hints(kinds)
    for name in settings_of(axes):
        if name in _UNSWEPT:
            raise SandboxError(f"--sweep cannot vary {name}: {_UNSWEPT[name]}")
        if name not in hints:
            hint = "run.py --help lists the settings, as flags"
            raise SandboxError(f"--sweep: {unknown('setting', name, hints.keys() - _UNSWEPT.keys(), hint)}")
        head, dot, leaf = name.rpartition(".")
        if {name, f"{head}{dot}no_{leaf}"} & set(given):
            raise SandboxError(f"{name} is swept and given as the flag --{name}; leave one of the two out")


def settings_of(axes: Sequence[Axis]) -> tuple[str, ...]:
    """The settings that are swept, in their order."""
    return tuple(name for axis in axes for name in axis.names)


def count(axes: Sequence[Axis]) -> int:
    """How many combinations there are."""
    return math.prod(len(axis.values) for axis in axes)


def combinations(axes: Sequence[Axis]) -> list[Combination]:
    """Every combination, the last axis running fastest."""
    names = settings_of(axes)
    points = itertools.product(*(axis.values for axis in axes))
    return [Combination(tuple(zip(names, itertools.chain(*point), strict=True))) for point in points]


def _hints(kinds: DataKinds) -> dict[str, Any]:
    """Type of every setting that a recipe of any data set has."""
    every: list[Any] = list(kinds.values())
    return {name: hint for kind in every for name, hint in setting_hints(kind).items()}


def _flag(name: str, text: str, hint: Any) -> list[str]:
    if hint is bool:
        if text.lower() not in ("true", "false"):
            raise SandboxError(f"{name} is {shown(text)}, but takes true or false")
        head, dot, leaf = name.rpartition(".")
        return [f"--{name}" if text.lower() == "true" else f"--{head}{dot}no_{leaf}"]
    if get_origin(hint) is tuple:
        try:
            return [f"--{name}", *shlex.split(text)]
        except ValueError:
            raise SandboxError(f"{name} is {shown(text)}, whose quotes do not close") from None
    return [f"--{name}={text}"] if text.startswith("-") else [f"--{name}", text]


def _axis(part: str) -> Axis:
    """One setting, or several in parentheses, and its values."""
    left, *right = parted(part, "=", most=1)
    if not left and not right:
        raise SandboxError(f'--sweep has nothing beside a ";"; write for example "{EXAMPLE}"')
    if not left or not right:
        raise SandboxError(f"--sweep: {shown(part.strip())} is no NAME = VALUE | VALUE, such as {EXAMPLE}")
    names = _grouped(left) if left.startswith("(") else (left,)
    for name in names:
        if not re.fullmatch(r"\w+(\.\w+)*", name):
            raise SandboxError(f"--sweep: {shown(name)} is no name of a setting; write for example {EXAMPLE}")
    return Axis(names, _values(left, names, parted(right[0], "|")))


def _values(left: str, names: tuple[str, ...], texts: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The values of an axis: a text for each of its names, at each of its points."""
    found: list[tuple[str, ...]] = []
    for text in texts:
        row = _grouped(text) if left.startswith("(") else (text,)
        if len(row) != len(names):
            raise SandboxError(
                f"--sweep: {shown(text)} has not a value for each of {', '.join(names)}; write for example {_PAIRED}"
            )
        if not all(row):
            raise SandboxError(f"--sweep: a value of {left} is empty; an empty text is written ''")
        plain = tuple(map(unquoted, row))
        if plain in found:
            raise SandboxError(f"--sweep: {left} has the value {shown(text)} twice")
        found.append(plain)
    return tuple(found)


def _grouped(text: str) -> tuple[str, ...]:
    """The parts of what stands in one pair of parentheses; the text alone where it does not."""
    return tuple(parted(text[1:-1], ",")) if in_parentheses(text) else (text,)
