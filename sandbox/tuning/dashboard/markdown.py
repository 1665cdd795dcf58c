"""Markdown as Optuna's dashboard shows it: tables, code, and commands that do not make its page wider."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Sequence

_BAR = re.compile(r"(?<!\\)\|")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; the dashboard leaves no room between columns, so blanks that do not break make it."""
    lines = ["\u00a0\u00a0\u00a0 | ".join(_BAR.sub(r"\\|", cell) for cell in line) for line in (head, *rows)]
    return "\n".join(f"| {line} |" for line in (lines[0], " | ".join([":---"] * len(head)), *lines[1:]))


def plain(text: str) -> str:
    """A text in which Markdown sees no marks."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#~$" else c for c in " ".join(text.split()))


def span(text: str) -> str:
    """A text as code within a line."""
    text = " ".join(text.split())
    return f"`` {text} ``" if "`" in text else f"`{text}`" if text else ""


def block(text: str) -> str:
    """A text as code on lines of its own."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"


def broken(line: str) -> str:
    r"""A command over several lines, each with a backslash at its end, that can still be pasted into a shell.

    The dashboard's page grows as wide as the longest line.
    """
    try:
        words = shlex.split(line)
    except ValueError:  # no words of a shell
        return line
    groups: list[list[str]] = [[]]
    for word in words:
        if word.startswith("--"):
            groups.append([])
        groups[-1].append(word)
    lines: list[str] = []
    for group in groups:
        text = " ".join(map(_quoted, group))
        if len(text) > _WIDTH:
            text = " ".join(_in_pieces(word) if len(word) > _WIDTH // 2 else _quoted(word) for word in group)
        if lines and len(lines[-1]) + 1 + len(text) <= _WIDTH:
            lines[-1] += f" {text}"
        elif text:
            lines.append(f"  {text}" if lines else text)
    return " \\\n".join(lines)


def _quoted(word: str) -> str:
    """A word for a shell, its own quotes left as they are where that can be."""
    plain = shlex.quote(word)
    return f'"{word}"' if "'" in word and not set(word) & set('"$`\\!\n') else plain


def _in_pieces(word: str) -> str:
    r"""A long word for a shell in quoted pieces: a backslash between two of them joins them over the end of a line."""
    pieces = textwrap.wrap(word, _WIDTH - 20, drop_whitespace=False, break_on_hyphens=False)
    return "\\\n".join(map(_quoted, pieces)) if "".join(pieces) == word else _quoted(word)


_WIDTH = 88
"""Characters of code in a line."""
