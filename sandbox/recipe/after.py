"""What comes after the embedding, as it is asked for: 'whiten(128) + rerank(k1=20, k2=6)'.

    steps = step ("+" step)*        step = name ["(" value ("," value)* ")"]        value = [name "="] number

It is no part of the objectives' language, in which `lambda` could not be a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.errors import SandboxError, near
from sandbox.wording import printable

_PLUS = re.compile(r"\+(?![^(]*\))")
_STEP = re.compile(r"\s*(?P<name>[A-Za-z_]\w*)\s*(\((?P<values>[^()]*)\))?\s*", re.ASCII)


@dataclass(frozen=True)
class _Value:
    """A number that a step takes."""

    name: str
    low: float
    high: float
    default: float | None
    """None: as many as the rows allow, or, where `needed`, it must be given."""
    whole: bool = True
    needed: bool = False


STEPS: Mapping[str, tuple[_Value, ...]] = {
    "center": (),
    "pca": (_Value("dims", 1, 65536, None, needed=True),),
    "whiten": (_Value("dims", 1, 65536, None),),
    "templates": (),
    "aqe": (_Value("k", 1, 10_000, 10), _Value("alpha", 0, 100, 3, whole=False)),
    "rerank": (_Value("k1", 1, 100, 20), _Value("k2", 1, 50, 6), _Value("lambda", 0, 1, 0.3, whole=False)),
}
"""Every step and the numbers that it takes."""
_FITTED = ("center", "pca", "whiten")
_ORDERS = ("aqe", "rerank")


@dataclass(frozen=True)
class Step:
    """One step, its numbers checked."""

    name: str
    values: tuple[tuple[str, float | None], ...] = ()
    """In the order of `STEPS`, each one there; a `dims` of None keeps as many as the rows allow."""

    def __getitem__(self, key: str) -> float | None:
        """A number by its name."""
        return dict(self.values)[key]

    def whole(self, key: str) -> int:
        """A whole number that the step has."""
        return int(self[key] or 0)

    @property
    def fitted(self) -> bool:
        """Whether it is fitted on embeddings, which are never those of test."""
        return self.name in _FITTED

    @property
    def orders(self) -> bool:
        """Whether it changes the order of a gallery by its neighbours, and so leaves pairs alone."""
        return self.name in _ORDERS

    def __str__(self) -> str:
        known = STEPS[self.name]
        given = [
            _spelt(value) if len(known) == 1 else f"{key}={_spelt(value)}"
            for one, (key, value) in zip(known, self.values, strict=True)
            if value is not None and value != one.default
        ]
        return f"{self.name}({', '.join(given)})" if given else self.name


def parse_steps(text: str, setting: str = "evaluate.after") -> tuple[Step, ...]:
    """The steps that a text asks for, in order; none for the empty text.

    >>> " + ".join(map(str, parse_steps("whiten( dims=128 )+rerank(20, k2=8)")))
    'whiten(128) + rerank(k2=8)'

    Args:
        text: see above.
        setting: that it is of, for the error.

    Raises:
        SandboxError: it is none of the grammar, a step or number is unknown or out of range, or they stand in an order
            that gives nothing.
    """
    if not text.strip():
        return ()
    given = f"{setting} is '{printable(text[:60])}'"
    steps = tuple(_step(part, given) for part in _PLUS.split(text))
    names = [step.name for step in steps]
    for name in names:
        if names.count(name) > 1:
            raise SandboxError(f"{given}, which names {name} twice")
    if any(step.orders for step in steps[:-1]):
        first = next(step.name for step in steps if step.orders)
        why = "aqe and rerank each choose the order of the gallery, so one of them stands last"
        raise SandboxError(f"{given}, but after {first} stands another step: {why}")
    return steps


def spell_steps(text: str) -> str:
    """The one spelling of a text of steps, by which two recipes that ask for the same have one name."""
    return " + ".join(map(str, parse_steps(text)))


def _step(part: str, given: str) -> Step:
    match = _STEP.fullmatch(part)
    if match is None:
        raise SandboxError(f"{given}, but steps are joined by +, such as 'whiten(128) + rerank(k1=20, k2=6)'")
    name = match["name"]
    if name not in STEPS:
        raise SandboxError(
            f"{given}, but there is no step named '{name}'{near(name, STEPS)}; there are {', '.join(STEPS)}"
        )
    values = {one.name: one.default for one in STEPS[name]}
    texts = [text for text in (match["values"] or "").split(",") if text.strip() or "," in (match["values"] or "")]
    seen: set[str] = set()
    for place, text in enumerate(texts):
        key, sign, number = text.rpartition("=")
        key = key.strip() if sign else (STEPS[name][place].name if place < len(STEPS[name]) else "")
        known = next((one for one in STEPS[name] if one.name == key), None)
        if known is None:
            takes = ", ".join(values) or "no number"
            raise SandboxError(f"{given}, but {name} takes {takes}, not '{text.strip()}'{near(key, values)}")
        if key in seen:
            raise SandboxError(f"{given}, which gives {key} of {name} twice")
        seen.add(key)
        values[key] = _number(number.strip(), known, f"{given}, where {key} of {name}")
    missing = [one.name for one in STEPS[name] if one.needed and values[one.name] is None]
    if missing:
        raise SandboxError(f"{given}, but {name} needs its {missing[0]}, such as {name}(128)")
    if name == "rerank" and (values["k2"] or 0) > (values["k1"] or 0):
        k1, k2 = (_spelt(values[key] or 0) for key in ("k1", "k2"))
        raise SandboxError(f"{given}, where k2 of rerank is {k2}, but is at most its k1, {k1}")
    return Step(name, tuple(values.items()))


def _number(text: str, known: _Value, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise SandboxError(f"{what} is '{printable(text)}', which is no number") from None
    if not known.low <= value <= known.high:
        raise SandboxError(f"{what} is {text}, but lies between {known.low:g} and {known.high:g}")
    if known.whole and not value.is_integer():
        raise SandboxError(f"{what} is {text}, but is a whole number")
    return int(value) if known.whole else value


def _spelt(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
