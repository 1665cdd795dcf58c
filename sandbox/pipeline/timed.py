"""`Timed`: how long an iterator is at work."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Timed(Generic[T]):
    """An iterator that counts the seconds that its values take to come."""

    def __init__(self, values: Iterable[T]):
        self._values = iter(values)
        self.seconds = 0.0

    def __iter__(self) -> Iterator[T]:
        while True:
            asked = time.perf_counter()
            try:
                value = next(self._values)
            except StopIteration:
                return
            self.seconds += time.perf_counter() - asked
            yield value
