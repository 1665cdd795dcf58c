from __future__ import annotations

import pytest

from sandbox.errors import SandboxError, exit_on_error, near, unknown


def test_near_names_the_closest_spelling_or_nothing() -> None:
    assert near("arcfase", ["arcface", "cosface"]) == "; did you mean 'arcface'?"
    assert near("zzz", ["arcface"]) == ""
    assert near("zzz", []) == ""


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
    ],
)
def test_a_command_ends_with_a_sentence_and_a_code(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        exit_on_error(lambda: fail(error))
    assert end.value.code == code
    assert capsys.readouterr().err == said


def test_a_bug_is_not_dressed_up_as_a_mistake() -> None:
    with pytest.raises(ZeroDivisionError):
        exit_on_error(lambda: fail(ZeroDivisionError()))
