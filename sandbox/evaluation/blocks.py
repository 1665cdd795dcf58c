"""Many rows: a large matrix product in blocks, each multiplied and consumed by one thread, or some spread evenly."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

T = TypeVar("T")

_BLOCK_BYTES = 8_000_000
_MOST_ROWS = 256


def threads() -> int:
    """As many as the processors this process may use, or fewer where OMP_NUM_THREADS says so."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(allowed, int(asked))) if asked.isdecimal() else allowed


def evenly(count: int, most: int) -> np.ndarray:
    """(min(count, most),) int64 places, ascending, spread evenly from the first of `count` to the last."""
    return np.linspace(0, count - 1, min(count, most)).astype(np.int64)


def block_rows(columns: int, item_bytes: int) -> int:
    """Rows of a block, so that a block of scores stays small whatever the number of columns."""
    return int(np.clip(_BLOCK_BYTES // max(1, columns * item_bytes), 8, _MOST_ROWS))


def over_blocks(rows: int, step: int, consume: Callable[[int, int, int], T], workers: int = 0) -> Iterator[T]:
    """Call ``consume(start, end, worker)`` for each block of rows and yield what it returns, in order of rows.

    The calls run side by side in threads, and inside them BLAS keeps to one thread: BLAS threads that wait for work
    spin, and would take the processors from whoever consumes the product.

    Args:
        rows: how many in all.
        step: rows of one block.
        consume: gets the block and the number of the thread that it runs in, for buffers of its own.
        workers: threads; all there are where 0.
    """
    workers = min(workers or threads(), max(1, -(-rows // step)))
    free = list(range(workers))

    def one(start: int) -> T:
        worker = free.pop()
        try:
            return consume(start, min(start + step, rows), worker)
        finally:
            free.append(worker)

    starts = range(0, rows, step)
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        for first in range(0, len(starts), 4 * workers):  # a few blocks ahead of the reader, and no more
            yield from pool.map(one, starts[first : first + 4 * workers])
