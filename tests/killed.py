"""Runs in a process of their own that is killed without warning, and gone on with."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.pipeline.run import resume, run
from sandbox.recipe.specs import Recipe

KEPT = ("model.safetensors", "objective.safetensors", "embeddings.safetensors", "report.json")


def work(recipe: Recipe, out: Path, *, pictures: bool = False, save_every: int = 2) -> None:
    """Train a recipe in the folder `out`, or go on with the run that lies there."""
    began = [folder for folder in out.glob("*") if not folder.name.startswith(".")] if out.is_dir() else []
    if began:
        events = resume(began[0], pictures=pictures, save_every=save_every)
    else:
        events = run(recipe, out=out, command="a test", pictures=pictures, save_every=save_every)
    for _ in events:
        pass


def forked(job: Callable[[], None]) -> int:
    """Do it in a process forked off this one; its number."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 2)
        job()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        os._exit(code)


def ended(child: int) -> int:
    """How a process ended: its exit code, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_after(seconds: float, job: Callable[[], None]) -> int:
    """Do it in a process that is killed after so many seconds, if it still runs."""
    child = forked(job)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return ended(child)


def killed_in_write(number: int, job: Callable[[], None]) -> int:
    """Do it in a process that is killed inside its write of that number, counted from 1, before it is on the disk."""

    def dying() -> None:
        sync, count = os.fsync, 0

        def die(descriptor: int) -> None:
            nonlocal count
            is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)  # folders are synchronised too
            count += is_file
            if is_file and count == number:
                os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
                os.kill(os.getpid(), signal.SIGKILL)
            sync(descriptor)

        os.fsync = die
        job()

    return ended(forked(dying))


def full_in_write(number: int, job: Callable[[], None]) -> str:
    """What a process says that finds the disk full at its write of that number, and at every one after it."""
    reading, writing = os.pipe()

    def failing() -> None:
        sync, count = os.fsync, 0

        def fail(descriptor: int) -> None:
            nonlocal count
            count += stat.S_ISREG(os.fstat(descriptor).st_mode)
            if count >= number:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            sync(descriptor)

        os.fsync = fail
        try:
            job()
        except SandboxError as error:
            os.write(writing, str(error).encode())

    code = ended(forked(failing))
    os.close(writing)
    with os.fdopen(reading) as said:
        return said.read() if code == 0 else f"ended with {code}"


def digests(out: Path) -> dict[str, str]:
    """SHA-256 of what a finished run keeps, and its status."""
    (folder,) = [each for each in out.iterdir() if not each.name.startswith(".")]
    found = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in KEPT if (folder / name).exists()
    }
    return {**found, "status": json.loads((folder / "run.json").read_text())["status"]}
