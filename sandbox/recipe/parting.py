"""Text parted at a sign, but not inside brackets or quotes."""

from __future__ import annotations

from sandbox.errors import SandboxError

_BRACKETS = {"(": ")", "[": "]", "{": "}"}


def check_closed(text: str, what: str) -> None:
    """Refuse brackets and quotes that do not close.

    Args:
        text: of a person.
        what: it is, for the error.

    Raises:
        SandboxError: says at which character.
    """
    _depths(text, what)


def parted(text: str, sign: str, most: int = 0) -> list[str]:
    """What stands between a sign, stripped of blanks; at least one part.

    >>> parted("a = (1 | 2) | 'x|y'", "|")
    ['a = (1 | 2)', "'x|y'"]

    Args:
        text: its brackets and quotes close.
        sign: one character.
        most: signs that part; all where 0.
    """
    parts: list[str] = []
    start = 0
    for place, depth in _depths(text):
        if text[place] == sign and not depth and not (most and len(parts) == most):
            parts.append(text[start:place].strip())
            start = place + 1
    return [*parts, text[start:].strip()]


def in_parentheses(text: str) -> bool:
    """Whether a text stands in one pair of parentheses as a whole."""
    return text.startswith("(") and next(place for place, depth in _depths(text) if not depth) == len(text) - 1


def unquoted(text: str) -> str:
    """The text without the quotes that it stands in as a whole."""
    whole = len(text) > 1 and text[0] in "'\"" and text.find(text[0], 1) == len(text) - 1
    return text[1:-1] if whole else text


def _depths(text: str, what: str = "the text") -> list[tuple[int, int]]:
    """Each place outside quotes, and how many brackets are open behind it."""
    found: list[tuple[int, int]] = []
    opened: list[int] = []
    quote = -1
    for place, character in enumerate(text):
        if quote >= 0:
            quote = -1 if character == text[quote] else quote
            continue
        if character in "'\"" and not (place and text[place - 1].isalnum()):  # behind a letter it is an apostrophe
            quote = place
        elif character in _BRACKETS:
            opened.append(place)
        elif character in _BRACKETS.values():
            if not opened or _BRACKETS[text[opened[-1]]] != character:
                raise SandboxError(f"{what} at character {place + 1}: '{character}' closes no bracket")
            opened.pop()
        found.append((place, len(opened)))
    if quote >= 0:
        raise SandboxError(f"{what} at character {quote + 1}: a quote is not closed")
    if opened:
        raise SandboxError(f"{what} at character {opened[-1] + 1}: '{text[opened[-1]]}' is not closed")
    return found
