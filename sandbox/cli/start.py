"""Starts a command by its name: what the scripts of experiments/, `metric-sandbox` and `python -m sandbox` do."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from importlib import import_module


def start(program: str, words: Sequence[str] | None = None) -> None:
    """Run a command to its end; a mistake of its user ends it with one sentence and exit code 2.

    Args:
        program: one of `sandbox.called.PROGRAMS`.
        words: what stands behind it; those of this process where not given.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while modules load ends without their traces
    from sandbox.errors import exit_on_error
    from sandbox.training.allocator import keep_freed_memory

    keep_freed_memory()
    exit_on_error(lambda: _obey(program, list(sys.argv[1:] if words is None else words)))


def _obey(program: str, argv: list[str]) -> None:
    from sandbox.runs.plugins import take

    argv = take(argv)  # what plug-ins register are names and flags of the command
    import_module(f"sandbox.cli.commands.{program}").main(argv)
