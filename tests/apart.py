"""Processes apart from this one: forked off a server that has imported all that a run needs.

A process in which autograd has run on threads, as in some tests, cannot be forked and train.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from functools import cache
from multiprocessing.context import ForkServerContext
from multiprocessing.forkserver import ensure_running
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks processes")


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["warm"])
    here, before = str(Path(__file__).parent), os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (here, before)))  # the server knows no other way to it
    try:
        ensure_running()
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)
    return context


def started(job: Callable[..., None], *given: Any) -> BaseProcess:
    """Do a job, a function of a module that can be imported, in a process of its own that says nothing."""
    process = _context().Process(target=_quietly, args=(job, *given), daemon=True)
    process.start()
    return process


def parent(job: Callable[..., None], *given: Any) -> BaseProcess:
    """The same, in a process that may have children of its own; whoever starts it sees it gone."""
    process = _context().Process(target=_quietly, args=(job, *given))
    process.start()
    return process


def ready() -> None:
    """Begin the server, so that whatever is started from now on as `multiprocessing` does is forked off it."""
    _context()


def ended(process: BaseProcess) -> int:
    """How a process ended: its exit code, or minus the signal that killed it."""
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def answer(job: Callable[..., Any], *given: Any) -> tuple[int, Any]:
    """How the process of a job ended, and what the job returned."""
    receiver, sender = _context().Pipe(duplex=False)
    process = started(_answering, sender, job, *given)
    sender.close()
    try:
        returned = receiver.recv()
    except EOFError:
        returned = None
    return ended(process), returned


def _answering(sender: Any, job: Callable[..., Any], *given: Any) -> None:
    sender.send(job(*given))


def _quietly(job: Callable[..., None], *given: Any) -> None:
    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silence, stream)
    sys.stdin = open(os.devnull)
    job(*given)
