"""Counts, lists of names and reasons as they stand in notes and errors."""

from __future__ import annotations

from collections.abc import Sequence


def counted(count: int, one: str, many: str) -> str:
    """'1 class' or '2,000 classes'."""
    return f"{count:,} {one if count == 1 else many}"


def first_names(names: Sequence[str], most: int = 5) -> str:
    """The first few names, fit to print, and how many more there are."""
    found = ", ".join(map(printable, names[:most]))
    return found + (f" and {len(names) - most:,} more" if len(names) > most else "")


def shown(text: str) -> str:
    """What a file holds, in quotes, cut where it is long."""
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


def short_path(path: object) -> str:
    """A path fit to print, cut where it is long: what lies a thousand folders deep has thousands of characters."""
    text = printable(str(path))
    return text if len(text) <= 200 else f"{text[:200]}..."


def reason(error: BaseException, most: int = 200) -> str:
    """Why something failed, on one line: what the system says of a file, else what the error says, else its type.

    Args:
        error: of any library; some write pages.
        most: characters after which the text is cut.
    """
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return printable(" ".join(text.split())[:most].rstrip()) or type(error).__name__


def printable(text: str) -> str:
    r"""A text fit for one line of a terminal: whatever the terminal would obey is written as its escape.

    A name may hold escapes that clear the screen, line breaks, bytes that are no UTF-8, and marks that turn the order
    of what follows round, so that a name reads as another.

    >>> printable("a\x1b[31m\u202eb\udcff 二")
    'a\\x1b[31m\\u202eb\\xff 二'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _JOINERS else _escaped(c) for c in text)


_JOINERS = "\u200c\u200d"  # cannot be seen, but names in Persian, Hindi and others are spelt with them


def _escaped(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # a byte of a file's name that is no UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
