"""How much memory this process may still take, asked before much is taken."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_LIMITS = (  # of a container, and what is used of it: control groups of both versions
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def available_memory() -> int:
    """Bytes: what the system has left, or less where a container or a limit on the process allows less.

    What the system does not say counts as no limit.
    """
    return max(0, min(_of_system(), _of_container(), _of_process()))


def gigabytes(size: float) -> str:
    """'7.4 GB', or '12 MB' where it is less than one."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.0f} MB"


def _of_system() -> int:
    rows = dict(line.split(":") for line in _text("/proc/meminfo").splitlines() if line.count(":") == 1)
    if "MemAvailable" in rows:
        return sum(int(rows[name].split()[0]) for name in ("MemAvailable", "SwapFree") if name in rows) * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return sys.maxsize


def _of_container() -> int:
    for limit, used in _LIMITS:
        most, taken = _text(limit).strip(), _text(used).strip()
        if most.isdecimal() and taken.isdecimal():
            return int(most) - int(taken)
    return sys.maxsize


def _of_process() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return sys.maxsize
    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    taken = _text("/proc/self/statm").split()
    if most == resource.RLIM_INFINITY or not taken:
        return sys.maxsize
    return most - int(taken[0]) * resource.getpagesize()


def _text(file: str) -> str:
    try:
        return Path(file).read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
