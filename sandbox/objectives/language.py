"""The objective language: text to a tree of names and values, and back. Parsed with `ast`, never evaluated.

    expression = term ("+" term)*        term  = [weight "*"] call
    call       = name ["(" values ")"]   value = literal | list | {key: value} | call | expression | tune(...)

`tune(low, high)`, `tune(low, high, log=True)`, `tune([a, b])` and a bare `tune()` mark what a study searches.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass, field
from typing import Any

from sandbox.errors import SandboxError
from sandbox.wording import printable

LONGEST = 2000
DEEPEST = 12


@dataclass(frozen=True)
class Tune:
    """A marked value: the range (or choices) that a study searches; empty where the catalogue's range is meant."""

    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Any, ...] = ()

    @property
    def bare(self) -> bool:
        """Whether the range is left to the catalogue."""
        return self.low is None and not self.choices

    def __str__(self) -> str:
        if self.choices:
            return f"tune([{', '.join(map(_spelt, self.choices))}])"
        if self.bare:
            return "tune()"
        return f"tune({self.low!r}, {self.high!r}{', log=True' if self.log else ''})"


@dataclass(frozen=True)
class Call:
    """A name with its arguments, as written; nothing is looked up yet."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Term:
    """One weighed part of an objective."""

    weight: float | Tune
    call: Call


@dataclass(frozen=True)
class Sum:
    """An objective that stands as a value inside another: more than one term, or one with a weight."""

    terms: tuple[Term, ...]

    def __str__(self) -> str:
        return " + ".join(("" if t.weight == 1 else f"{t.weight}*") + t.call.name for t in self.terms)


def parse(text: str) -> tuple[Term, ...]:
    """Read an objective expression into its terms.

    Raises:
        SandboxError: it is empty, too long, nested too deep, or not of the grammar; says where.
    """
    tree = _tree(text, "an objective")
    return tuple(_term(node, text, 0) for node in _summands(tree))


def parse_call(text: str, kind: str) -> Call:
    """Read one name with its arguments, such as a miner."""
    return _call(_tree(text, f"a {kind}"), text, 0)


def parse_value(text: str) -> Any:
    """Read one value: a literal, or `tune(...)`."""
    return _value(_tree(text, "a value"), text, 0)


def _tree(text: str, what: str) -> ast.expr:
    if not text.strip():
        raise SandboxError(f'{what} is empty; write for example "triplet(margin=0.1)"')
    if len(text) > LONGEST:
        raise SandboxError(f"{what} of {len(text)} characters is longer than the {LONGEST} that are read")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        where = f" at character {error.offset}" if error.offset else ""
        raise SandboxError(f"cannot read '{_short(text)}'{where}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError):
        raise SandboxError(f"cannot read '{_short(text)}': it is nested too deep or holds a null character") from None


def _summands(node: ast.expr) -> list[ast.expr]:
    parts: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):  # left-deep: a loop, so that length is no depth
        parts.append(node.right)
        node = node.left
    return [node, *reversed(parts)]


def _names_losses(node: ast.expr) -> bool:
    """Whether a sum or product is one of names: an objective, not arithmetic."""
    products = (n.right if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Mult) else n for n in _summands(node))
    return any(isinstance(part, ast.Name | ast.Call) for part in products)


def _term(node: ast.expr, text: str, depth: int) -> Term:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        weight = _value(node.left, text, depth)
        tried = (weight.choices or (weight.low,)) if isinstance(weight, Tune) else (weight,)
        if weight == Tune() or all(isinstance(w, int | float) and not isinstance(w, bool) for w in tried):
            if weight != Tune() and min(tried) <= 0:
                raise SandboxError(f"the weight {weight} in '{_short(text)}' is not above 0")
            return Term(weight if isinstance(weight, Tune) else float(weight), _call(node.right, text, depth))
        raise SandboxError(f"'{_source(node.left, text)}' is no weight: write number * name, such as 0.5*contrastive")
    if isinstance(node, ast.BinOp):
        raise SandboxError(f"'{_source(node, text)}' is no term: terms are joined by + and weighed by number * name")
    return Term(1.0, _call(node, text, depth))


def _call(node: ast.expr, text: str, depth: int) -> Call:
    if depth > DEEPEST:
        raise SandboxError(f"'{_short(text)}' is nested deeper than {DEEPEST}")
    if isinstance(node, ast.Name):
        return Call(node.id)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if any(keyword.arg is None for keyword in node.keywords) or any(isinstance(a, ast.Starred) for a in node.args):
            raise SandboxError(f"'{_source(node, text)}' uses * or **, which the objective language does not have")
        _once([keyword.arg for keyword in node.keywords], node, text)
        kwargs = {str(keyword.arg): _value(keyword.value, text, depth + 1) for keyword in node.keywords}
        return Call(node.func.id, tuple(_value(arg, text, depth + 1) for arg in node.args), kwargs)
    raise SandboxError(f"'{_source(node, text)}' is no name(key=value, ...)")


def _value(node: ast.expr, text: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise SandboxError(f"'{_short(text)}' is nested deeper than {DEEPEST}")
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float | str | None):
        if isinstance(node.value, int | float) and not abs(node.value) <= sys.float_info.max:
            raise SandboxError(f"'{_source(node, text)}' is no number that a float can hold")
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = _value(node.operand, text, depth + 1)
        if isinstance(inner, int | float) and not isinstance(inner, bool):
            return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.List | ast.Tuple):
        return tuple(_value(item, text, depth + 1) for item in node.elts)
    if isinstance(node, ast.Dict) and all(isinstance(key, ast.Constant) for key in node.keys):
        keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
        _once(keys, node, text)
        return {str(key): _value(item, text, depth + 1) for key, item in zip(keys, node.values, strict=True)}
    if isinstance(node, ast.Name | ast.Call):
        call = _call(node, text, depth)
        return _tune(call, text) if call.name == "tune" else call
    if isinstance(node, ast.BinOp) and _names_losses(node):
        return Sum(tuple(_term(part, text, depth + 1) for part in _summands(node)))
    raise SandboxError(f"'{_source(node, text)}' is no value: write a number, a text, a list or a name")


def _tune(call: Call, text: str) -> Tune:
    wrong = set(call.kwargs) - {"log"}
    if wrong:
        raise SandboxError(f"tune() takes low, high and log, not '{min(wrong)}', in '{_short(text)}'")
    log = call.kwargs.get("log", False)
    if not isinstance(log, bool):
        raise SandboxError(f"tune(..., log={log!r}): log is True or False")
    if not call.args and not call.kwargs:
        return Tune()
    listed = len(call.args) == 1 and not call.kwargs and isinstance(call.args[0], tuple)
    if listed and call.args[0] and not any(isinstance(choice, Tune) for choice in call.args[0]):
        return Tune(choices=_choices(call.args[0], text))
    if len(call.args) == 2 and all(isinstance(end, int | float) and not isinstance(end, bool) for end in call.args):
        low, high = call.args
        if low >= high:
            raise SandboxError(f"tune({low}, {high}): the low end is not below the high end")
        if log and low <= 0:
            raise SandboxError(f"tune({low}, {high}, log=True): a log range starts above 0")
        return Tune(low, high, log)
    raise SandboxError(f"tune() takes two numbers (low, high), one list of choices, or nothing, in '{_short(text)}'")


def _choices(values: tuple[Any, ...], text: str) -> tuple[Any, ...]:
    for place, value in enumerate(values):
        if any(type(value) is type(other) and value == other for other in values[:place]):
            raise SandboxError(f"the choice {_spelt(value)} stands twice in '{_short(text)}'")
    return values


def _spelt(value: Any) -> str:
    return value.name if isinstance(value, Call) else repr(value)


def _once(keys: list[Any], node: ast.expr, text: str) -> None:
    for key in keys:
        if keys.count(key) > 1:
            raise SandboxError(f"'{key}' is given twice in '{_source(node, text)}'")


def _source(node: ast.expr, text: str) -> str:
    return _short(ast.get_source_segment(text.strip(), node) or text)


def _short(text: str) -> str:
    return printable(text if len(text) <= 80 else text[:77] + "...")
