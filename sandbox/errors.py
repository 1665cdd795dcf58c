"""The one error type a person sees, and "did you mean"."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable, Iterable
from difflib import get_close_matches

# Cyrillic and Greek letters that are drawn as Latin ones are.
_ALIKE = str.maketrans(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0430\u0435\u043e\u0440\u0441\u0443\u0445"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf",
    "ABEKMHOPCTXaeopcyxABEZHIKMNOPTYXo",
)


class SandboxError(Exception):
    """A mistake that its sentence lets a person mend: what was given, what is allowed, what is near."""


def near(given: str, allowed: Iterable[str]) -> str:
    """The clause that names the closest allowed spelling, or an empty string where none is close."""
    found = get_close_matches(given, list(allowed), n=1, cutoff=0.55)
    if not found:
        return ""
    if _looks(found[0]) == _looks(given):
        return f"; did you mean {found[0]!a}, which looks the same as {given!a}?"
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
    """Run a command; a person's mistake, or a file in the way, ends it with one sentence and exit code 2."""
    try:
        command()
    except SandboxError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # `... | head` closed the pipe; not a failure of the command
            sys.stderr.close()
            sys.exit(0)
        if error.filename is None:
            raise
        shown = str(error.filename)
        shown = shown if len(shown) <= 200 else f"{shown[:200]}..."
        print(f"error: cannot read or write {shown}: {error.strerror}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
