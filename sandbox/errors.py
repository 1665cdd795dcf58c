"""The one error type a person sees, and "did you mean"."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from difflib import get_close_matches

from sandbox.printable import printable

_LONGEST = 200  # characters of a path; what lies a thousand folders deep has thousands


class SandboxError(Exception):
    """A mistake that its sentence lets a person mend: what was given, what is allowed, what is near."""


def near(given: str, allowed: Iterable[str]) -> str:
    """The clause that names the closest allowed spelling, or an empty string where none is close."""
    found = get_close_matches(given, list(allowed), n=1, cutoff=0.55)
    return f"; did you mean '{found[0]}'?" if found else ""


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
        print(f"error: {printable(str(error), keep=chr(10))}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # `... | head` closed the pipe; not a failure of the command
            sys.stderr.close()
            sys.exit(0)
        if error.filename is None:
            raise
        shown = printable(str(error.filename))
        shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."
        print(f"error: cannot read or write {shown}: {error.strerror}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
