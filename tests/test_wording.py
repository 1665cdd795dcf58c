from __future__ import annotations

import os

import pytest

from sandbox.wording import first_names, printable, reason


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Žofie 二 नम 🙂", "Žofie 二 नम 🙂"),
        ("a\n\tb", r"a\n\tb"),
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("gpj.\u202efdp", r"gpj.\u202efdp"),
        ("a\u2066b\u2069", r"a\u2066b\u2069"),
        ("a\u2028b\ufeff", r"a\u2028b\ufeff"),
        (os.fsdecode(b"\xff\xfe.png"), r"\xff\xfe.png"),
        ("क\u200dष", "क\u200dष"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(given: str, shown: str) -> None:
    assert printable(given) == shown
    assert first_names([given]) == shown


def test_a_reason_may_hold_a_name() -> None:
    assert reason(ValueError("no \x1b[2J here")) == r"no \x1b[2J here"
