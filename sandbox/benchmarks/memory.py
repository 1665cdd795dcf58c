"""Resident memory of an evaluation, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sandbox.benchmarks.rows import classes

ROOT = Path(__file__).resolve().parents[2]


def memory_by_rows() -> Iterator[str]:
    """Resident memory of retrieval and of verification, which grows with the rows, not with their square."""
    for rows in (25_000, 50_000, 100_000):
        x, y = classes(rows, 5)
        yield resident("retrieval", x, y)
        yield resident("all pairs", x, y)


def resident(what: str, x: np.ndarray, y: np.ndarray, limit: int = 0) -> str:
    """Peak resident memory of one evaluation in a fresh process, beyond its imports and the embeddings (Linux)."""
    body = {
        "retrieval": "retrieval(x, y).figures()",
        "all pairs": "verify_all_pairs(x, y, far=far).figures(far)",
    }[what]
    program = f"""
import sys, time
import numpy as np
from sandbox.evaluation.retrieval import retrieval
from sandbox.evaluation.verification import verify_all_pairs
far = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
def judge(x, y):
    {body}
small = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
judge(small, np.arange(50) // 2)  # compiled code and libraries count as imports
held = np.load(sys.argv[1])
x, y = held["x"], held["y"]
def resident(what):
    line = next(line for line in open("/proc/self/status") if line.startswith(what))
    return int(line.split()[1]) / 1024
open("/proc/self/clear_refs", "w").write("5")  # the peak so far is forgotten
before = resident("VmRSS")
began = time.perf_counter()
judge(x, y)
seconds = time.perf_counter() - began
print(resident("VmHWM") - before, seconds)
"""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.npz"
        np.savez(file, x=x, y=y)
        done = subprocess.run(
            [sys.executable, "-c", program, str(file)], check=True, capture_output=True, text=True, cwd=ROOT
        )
    megabytes, seconds = (float(word) for word in done.stdout.split())
    wanted = f" (limit {limit})" if limit else ""
    return f"{what} of {len(x):,} rows: {megabytes:,.0f} MiB beyond the imports{wanted}, {seconds:.1f} s"
