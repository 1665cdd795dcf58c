"""The lines of a list in a text file, and the words of a line."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.wording import counted, reason

_COMMENT = re.compile(r"\s*#(\s|$)")


@dataclass(frozen=True)
class ListText:
    """The lines of a list."""

    lines: list[str]
    """In order, so that line n of the file is the n - 1st; a comment is an empty line."""
    notes: tuple[str, ...]
    """A sentence on comments, if there are any."""


def read_text(file: Path, what: str, kind: str = "list of pairs") -> ListText:
    """Read a list in UTF-8, with or without a byte order mark, of any line ending.

    A line that begins with ``#`` and a blank is a comment.

    Args:
        file: the list.
        what: what it is called where it cannot be read, such as "the list of pairs".
        kind: what it should be.

    Raises:
        SandboxError: it cannot be read, or it is no text in UTF-8.
    """
    try:
        held = file.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise SandboxError(f"cannot read {what} {file}: {reason(error).lower()}") from None
    wide = held.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in held
    hint = "; it looks like UTF-16: save it as UTF-8" if wide else ""
    try:
        text = held.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SandboxError(
            f"cannot read {what}: {file} is not a {kind} in UTF-8 text: byte {error.start} is no character{hint}"
        ) from None
    if wide:
        raise SandboxError(f"cannot read {what}: {file} holds null characters, as no text in UTF-8 does{hint}")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    comments = [place for place, line in enumerate(lines) if _COMMENT.match(line)]
    for place in comments:
        lines[place] = ""
    passed = counted(len(comments), "line that begins with # is", "lines that begin with # are")
    return ListText(lines, (f"{passed} passed over, the first line {comments[0] + 1}",) if comments else ())


def words_of(line: str, wanted: Collection[int]) -> list[str]:
    """The words of a line: where it holds tabs, tabs part it, so that names may hold blanks; else blanks do.

    Args:
        line: one line.
        wanted: how many words it may have. Where tabs part it into none of these, blanks are tried as well, as some
            writers mix the two.
    """
    if "\t" in line:
        parts = [part for part in map(str.strip, line.split("\t")) if part]
        if len(parts) in wanted:
            return parts
    return line.split()
