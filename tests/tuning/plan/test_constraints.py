"""What a trial must keep to."""

from __future__ import annotations

import math

import pytest

from sandbox.errors import SandboxError
from sandbox.tuning.plan.constraints import OF_A_RUN, read_constraint

KEYS = ("retrieval/map@r", "verification/tar@far=1e-3")


@pytest.mark.parametrize(
    ("text", "shown", "value", "broken"),
    [
        ("images_per_second >= 500", "images_per_second >= 500", 700.0, -200.0),
        ("images_per_second>=500", "images_per_second >= 500", 400.0, 100.0),
        ("memory<2.5", "memory <= 2.5", 2.5, 0.0),
        (" verification/tar@far=1e-3 > 1e-1 ", "verification/tar@far=1e-3 >= 0.1", 0.25, -0.15),
    ],
)
def test_a_constraint_is_read_and_judged(text: str, shown: str, value: float, broken: float) -> None:
    found = read_constraint(text, KEYS)
    assert str(found) == shown and found.broken_by({found.key: value}) == pytest.approx(broken)
    assert found.broken_by({found.key: math.nan}) == math.inf
    with pytest.raises(SandboxError, match="cannot be judged"):
        found.broken_by({})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "KEY <= NUMBER"),
        ("memory", "KEY <= NUMBER"),
        ("memory = 2", "KEY <= NUMBER"),
        ("500 <= images_per_second", "there is no 500"),
        ("memory <= 2GB", "2GB is no number"),
        ("memory <= nan", "nan is no number"),
        ("memory <= inf", "inf is no number"),
        ("images_per_secnd >= 5", "did you mean 'images_per_second'"),
        ("retrieval/map@k >= 0.5", "did you mean 'retrieval/map@r'"),
        ("test/retrieval/map@r >= 0.5", "there is no test/retrieval/map@r"),
    ],
)
def test_what_is_none_is_refused_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(SandboxError) as refused:
        read_constraint(text, KEYS)
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_names_of_a_run_are_no_report_keys() -> None:
    assert not set(OF_A_RUN) & set(KEYS)
