"""Counts, lists of names and reasons as they stand in notes and errors."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.printable import printable


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


def reason(error: BaseException, most: int = 200) -> str:
    """Why something failed, on one line: what the system says of a file, else what the error says, else its type.

    Args:
        error: of any library; some write pages.
        most: characters after which the text is cut.
    """
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return printable(" ".join(text.split())[:most].rstrip()) or type(error).__name__
