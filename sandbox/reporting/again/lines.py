"""The commands that stand in the head of a table, as words: nothing here is ever given to a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.called import INSTALLED, PROGRAMS, prefix
from sandbox.errors import SandboxError, unknown

_PYTHON = re.compile(r"python3?(\.\d+)?")
_STANDS_FOR = re.compile(r"([A-Z][A-Z0-9_]*)(?=$|[./:])")
"""PATH, RUN, S, LFW_A/images, FILE.npz: what every person has under another name."""
_FOLDERS = ("--data.root", "--data.images", "--resume_from", "--from", "--embeddings", "--pairs")


@dataclass(frozen=True)
class Line:
    """One command."""

    text: str
    """As it is written."""
    program: str
    """One of `sandbox.called.PROGRAMS`."""
    words: tuple[str, ...]
    """What follows it, without the quotes."""

    def __str__(self) -> str:
        return self.text


def read_line(text: str) -> Line | None:
    """The command of a line; None where it is none of ours: a sentence, another program, or one for a shell.

    Raises:
        SandboxError: a command of ours that does not exist.
    """
    try:
        words = shlex.split(text, comments=True)
    except ValueError:
        return None
    if len(words) < 2 or for_a_shell(text):
        return None
    script = Path(words[1])
    if words[0] == INSTALLED:
        name, behind = words[1], 2
    elif not _PYTHON.fullmatch(Path(words[0]).name):
        return None
    elif words[1:3] == ["-m", "sandbox"] and len(words) > 3:
        name, behind = words[3], 4
    elif script.parent.name == "experiments" and script.suffix == ".py":
        name, behind = script.stem, 2
    else:
        return None
    if name not in PROGRAMS:
        raise unknown("command", name, PROGRAMS)
    return Line(text.strip(), name, tuple(words[behind:]))


def for_a_shell(text: str) -> bool:
    """Whether a line asks a shell for more than words: a pipe, a redirection, two commands in one, a variable."""
    quote, before = "", " "
    for character in text:
        if quote:
            if character == quote and before != "\\":
                quote = ""
            elif quote == '"' and character in "$`":
                return True
        elif character in "'\"":
            quote = character
        elif character == "#" and before.isspace():
            return False
        elif character in ";&|<>()$`":
            return True
        before = character
    return False


def filled(line: Line, values: Mapping[str, str]) -> Line:
    """The command with what its capitals stand for: PATH in ``--data.root PATH`` or ``PATH/images``."""
    words = tuple(_filled(word, values) for word in line.words)
    return line if words == line.words else replace(line, words=words, text=spelt(line.program, words))


def spelt(program: str, words: tuple[str, ...] | list[str]) -> str:
    """The command as one types it here."""
    return shlex.join([*prefix(program), *words])


def stands_for(line: Line) -> list[str]:
    """The capitals in a command that name no file here and must be given a meaning first: PATH, RUN, S."""
    found = []
    for word in line.words:
        match = _STANDS_FOR.match(word)
        if match and not Path(word).exists():
            found.append(match[1])
    return list(dict.fromkeys(found))


def lacks(line: Line) -> list[str]:
    """The folders and files that a command reads and that are not on this machine, capitals aside."""
    named = [
        word
        for flag, word in zip(line.words, line.words[1:], strict=False)
        if flag in _FOLDERS and word != "pretrained"
    ]
    return [word for word in named if not _STANDS_FOR.match(word) and not Path(word.partition(":")[0]).exists()]


def _filled(word: str, values: Mapping[str, str]) -> str:
    match = _STANDS_FOR.match(word)
    return values[match[1]] + word[match.end() :] if match and match[1] in values else word


def read_values(pairs: tuple[str, ...]) -> list[dict[str, str]]:
    """What --set says, a dict for each combination: ``PATH=/data/lfw S=0,1,2`` is three.

    Raises:
        SandboxError: what is given is no NAME=VALUE.
    """
    found: list[dict[str, str]] = [{}]
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not value or not _STANDS_FOR.fullmatch(name):
            is_small = sign and value and _STANDS_FOR.fullmatch(name.upper())
            small = f"; names are in capitals: {name.upper()}={value}" if is_small else ""
            raise SandboxError(f"--set '{pair}' is no NAME=VALUE, such as PATH=/data/lfw or S=0,1,2{small}")
        found = [{**row, name: one} for row in found for one in value.split(",")]
    return found
