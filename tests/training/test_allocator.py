"""Memory that tensors gave back stays with the process that a command starts, unless its user chose otherwise."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

FAULTS = """
import resource, torch
from sandbox.training.allocator import keep_freed_memory
keep_freed_memory()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.ones(16 * 2**20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
torch.set_num_threads(1)
faults()
print(faults())
"""


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", {}), reason="glibc alone is asked")
@pytest.mark.parametrize("chosen", [{}, {"MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}])
def test_pages_of_a_freed_tensor_are_not_fetched_anew(chosen: dict[str, str]) -> None:
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    said = subprocess.run([sys.executable, "-c", FAULTS], env=mine | chosen, capture_output=True, text=True, check=True)
    fetched = int(said.stdout)
    assert (fetched > 1_000) == bool(chosen), fetched  # ten tensors of 64 MiB are 163,840 pages of 4 KiB
