"""Hostile inputs found by hypothesis: how many are tried, how they are made, and what they may cost."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from sandbox.errors import SandboxError

T = TypeVar("T")

CASES = "METRIC_LEARNING_SANDBOX_FUZZ"
"""How many inputs a fuzz test tries: 40 where it is not set, 500 in `.ci/run`, and 10,000 in a run of an hour."""
FUZZ = settings(
    max_examples=int(os.environ.get(CASES, "40")),
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
_SECONDS = 10
_BYTES = 10**9


def changed(content: bytes, most: int = 4) -> st.SearchStrategy[bytes]:
    """A valid file with bytes turned, put in, taken out or repeated, or cut off."""
    place, few = st.integers(0, max(0, len(content) - 1)), st.binary(max_size=6)
    changes = st.lists(st.tuples(st.sampled_from(["turn", "put", "take", "repeat", "cut"]), place, few), max_size=most)

    def apply(changes: list[tuple[str, int, bytes]]) -> bytes:
        made = content
        for kind, at, new in changes:
            made = {
                "turn": made[:at] + new + made[at + len(new) :],
                "put": made[:at] + new + made[at:],
                "take": made[:at] + made[at + 1 + 9 * len(new) :],
                "repeat": made[:at] + made[at : at + 40] * (1 + len(new)) + made[at + 40 :],
                "cut": made[:at] if len(new) == 6 else made,
            }[kind]
        return made

    return changes.map(apply)


@contextmanager
def bounded() -> Iterator[None]:
    """Asks of the block that it takes at most ten seconds and one gigabyte more than was taken before."""
    before, began = _peak(), time.process_time()
    yield
    taken, grown = time.process_time() - began, _peak() - before
    assert taken < _SECONDS, f"{taken:.1f} seconds"
    assert grown < _BYTES, f"{grown:,} bytes"


def read_or_refused(read: Callable[[], T]) -> T | None:
    """What is read, or None where it is refused in one sentence; any other error is passed on, and fails the test."""
    with bounded():
        try:
            return read()
        except SandboxError as error:
            assert "\n" not in str(error)
            return None


def _peak() -> int:
    """The most memory that this process ever held, in bytes, where the system says so."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
