"""A run that is killed, wherever that falls, goes on to the same bytes."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, EvaluateSpec, Recipe
from sandbox.runs.checkpoints import BEFORE, NEWEST

from apart import answer, ended, needs_fork, started
from killed import digests, folders, work, work_killed_in_write, work_on_a_full_disk

pytestmark = needs_fork
LONG = os.environ.get("METRIC_LEARNING_SANDBOX_LONG")
PLAIN = Recipe(
    loss="xbm(contrastive, memory_size=96)",
    data=DataSpec(name="digits", image_size=8),
    backbone=BackboneSpec(name="conv4", embedding_dim=16),
    batch=BatchSpec(size=24),
    evaluate=EvaluateSpec(every=4),
    max_steps=12,
    threads=1,
)
RECIPES = {
    "memory": PLAIN,
    "center": replace(PLAIN, loss="cross_entropy + 0.01*center"),
    "proxies": replace(PLAIN, loss="proxy_anchor"),
    "frozen": replace(PLAIN, loss="triplet", miner="hard", backbone=replace(PLAIN.backbone, freeze=True)),
}


Whole = dict[str, tuple[dict[str, str], float]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """What each recipe ends in when nothing happens, and the seconds that takes."""
    found = {}
    for name, recipe in RECIPES.items() if LONG else [("memory", PLAIN)]:
        out, began = tmp_path_factory.mktemp(name), time.perf_counter()
        assert ended(started(work, recipe, out)) == 0
        found[name] = digests(out), time.perf_counter() - began
    return found


# The second write is of the new folder's facts, the ninth of a checkpoint, the fifteenth of the report, the last says
# that the run is done.
@pytest.mark.parametrize("number", range(1, 19) if LONG else (9, 18))
def test_killed_inside_a_write(number: int, whole: Whole, tmp_path: Path) -> None:
    assert ended(started(work_killed_in_write, number, PLAIN, tmp_path)) == -9
    assert ended(started(work, PLAIN, tmp_path)) == 0
    assert digests(tmp_path) == whole["memory"][0]
    (folder,) = folders(tmp_path)
    assert not [each.name for each in folder.iterdir() if each.name.startswith(("check", "."))]


@pytest.mark.parametrize("number", range(1, 19) if LONG else (2, 9, 16))
def test_a_disk_that_is_full(number: int, whole: Whole, tmp_path: Path) -> None:
    code, said = answer(work_on_a_full_disk, number, PLAIN, tmp_path)
    assert code == 0 and said.startswith("cannot write ") and said.endswith("No space left on device")
    assert len(folders(tmp_path)) == (number > 2) and not [*tmp_path.glob("*/.*part*")]
    assert ended(started(work, PLAIN, tmp_path)) == 0
    assert digests(tmp_path) == whole["memory"][0]


@pytest.mark.parametrize("damaged", [(NEWEST,), (NEWEST, BEFORE)])
def test_a_checkpoint_that_is_damaged(damaged: tuple[str, ...], whole: Whole, tmp_path: Path) -> None:
    assert ended(started(work_killed_in_write, 11, PLAIN, tmp_path)) == -9
    (folder,) = folders(tmp_path)
    for name in damaged:
        content = bytearray((folder / name).read_bytes())
        content[-100] ^= 1  # a single bit of the last tensor, which safetensors would not notice
        (folder / name).write_bytes(content)
    code = ended(started(work, PLAIN, tmp_path))
    if len(damaged) == 2:
        assert code == 1
    else:
        assert code == 0 and digests(tmp_path) == whole["memory"][0]


@pytest.mark.skipif(not LONG, reason="takes minutes; METRIC_LEARNING_SANDBOX_LONG=1 asks for it")
def test_killed_twice_at_any_moment(whole: Whole, tmp_path: Path) -> None:
    draw, kills, attempt = np.random.default_rng(0), 0, 0
    while kills < 100:
        name, out = list(RECIPES)[attempt % len(RECIPES)], tmp_path / str(attempt)
        for turn in range(2):
            if turn and attempt % 3 == 0:
                process = started(work_killed_in_write, int(draw.integers(1, 12)), RECIPES[name], out)
            else:
                process = started(work, RECIPES[name], out)
                process.join(float(draw.uniform(0, whole[name][1] / 2)))
                process.kill()
            kills += ended(process) == -9
        if not folders(out) or digests(out)["status"] != "done":
            assert ended(started(work, RECIPES[name], out)) == 0, (attempt, name)
        assert digests(out) == whole[name][0], (attempt, name)
        attempt += 1
    print(f"{kills} kills on {attempt} runs: all ended in the same bytes")
