"""Signals that ask a command to stop: obeyed at once, but between steps where a training is under way.

SIGINT, SIGTERM and SIGUSR1 are such requests. The first lets the step at hand be finished and saved; it has so many
seconds for that. The second ends the command at once, and a third is left to the system.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sandbox.errors import Interrupted

_NAMES = ("SIGINT", "SIGTERM", "SIGUSR1")  # Windows has no SIGUSR1
_SECONDS = 15
"""That a step or a validation under way gets; what schedulers grant between their signal and SIGKILL is 30 and more."""


@dataclass
class _Requests:
    number: int = 0
    """The signal that came, or 0."""
    held: int = 0
    """How many blocks are being gone through in which a signal waits."""
    together: float = 0.0
    """Seconds after the first in which others are the same request."""
    came: float = 0.0


_requests = _Requests()


@contextmanager
def listen(*, together: float = 0.0) -> Iterator[None]:
    """Take signals as requests while the block runs.

    A signal that is ignored, as those of the keyboard are behind `nohup` or in a shell's background, stays ignored.

    Args:
        together: seconds after the first in which further signals are the same request: a terminal and torchrun both
            tell a process.

    Raises:
        Interrupted: in the block, a signal came.
    """
    global _requests
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    earlier, _requests = _requests, _Requests(together=together)
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _come)
    try:
        yield
    finally:
        _let_off()
        for number, handler in before.items():
            signal.signal(number, handler)
        _requests = earlier


@contextmanager
def held() -> Iterator[None]:
    """A block in which a signal waits until `requested` is asked, the block ends, or its seconds are over.

    Raises:
        Interrupted: it waited.
    """
    _requests.held += 1
    try:
        yield
    finally:
        _requests.held -= 1
        _let_off()
    if _requests.number and not _requests.held:
        raise Interrupted(_requests.number)


def requested() -> int:
    """The signal that has asked for an end, or 0."""
    return _requests.number


def _come(number: int, frame: Any) -> None:
    now = time.monotonic()
    if not _requests.number:
        _requests.number, _requests.came = number, now
        if not _requests.held:
            raise Interrupted(number)
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, _too_long)
            signal.setitimer(signal.ITIMER_REAL, _SECONDS)
    elif now - _requests.came >= _requests.together:
        for name in _NAMES:
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_DFL)
        raise Interrupted(number)


def _too_long(number: int, frame: Any) -> None:
    raise Interrupted(_requests.number)


def _let_off() -> None:
    if _requests.number and hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)
