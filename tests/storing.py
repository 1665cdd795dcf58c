"""What processes do to the storage of a study; each job is for `apart`."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import optuna

from sandbox.errors import SandboxError
from sandbox.tuning.storage.store import Store, open_store


def study_in(store: Store, name: str) -> optuna.Study:
    """The study of that name, made where it is missing."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(study_name=name, storage=store.storage, load_if_exists=True)


def create(folder: Path, url: str) -> int:
    """Make the study of a folder, or find it, and a trial of it; the trial's number."""
    return study_in(open_store(folder, url, make=True), folder.name).ask().number


def note(folder: Path, name: str, count: int, told: Path, dies_in: int = 0) -> None:
    """Write attributes to a study's journal, each acknowledged by a line in `told`.

    Killed in the middle of a write of that number where `dies_in` is not 0.
    """
    writes = 0

    def sync(descriptor: int) -> None:  # what the disk does is not looked at here
        nonlocal writes
        writes += 1
        if writes == dies_in:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - 9)
            os.kill(os.getpid(), signal.SIGKILL)

    os.fsync = sync
    study = optuna.load_study(study_name=folder.name, storage=open_store(folder).storage)
    with told.open("ab", buffering=0) as lines:
        for number in range(count):
            study.set_user_attr(f"{name}-{number}", number)
            lines.write(f"{name}-{number}\n".encode())


def count_up(folder: Path, url: str, number: Path, times: int) -> None:
    """Add to the number in a file, with nothing but the study's lock to keep others off."""
    store = open_store(folder, url)
    for _ in range(times):
        with store.exclusive():
            before = int(number.read_text())
            os.sched_yield()
            number.write_text(str(before + 1))


def hold(folder: Path, url: str, sender: Connection) -> None:
    """Take the study's turn, say who has it, and keep it for ever."""
    with open_store(folder, url, make=True).exclusive():
        sender.send(os.getpid())
        signal.pause()


def refused(folder: Path, url: str = "", make: bool = True) -> str:
    """What is said where a storage is opened; empty where it is."""
    try:
        open_store(folder, url, make=make)
    except SandboxError as error:
        return str(error)
    return ""


def plainly(job: Callable[..., object], *given: object) -> object:
    """Do a job with no rights but those of the files' owner, whoever starts it."""
    if os.geteuid() == 0:
        header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        if ctypes.CDLL(None, use_errno=True).capset(header, none):
            raise OSError(ctypes.get_errno(), "capset")
    return job(*given)
