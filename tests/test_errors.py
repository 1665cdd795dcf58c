from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.errors import Interrupted, SandboxError, exit_on_error, near, unknown
from sandbox.wording import printable

ROOT = Path(__file__).resolve().parent.parent


def test_near_names_the_closest_spelling_or_nothing() -> None:
    assert near("arcfase", ["arcface", "cosface"]) == "; did you mean 'arcface'?"
    assert near("zzz", ["arcface"]) == ""
    assert near("zzz", []) == ""
    assert near("list", ["mnist", "olivetti"]) == ""
    assert near("hrad", ["hard"]) == "; did you mean 'hard'?" and near("tbe", ["tpe"]) == "; did you mean 'tpe'?"


@pytest.mark.parametrize("given", ["Zoe\u0308", "Zo\xeb ", "Z\u043e\xeb", "Zo\xeb\u200b"])
def test_a_near_spelling_that_looks_the_same_is_shown_by_its_characters(given: str) -> None:
    assert near(given, ["Zo\xeb"]) == f"; did you mean 'Zo\\xeb', which looks the same as {given!a}?"


def test_an_unknown_name_lists_a_few_names_where_none_is_near() -> None:
    assert str(unknown("loss", "zzz", ["b", "a"])) == "no loss named 'zzz'; there are a, b"
    assert str(unknown("loss", "zzz", map(str, range(50)), "see --list")) == "no loss named 'zzz' (see --list)"
    assert str(unknown("loss", "tripel", ["triplet"])) == "no loss named 'tripel'; did you mean 'triplet'?"


def fail(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (SandboxError("no such thing"), 2, "error: no such thing\n"),
        (SandboxError("no \x1b[2J\u202e\udcff"), 2, "error: no \\x1b[2J\\u202e\\xff\n"),
        (FileNotFoundError(2, "not there", "a\x1b[2J"), 2, "error: cannot read or write a\\x1b[2J: not there\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (Interrupted(signal.SIGTERM), 143, "interrupted\n"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            2,
            "error: cannot write the output: No space left on device\n",
        ),
    ],
)
def test_a_command_ends_with_a_sentence_and_a_code(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        exit_on_error(lambda: fail(error))
    assert end.value.code == code
    assert capsys.readouterr().err == said


def test_who_was_told_already_is_not_told_again(capsys: pytest.CaptureFixture[str]) -> None:
    stop = Interrupted(signal.SIGINT)
    stop.said = True
    with pytest.raises(SystemExit) as end:
        exit_on_error(lambda: fail(stop))
    assert (end.value.code, capsys.readouterr().err, stop.name) == (130, "", "SIGINT")


def test_a_bug_is_not_dressed_up_as_a_mistake() -> None:
    with pytest.raises(ZeroDivisionError):
        exit_on_error(lambda: fail(ZeroDivisionError()))


HOSTILE = "a\n\x1b[31mb\udcff\u202ec\u200f\x00\x9b \u4e8c \u00e9"


def test_what_cannot_be_seen_is_printed_as_its_escape() -> None:
    assert printable(HOSTILE) == r"a\n\x1b[31mb\xff\u202ec\u200f\x00\x9b " + "\u4e8c \u00e9"
    assert printable(printable(HOSTILE)) == printable(HOSTILE)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
@pytest.mark.parametrize("door", ["error", "say", "OSError"])
def test_nothing_is_printed_raw_and_no_terminal_is_too_poor(door: str, encoding: str) -> None:
    code = {
        "error": "def f(): raise SandboxError(NAME)",
        "say": "def f(): say(NAME)",
        "OSError": "def f(): open('/nowhere/' + NAME.replace(chr(0), ''))",
    }[door]
    program = f"""
from sandbox.cli.say import say
from sandbox.errors import SandboxError, exit_on_error
NAME = {HOSTILE.replace(chr(10), "")!a}
{code}
exit_on_error(f)
"""
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, env=environment, cwd=ROOT)
    said = done.stdout + done.stderr
    assert b"Traceback" not in said and b"\\x1b[31mb\\xff\\u202ec" in said
    assert not {0x1B, 0x00, 0x9B} & set(said.replace("\u4e8c \u00e9".encode(), b""))
    assert done.returncode == (0 if door == "say" else 2)
