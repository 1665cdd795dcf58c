from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from sandbox.errors import Interrupted
from sandbox.training import stopping
from sandbox.training.stopping import held, listen, requested

NUMBERS = [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1]


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", NUMBERS)
def test_outside_of_a_training_a_signal_ends_at_once(number: int) -> None:
    with pytest.raises(Interrupted) as stop, listen():
        send(number)
        time.sleep(5)
    assert stop.value.number == number


@pytest.mark.parametrize("number", NUMBERS)
def test_between_steps_a_signal_waits_to_be_asked_for(number: int) -> None:
    with listen():
        with pytest.raises(Interrupted) as stop, held():
            assert requested() == 0
            send(number)
            assert requested() == number
            reached = True
        assert reached and stop.value.number == number
    assert requested() == 0


def test_the_second_signal_ends_at_once_and_a_third_is_the_system_s() -> None:
    with listen(), pytest.raises(Interrupted) as stop, held():
        send(signal.SIGTERM)
        send(signal.SIGINT)
        time.sleep(5)
    assert stop.value.number == signal.SIGINT
    assert requested() == 0 and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_takes_too_long_is_ended_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "_SECONDS", 0.05)
    with listen(), pytest.raises(Interrupted) as stop, held():
        send(signal.SIGTERM)
        time.sleep(5)
    assert stop.value.number == signal.SIGTERM
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_signals_that_come_together_are_one_request() -> None:
    with listen(together=60), pytest.raises(Interrupted), held():
        send(signal.SIGINT)
        send(signal.SIGTERM)
        assert requested() == signal.SIGINT


def test_an_ignored_signal_stays_ignored_and_handlers_come_back() -> None:
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        with listen():
            send(signal.SIGUSR1)
            assert requested() == 0
        assert signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_thread_beside_the_main_one_changes_nothing() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[object] = []

    def listened() -> None:
        with listen():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=listened)
    thread.start()
    thread.join()
    assert seen == [before]
