"""Many runs in one process: memory and open files stay as they are. Minutes long, so only where it is asked for."""

from __future__ import annotations

import gc
import os
import shutil
from pathlib import Path

import pytest

from sandbox.pipeline.run import run
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, Recipe

LONG = "METRIC_LEARNING_SANDBOX_LONG"
"""Set in the environment, it lets the tests run that take minutes."""
_WARM, _RUNS = 50, 500
_ROOM = 30 * 2**20  # bytes


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not os.environ.get(LONG), reason=f"takes minutes; set {LONG}=1")
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not say what a process holds")
def test_five_hundred_runs_leave_memory_and_open_files_as_they_were(tmp_path: Path) -> None:
    recipe = Recipe(
        loss="contrastive",
        data=DataSpec(name="digits"),
        backbone=BackboneSpec(name="conv4", embedding_dim=8),
        batch=BatchSpec(classes=2, samples=2),
        max_steps=2,
    )
    held: list[tuple[int, int]] = []
    for number in range(_RUNS):
        list(run(recipe, out=tmp_path, command="a test", test=False, pictures=False))
        shutil.rmtree(next(tmp_path.iterdir()))
        if number >= _WARM and number % 10 == 0:
            gc.collect()  # what refers to itself goes when the collector comes by, which conftest.py makes rare
            held.append((_resident(), _open_files()))
            print(f"run {number}: {held[-1][0] / 1e6:.1f} MB, {held[-1][1]} files", flush=True)
    memory, files = zip(*held, strict=True)
    assert len(set(files)) == 1
    assert max(memory[-5:]) - max(memory[:5]) < _ROOM
