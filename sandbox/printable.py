"""`printable`: the one place that makes a name, which anybody may have given, fit to print."""

from __future__ import annotations

_JOINERS = "\u200c\u200d"  # cannot be seen, but names in Persian, Hindi and others are spelt with them


def printable(text: str, keep: str = "") -> str:
    r"""A text for one line of a terminal, with what the terminal would obey escaped.

    Control characters, marks that turn the direction of writing, and bytes that are no UTF-8 are.

    >>> printable("a\x1b[31m\u202eb\udcff 二")
    'a\\x1b[31m\\u202eb\\xff 二'

    Args:
        text: a name, a path or a sentence that holds some.
        keep: characters that are left as they are.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _JOINERS or c in keep else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    # A byte of a file's name that is no UTF-8 comes as one of these.
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
