"""Signs of life of the workers of a study, in whatever its trials are kept.

A worker counts up in its trial every few seconds. Clocks of machines differ, so nobody compares times: who watches
takes note of when the count last changed by a clock of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial

from sandbox.tuning.study.owner import lives, read_owner

OWNER, BEAT = "sandbox:owner", "sandbox:beat"
"""System attributes of a trial: who is at work on it, and how often they have said so."""
SECONDS = 8.0
"""Between two beats."""
SILENT = 36.0
"""Seconds without one after which a worker of another machine is missed; half as long again, and it counts as gone."""


@contextmanager
def beating(storage: BaseStorage, trial_id: int, *, seconds: float = SECONDS) -> Iterator[None]:
    """Count up in a trial while the block runs."""
    over = threading.Event()

    def beat() -> None:
        count = 0
        while not over.wait(seconds):
            count += 1
            with suppress(Exception):  # a server that is away for a moment, or a trial that another has ended
                storage.set_trial_system_attr(trial_id, BEAT, count)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@dataclass
class _Sign:
    """The last sign of life of a worker, and when it was first seen, and first missed."""

    sign: object
    since: float
    missed: float = 0.0


@dataclass
class Watcher:
    """One who looks at running trials again and again."""

    silent: float = SILENT
    """Seconds."""
    _seen: dict[int, _Sign] = field(default_factory=dict)

    def gone(self, trial: FrozenTrial) -> bool:
        """Whether the worker of a running trial is gone: at once on its own machine, from elsewhere after a silence.

        The first look after a silence only finds it: nobody can beat, nor look, while a storage is away. Half as long
        again must pass, in which a living worker would have beaten twice.
        """
        owner = read_owner(trial.system_attrs.get(OWNER))
        living = lives(owner) if owner else None
        if living is not None:
            return not living
        sign = (trial.system_attrs.get(OWNER), trial.system_attrs.get(BEAT))
        now, seen = time.monotonic(), self._seen.get(trial._trial_id)
        if seen is None or seen.sign != sign:
            self._seen[trial._trial_id] = _Sign(sign, now)
            return False
        if now - seen.since < self.silent:
            return False
        seen.missed = seen.missed or now
        return now - seen.missed >= self.silent / 2
