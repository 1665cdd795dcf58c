"""What a command prints: lines in which whatever cannot be seen is written as its escape."""

from __future__ import annotations

from typing import TextIO

from sandbox.wording import printable


def say(text: str = "", *, file: TextIO | None = None, end: str = "\n", flush: bool = False) -> None:
    """Print, as `print` does; names of files and classes may hold anything, and most sentences hold names.

    Args:
        text: one line or several.
        file: where to; stdout where not given.
        end: what follows.
        flush: do not wait for more.
    """
    print("\n".join(map(printable, text.split("\n"))), file=file, end=end, flush=flush)
