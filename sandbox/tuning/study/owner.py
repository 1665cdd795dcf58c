"""Who is at work on a trial: a process of a machine, and whether it still lives."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Owner:
    """A process."""

    machine: str
    """Which running system, and which of its sets of process numbers: containers have sets of their own."""
    host: str
    """What people call the machine."""
    process: int
    began: str
    """When, as the kernel counts, since numbers are given again; empty where it does not say."""

    def as_attribute(self) -> dict[str, Any]:
        """Plain data that a study can keep."""
        return dataclasses.asdict(self)


def this_process() -> Owner:
    """The process that asks."""
    return Owner(_machine(), socket.gethostname(), os.getpid(), _began(os.getpid()))


def read_owner(attribute: object) -> Owner | None:
    """What `as_attribute` gave; None for anything else."""
    match attribute:
        case {"machine": str(machine), "host": str(host), "process": int(process), "began": str(began)}:
            return Owner(machine, host, process, began)
    return None


def lives(owner: Owner) -> bool | None:
    """Whether the process still runs; None where it is one of another machine, which cannot be told from here."""
    if owner.machine != _machine():
        return None
    try:
        os.kill(owner.process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return not owner.began or _began(owner.process) in (owner.began, "")


@cache
def _machine() -> str:
    parts = [socket.gethostname()]  # beside the others, which copies of a running machine share
    with suppress(OSError):
        parts += [Path("/proc/sys/kernel/random/boot_id").read_text().strip(), os.readlink("/proc/self/ns/pid")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def _began(process: int) -> str:
    """Clock ticks from the machine's start to the process's; empty where nobody says, or for what is only a name."""
    with suppress(OSError, IndexError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return "gone" if fields[0] in "ZX" else fields[19]
    return ""
