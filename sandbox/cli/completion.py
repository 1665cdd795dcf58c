"""A shell's completion of `metric-sandbox`: its commands, their words and flags, and the values of choices.

tyro writes the script, of one parser that has all commands as its subcommands.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
from functools import reduce
from importlib import import_module
from operator import or_
from typing import Annotated, Any

import tyro

from sandbox.called import INSTALLED, PROGRAMS
from sandbox.cli.flags import with_data_settings
from sandbox.cli.help import told
from sandbox.cli.study.commands import LOOKS as OF_TUNE
from sandbox.cli.table.commands import LOOKS as OF_TABLE
from sandbox.errors import unknown

SHELLS = ("bash", "zsh", "tcsh")


@dataclasses.dataclass(frozen=True)
class _Nothing:
    """No word behind the command."""


def script(shell: str) -> str:
    """The script that a shell reads once, such as from ~/.bashrc.

    Raises:
        SandboxError: a shell that tyro does not know.
    """
    if shell not in SHELLS:
        raise unknown("shell", shell, SHELLS)
    written = io.StringIO()
    with contextlib.redirect_stdout(written), contextlib.suppress(SystemExit):
        words = ["--tyro-print-completion", shell]
        tyro.cli(_one_of({name: _taken(name) for name in PROGRAMS}), prog=INSTALLED, args=words, use_underscores=True)
    return written.getvalue()


def _taken(program: str) -> Any:
    """What a command takes, as a dataclass, or as a choice of them where a word must follow."""
    module = import_module(f"sandbox.cli.commands.{program}")
    words = {"tune": {word: _told(kind) for word, (kind, _) in OF_TUNE.items()}, "table": _of_table()}.get(program, {})
    if hasattr(module, "Command"):
        return _with_words(_told(module.Command), words) if words else _told(module.Command)
    kinds = {word: _told(getattr(module, word.capitalize())) for word in module.WHAT}
    wanted: Any = tyro.conf.arg(name="")
    return dataclasses.make_dataclass(program.capitalize(), [("what", Annotated[_one_of(kinds), wanted])])


def _told(kind: Any) -> Any:
    """A dataclass with the settings of all data sets, and with each flag's text on one line, as completion needs."""
    return told(with_data_settings(kind))


def _of_table() -> dict[str, Any]:
    return {word: _told(import_module(f"sandbox.cli.table.{word}").Command) for word in OF_TABLE}


def _with_words(own: Any, words: dict[str, Any]) -> Any:
    """What a command takes by itself, or behind a word."""
    either: Any = Annotated[_one_of({"-": _Nothing, **words}), tyro.conf.arg(name="")]
    return dataclasses.make_dataclass(
        own.__name__, [("word", either, dataclasses.field(default=_Nothing()))], bases=(own,), frozen=True, kw_only=True
    )


def _one_of(kinds: dict[str, Any]) -> Any:
    marked = [Annotated[kind, tyro.conf.subcommand(name)] for name, kind in kinds.items()]
    return reduce(or_, marked)
