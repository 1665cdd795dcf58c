"""The language of --where: text to a tree of tests. Read by a parser, never evaluated; nothing is looked up here.

    choice = all ("or" all)*      all  = one ("and" one)*      one = "not" one | "(" choice ")" | test
    test   = NAME OP VALUE | NAME ["not"] "in" "(" VALUE ("," VALUE)* ")"      OP = "=" | "!=" | "<" | "<=" | ">" | ">="

A NAME is a word or text in quotes; a VALUE is a number, a word, text in quotes, true, false or none. `==` is `=`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.errors import SandboxError
from sandbox.wording import printable, shown

LONGEST = 2000
DEEPEST = 20
Plain = float | str | bool | None
"""A value as the language has them: every number is a float."""

# A false accept rate belongs to a figure's name, as in tar@far=1e-3.
_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"[^"]*"|'[^']*')|(?P<sign><=|>=|!=|==|=|<|>|\(|\)|,)"""
    r"""|(?P<word>(?:[^\s"'()<>=!,]|(?i:(?<=@far)|(?<=@fpir))=)+))"""
)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_OPERATORS = ("=", "!=", "<", "<=", ">", ">=")
_WORDS: dict[str, Plain] = {"true": True, "false": False, "none": None}
_KEYWORDS = ("and", "or", "not", "in")


@dataclass(frozen=True)
class Value:
    """What stands to the right of a sign."""

    text: str
    """As it is written, without quotes."""
    plain: Plain
    quoted: bool = False


@dataclass(frozen=True)
class Comparison:
    """One comparison; the names of runs are found later."""

    name: str
    operator: str
    """One of = != < <= > >= and ``in``."""
    values: tuple[Value, ...]
    """One, or for ``in`` at least one."""
    column: int
    """Where the name begins, from 1."""

    def __str__(self) -> str:
        spelt = [f'"{value.text}"' if value.quoted else value.text for value in self.values]
        right = f"({', '.join(spelt)})" if self.operator == "in" else spelt[0]
        text = f"{self.name} {self.operator} {right}"
        return printable(text if len(text) <= 120 else f"{text[:117]}...")


@dataclass(frozen=True)
class Not:
    """True where the other is not."""

    inner: Node


@dataclass(frozen=True)
class Both:
    """True where each is."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Either:
    """True where at least one is."""

    parts: tuple[Node, ...]


Node = Comparison | Not | Both | Either


def comparisons_in(node: Node) -> Iterator[Comparison]:
    """Every test of a tree, from left to right."""
    if isinstance(node, Comparison):
        yield node
    for part in (node.inner,) if isinstance(node, Not) else node.parts if isinstance(node, Both | Either) else ():
        yield from comparisons_in(part)


def parse_where(text: str) -> Node:
    """Read what --where says.

    Raises:
        SandboxError: it is empty, too long, nested too deep, or not of the grammar; says where.
    """
    if not text.strip():
        raise SandboxError('--where is empty; write for example "data.name = glyphs and seed < 5"')
    if len(text) > LONGEST:
        raise SandboxError(f"--where has {len(text):,} characters, but at most {LONGEST:,} are read")
    reader = _Reader(_tokens(text))
    node = reader.either(0)
    if reader.now.kind != "end":
        raise reader.wrong("'and', 'or' or the end")
    return node


@dataclass(frozen=True)
class _Token:
    kind: str
    """word, quoted, sign, or end."""
    text: str
    column: int

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else shown(self.text)


def _tokens(text: str) -> list[_Token]:
    found, place = [], 0
    stop = len(text.rstrip())
    while place < stop:
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise _strange(text, len(text) - len(text[place:].lstrip()))
        kind = match.lastgroup
        found.append(_Token(kind, match[kind][1:-1] if kind == "quoted" else match[kind], match.start(kind) + 1))
        place = match.end()
    return [*found, _Token("end", "", stop + 1)]


def _strange(text: str, at: int) -> SandboxError:
    if text[at] in "\"'":
        return SandboxError(f"--where at character {at + 1}: a quote is not closed")
    signs = ", ".join(_OPERATORS)
    return SandboxError(f"--where at character {at + 1}: {shown(text[at])} stands there, but signs are {signs}")


class _Reader:
    """Reads tokens from left to right; each method reads what the grammar has under its name."""

    def __init__(self, tokens: list[_Token]):
        self.tokens = tokens
        self.place = 0

    @property
    def now(self) -> _Token:
        return self.tokens[self.place]

    def wrong(self, wanted: str, hint: str = "") -> SandboxError:
        now = self.now
        called = now.text == "(" and self.place > 0 and self.tokens[self.place - 1].kind == "word"
        hint = '; what has parentheses stands in quotes, such as loss = "triplet(margin=0.2)"' if called else hint
        return SandboxError(f"--where at character {now.column}: {wanted} is expected, not {now}{hint}")

    def take(self, *texts: str) -> str:
        """The next token, if it is one of these signs or keywords; else nothing, and it stays."""
        if self.now.kind in ("sign", "word") and self.now.text.lower() in texts:
            self.place += 1
            return self.tokens[self.place - 1].text.lower()
        return ""

    def either(self, depth: int) -> Node:
        parts = [self.all(depth)]
        while self.take("or"):
            parts.append(self.all(depth))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def all(self, depth: int) -> Node:
        parts = [self.one(depth)]
        while self.take("and"):
            parts.append(self.one(depth))
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def one(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise SandboxError(f"--where at character {self.now.column}: it is nested deeper than {DEEPEST}")
        if self.take("not"):
            return Not(self.one(depth + 1))
        if self.take("("):
            inner = self.either(depth + 1)
            if not self.take(")"):
                raise self.wrong("')', 'and' or 'or'")
            return inner
        return self.test()

    def test(self) -> Node:
        name = self.now
        if name.kind not in ("word", "quoted") or (name.kind == "word" and name.text.lower() in _KEYWORDS):
            raise self.wrong("a name, such as data.name or seed,")
        self.place += 1
        if not name.text.strip():
            raise SandboxError(f"--where at character {name.column}: the name is empty")
        operator = self.take(*_OPERATORS, "==", "in", "not")
        if operator == "not":
            if not self.take("in"):
                raise self.wrong("'in'")
            return Not(Comparison(name.text, "in", self.listed(), name.column))
        if not operator:
            quotes = "; a name of several words stands in quotes" if self.now.kind == "word" else ""
            raise self.wrong(f"one of {', '.join(_OPERATORS)} and in", quotes)
        if operator == "in":
            return Comparison(name.text, "in", self.listed(), name.column)
        return Comparison(name.text, "=" if operator == "==" else operator, (self.value(),), name.column)

    def listed(self) -> tuple[Value, ...]:
        if not self.take("("):
            raise self.wrong("'('")
        values = [self.value()]
        while self.take(","):
            values.append(self.value())
        if not self.take(")"):
            raise self.wrong("',' or ')'")
        return tuple(values)

    def value(self) -> Value:
        token = self.now
        if token.kind not in ("word", "quoted") or (token.kind == "word" and token.text.lower() in _KEYWORDS):
            raise self.wrong("a value")
        self.place += 1
        if token.kind == "quoted":
            return Value(token.text, token.text, quoted=True)
        if token.text.lower() in _WORDS:
            return Value(token.text, _WORDS[token.text.lower()])
        number = float(token.text) if _NUMBER.fullmatch(token.text) else math.inf
        return Value(token.text, number if math.isfinite(number) else token.text)
