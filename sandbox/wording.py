"""Counts, lists of names and reasons as they stand in notes and errors."""

from __future__ import annotations

from collections.abc import Sequence


def counted(count: int, one: str, many: str) -> str:
    """'1 class' or '2,000 classes'."""
    return f"{count:,} {one if count == 1 else many}"


def first_names(names: Sequence[str], most: int = 5) -> str:
    """The first few names, fit to print, and how many more there are."""
    found = ", ".join(name.encode("utf-8", "replace").decode() for name in names[:most])
    return found + (f" and {len(names) - most:,} more" if len(names) > most else "")


def shown(text: str) -> str:
    """What a file holds, in quotes, cut where it is long."""
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


def reason(error: BaseException, most: int = 200) -> str:
    """Why something failed, on one line: what the system says of a file, else what the error says, else its type.

    Args:
        error: of any library; some write pages.
        most: characters after which the text is cut.
    """
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())[:most].rstrip() or type(error).__name__


def printable(text: str) -> str:
    r"""A text fit for one line of a terminal: whatever cannot be seen there is written as its escape, such as `\x1b`.

    A name may hold escapes that clear the screen, line breaks, bytes that are no text (surrogates), and marks that turn
    the order of what follows round, so that a name reads as another.
    """
    return "".join(c if c.isprintable() and c not in _TURNING else _escape(c) for c in text)


_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
