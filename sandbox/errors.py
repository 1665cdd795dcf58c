"""The one error type a person sees, and "did you mean"."""

from __future__ import annotations

import errno
import io
import signal
import sys
import unicodedata
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import NoReturn

from sandbox.wording import printable

# Cyrillic and Greek letters that are drawn as Latin ones are.
_ALIKE = str.maketrans(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0430\u0435\u043e\u0440\u0441\u0443\u0445"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf",
    "ABEKMHOPCTXaeopcyxABEZHIKMNOPTYXo",
)


_LONGEST = 200  # characters of a path; what lies a thousand folders deep has thousands


class SandboxError(Exception):
    """A mistake that its sentence lets a person mend: what was given, what is allowed, what is near."""


class Interrupted(KeyboardInterrupt):
    """A signal asked the command to end."""

    def __init__(self, number: int = signal.SIGINT):
        super().__init__()
        self.number = number
        self.said = False
        """Whether the person has been told already."""

    @property
    def name(self) -> str:
        """As schedulers write it, such as SIGTERM."""
        return signal.Signals(self.number).name


def near(given: str, allowed: Iterable[str]) -> str:
    """The clause that names the closest allowed spelling, or an empty string where none is close."""
    if len(given) > 200:  # no slip of the hand, and slow to compare
        return ""
    found = get_close_matches(given, list(allowed), n=1, cutoff=0.55)
    if not found:
        return ""
    if _looks(found[0]) == _looks(given):
        return f"; did you mean {found[0]!a}, which looks the same as {given!a}?"
    # Half the letters of a short word are soon those of another: 'list' is no 'mnist'.
    if len(given) <= 4 and given[0] != found[0][0] and not get_close_matches(given, found, cutoff=0.7):
        return ""
    return f"; did you mean '{found[0]}'?"


def _looks(text: str) -> str:
    """What is left for the eye: nothing of what has no width, one blank for several, Latin for what looks like it."""
    seen = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    return " ".join(seen.translate(_ALIKE).split())


def unknown(kind: str, given: str, allowed: Iterable[str], hint: str = "") -> SandboxError:
    """The error for a name that does not exist.

    Args:
        kind: what the name was taken for, such as ``loss``.
        given: the name as it was written.
        allowed: every name that would have been accepted; all are listed where they are few.
        hint: a last clause, such as the command that lists the names.
    """
    names = sorted(allowed)
    listed = f"; there are {', '.join(names)}" if 0 < len(names) <= 12 else ""
    return SandboxError(f"no {kind} named '{given}'{near(given, names) or listed}{hint and f' ({hint})'}")


def exit_on_error(command: Callable[[], None]) -> None:
    """Run a command; a person's mistake, or a file in the way, ends it with one sentence and exit code 2.

    A signal ends it with 128 and the signal's number, as schedulers expect: 130 for Ctrl-C, 143 for SIGTERM, 138 for
    SIGUSR1. What the terminal's encoding has no sign for is printed as its escape, and so is what moves the cursor.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        command()
        sys.stdout.flush()  # a full disk behind it should be said here, not as the interpreter ends
    except SandboxError as error:
        _end(2, f"error: {error}")
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # `... | head` closed the pipe; not a failure of the command
            sys.stderr.close()
            sys.exit(0)
        if error.filename is None and error.errno == errno.ENOSPC:
            _end(2, f"error: cannot write the output: {error.strerror}")
        if error.filename is None:
            raise
        shown = printable(str(error.filename))
        shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."
        _end(2, f"error: cannot read or write {shown}: {error.strerror}")
    except KeyboardInterrupt as stop:
        number = stop.number if isinstance(stop, Interrupted) else signal.SIGINT
        _end(128 + number, "" if isinstance(stop, Interrupted) and stop.said else "interrupted")


def _end(code: int, sentence: str) -> NoReturn:
    if sentence:
        print(printable(sentence), file=sys.stderr)
    sys.exit(code)
