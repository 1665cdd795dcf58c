"""How the C library keeps memory that tensors gave back, so that the next step need not fetch it anew."""

from __future__ import annotations

import ctypes
import os

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # as glibc's malloc.h numbers them
_KEPT = 256 * 2**20


def keep_freed_memory() -> None:
    """Let glibc reuse what tensors of up to 256 MiB leave, in place of handing it back to the system at once.

    By itself it takes each tensor beyond 32 MiB from the system and gives it back, and the system clears its pages
    every time. Elsewhere than with glibc, and where MALLOC_... or GLIBC_TUNABLES say otherwise, nothing changes.
    """
    chosen = any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ)
    if "CS_GNU_LIBC_VERSION" in getattr(os, "confstr_names", {}) and not chosen:
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, _KEPT)
        library.mallopt(_TRIM_THRESHOLD, _KEPT)
