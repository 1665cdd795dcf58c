"""Figures by the names that other tables use, as they are asked for: 'map, minp, ndcg@10, precision@5, pauc@0.01'."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.errors import SandboxError, near
from sandbox.wording import printable

_AT_K, _AT_RATE = ("ndcg", "precision"), ("pauc", "fold_tar")
_NAMES = ("map", "minp", *_AT_K, *_AT_RATE)
_FORMS = "map, minp, ndcg@10, precision@5, pauc@0.01, fold_tar@0.001"
_MOST = 10**6


@dataclass(frozen=True, order=True)
class Extra:
    """A figure that no report has unless it is asked for."""

    name: str
    """map, minp, ndcg, precision, pauc or fold_tar."""
    at: float = 0
    """The k of ndcg and precision, or the false accept rate of pauc and fold_tar."""

    @property
    def key(self) -> str:
        """Its report key: ``retrieval/ndcg@10``, ``verification/pauc@far=1e-2``."""
        if self.name in _AT_RATE:
            return f"verification/{self.name}@far={spell_rate(self.at)}"
        return f"retrieval/{self.name}" + (f"@{int(self.at)}" if self.name in _AT_K else "")

    @property
    def whole(self) -> bool:
        """Whether it asks for the rank of every match, and not of the nearest alone."""
        return self.name in ("map", "minp")

    @property
    def top(self) -> int:
        """The neighbours that it looks at; 0 where it is of all, or of pairs."""
        return int(self.at) if self.name in _AT_K else 0

    def __str__(self) -> str:
        return self.name + (f"@{self.at}" if self.at else "")


def parse_extra(text: str, setting: str = "evaluate.figures") -> tuple[Extra, ...]:
    """The figures that a text names, in order; none for the empty text.

    >>> [one.key for one in parse_extra("mAP, ndcg@10; pauc@0.01")]
    ['retrieval/map', 'retrieval/ndcg@10', 'verification/pauc@far=1e-2']

    Args:
        text: names with commas between; capitals do not count.
        setting: that it is of, for the error.

    Raises:
        SandboxError: a part names no such figure, has a k or rate out of range, or stands there twice.
    """
    given = f"{setting} is '{printable(text[:60])}'"
    found: list[Extra] = []
    for part in re.split("[,;]", text) if text.strip() else ():
        name, sign, number = (word.strip() for word in part.lower().partition("@"))
        if name not in _NAMES:
            hint = near(name, _NAMES)
            raise SandboxError(f"{given}, but '{printable(part.strip())}' is no figure{hint}; there are {_FORMS}")
        one = Extra(name, _at(name, number if sign else "", given))
        if one in found:
            raise SandboxError(f"{given}, which names {one} twice")
        found.append(one)
    return tuple(sorted(found, key=lambda one: (_NAMES.index(one.name), one.at)))


def spell_extra(text: str) -> str:
    """The one spelling of a text of figures, by which two recipes that ask for the same have one name."""
    return ", ".join(map(str, parse_extra(text)))


def _at(name: str, number: str, given: str) -> float:
    """The k or the rate, checked."""
    if name not in (*_AT_K, *_AT_RATE):
        if number:
            raise SandboxError(f"{given}, but {name} is of the whole gallery and takes no @{printable(number)}")
        return 0
    if name in _AT_K:
        if not number.isdecimal() or not number.isascii() or not 1 <= int(number[:9]) <= _MOST or len(number) > 9:
            raise SandboxError(f"{given}, but {name} has a k from 1 to {_MOST:,}, as in {name}@10")
        return int(number)
    try:
        rate = float(number)
    except ValueError:
        rate = -1.0
    if not 1e-12 <= rate <= 1 or (name == "fold_tar" and rate == 1):
        raise SandboxError(f"{given}, but {name} has a false accept rate above 0 and below 1, as in {name}@0.01")
    return rate


def spell_rate(rate: float) -> str:
    """`0.001` -> `1e-3`, as in report keys."""
    mantissa, exponent = f"{rate:e}".split("e")
    digits = mantissa.rstrip("0").rstrip(".")
    return f"{digits}e{int(exponent)}"
