from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from sandbox.evaluation import blocks
from sandbox.evaluation.blocks import block_rows, over_blocks, threads


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize(("rows", "step"), [(0, 3), (1, 3), (9, 3), (10, 3), (100, 1), (7, 50)])
def test_blocks_cover_every_row_once_and_come_in_order(rows: int, step: int, workers: int) -> None:
    found = list(over_blocks(rows, step, lambda start, end, worker: (start, end), workers))
    assert found == [(start, min(start + step, rows)) for start in range(0, rows, step)]


def test_order_holds_where_a_later_block_ends_first() -> None:
    later = threading.Event()

    def consume(start: int, end: int, worker: int) -> int:
        if start == 0:
            assert later.wait(30)  # block 0 ends only after block 1 did
        elif start == 1:
            later.set()
        return start

    assert list(over_blocks(6, 1, consume, 2)) == list(range(6))


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_no_two_calls_that_run_at_once_share_a_worker_number(workers: int) -> None:
    lock, busy, seen = threading.Lock(), set[int](), set[int]()
    meet = threading.Barrier(workers)

    def consume(start: int, end: int, worker: int) -> None:
        with lock:
            assert worker not in busy
            busy.add(worker)
            seen.add(worker)
        meet.wait(30)  # as many calls as there are workers are under way at this line
        with lock:
            busy.remove(worker)

    for _ in over_blocks(12 * workers, 1, consume, workers):
        pass
    assert seen == set(range(workers))


def test_the_reader_is_never_more_than_a_few_blocks_behind() -> None:
    begun: list[int] = []
    found = over_blocks(1000, 1, lambda start, end, worker: begun.append(start), 2)
    next(found)
    assert len(begun) <= 8
    assert isinstance(found, Iterator)
    assert len(list(found)) == 999


@pytest.mark.parametrize("workers", [1, 3])
def test_an_exception_reaches_the_reader(workers: int) -> None:
    def consume(start: int, end: int, worker: int) -> int:
        if start == 4:
            raise ZeroDivisionError("block 4")
        return start

    found = over_blocks(20, 2, consume, workers)
    assert [next(found), next(found)] == [0, 2]
    with pytest.raises(ZeroDivisionError, match="block 4"):
        next(found)


def test_blas_keeps_to_one_thread_inside_a_block() -> None:
    def consume(start: int, end: int, worker: int) -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    np.ones((2, 2)) @ np.ones((2, 2))  # so that there is a BLAS
    (found,) = over_blocks(1, 1, consume)
    assert found and set(found) == {1}


def test_there_are_as_many_threads_as_asked_for_and_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    every = threads()
    assert every >= 1
    for said, expected in (("1", 1), ("100000", every), ("0", 1), ("", every), ("two", every), ("-1", every)):
        monkeypatch.setenv("OMP_NUM_THREADS", said)
        assert threads() == expected


def test_a_block_is_small_whatever_the_number_of_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in (0, 1, 1000, 10**5, 10**7):
        rows = block_rows(columns, 8)
        assert 8 <= rows <= 256
        assert rows == 8 or rows * columns * 8 <= 8_000_000
    monkeypatch.setattr(blocks, "_BLOCK_BYTES", 1600)
    monkeypatch.setattr(blocks, "_MOST_ROWS", 20)
    assert [block_rows(columns, 4) for columns in (1, 40, 10**6)] == [20, 10, 8]
