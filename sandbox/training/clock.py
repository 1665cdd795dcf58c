"""`Clock`: the seconds that a training may take, where it ends by time and not by steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Clock:
    """Counts the seconds that steps take: not those of validations, of saving or of a pause between two processes."""

    limit: float
    """Seconds of training."""
    spent: float = 0.0
    """Of them, in this process and those before it."""
    now: Callable[[], float] = field(default=time.perf_counter, repr=False)
    _began: float | None = field(default=None, repr=False)
    _before: float = field(default=0.0, repr=False)

    def start(self) -> None:
        """A step begins."""
        self._began = self.now()

    def stop(self) -> None:
        """It is over."""
        assert self._began is not None
        self._before, self.spent = self.spent, self.spent + self.now() - self._began

    @property
    def share(self) -> float:
        """Of the time that is gone, from 0 to 1."""
        return min(1.0, self.spent / self.limit)

    @property
    def over(self) -> bool:
        """Whether there is no time left."""
        return self.spent >= self.limit

    def passed(self, parts: int) -> bool:
        """Whether the last step went over the end of one of so many equal parts of the time."""
        return int(self._before / self.limit * parts) < int(self.share * parts)
