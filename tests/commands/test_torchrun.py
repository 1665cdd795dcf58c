"""The run command on several processes, as a person starts it with torchrun."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[2]
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
# No dropout, and no batch norm, which on the CPU sees a share of a batch; an optimizer that does not blow rounding up.
PLAIN = """
loss = "{loss}"
max_steps = {steps}
precision = "float32"
device = "cpu"
threads = 1
data = {{ name = "digits" }}
backbone = {{ name = "timm:test_nfnet", head = "linear", embedding_dim = 16, freeze = {freeze} }}
batch = {{ sampler = "shuffle", size = {batch} }}
optimizer = {{ name = "sgd", lr = 0.05, loss_lr = 0.05 }}
evaluate = {{ every = {every} }}
"""
CHANGED = 'augment = { flip = "yes", erase = 0.5, contrast = 0.2 }\n'
STILL = "augment = { rotate = 0.0, scale = 0.0, shear = 0.0, translate = 0.0 }\n"


def write(path: Path, augment: str, **values: object) -> Path:
    given: dict[str, object] = {"loss": "arcface", "steps": 3, "freeze": "false", "batch": 15, "every": 3}
    path.write_text(PLAIN.format(**given | values) + augment)
    return path


def torchrun(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TORCHRUN, "experiments/run.py", *words, "--no_pictures"],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def weights(folder: Path) -> dict[str, torch.Tensor]:
    files = ("model.safetensors", "objective.safetensors")
    return {f"{name} {key}": value for name in files for key, value in load_file(folder / name).items()}


@pytest.mark.parametrize(
    ("augment", "values"),
    [
        (CHANGED, {"loss": "cross_entropy + 0.01*center + triplet(triplets_per_anchor=3)"}),
        (STILL, {"loss": "cross_entropy", "freeze": "true", "steps": 9, "every": 9, "batch": 101}),
    ],
    ids=["an odd batch, with centers and a random miner", "a frozen trunk, computed once"],
)
def test_two_processes_end_in_the_weights_of_one(
    command: Callable[..., Any], tmp_path: Path, augment: str, values: dict[str, object]
) -> None:
    from sandbox.pipeline.prepare import prepare
    from sandbox.recipe.text import from_toml

    recipe = write(tmp_path / "plain.toml", augment, **values)
    words = ("--recipe", str(recipe), "--out")
    assert command("run.py", *words, str(tmp_path / "one"), "--no_pictures").code == 0
    ended = torchrun(*words, str(tmp_path / "two"))
    assert ended.returncode == 0, ended.stderr
    (one,), (two,) = (list((tmp_path / name).iterdir()) for name in ("one", "two"))  # one folder, of rank 0
    left, right = weights(one), weights(two)
    assert left.keys() == right.keys()
    assert all(torch.allclose(left[key], right[key], rtol=0, atol=1e-5) for key in left)
    before = prepare(from_toml(recipe.read_text(), source="")).network.state_dict()
    assert (left["model.safetensors head.weight"] - before["head.weight"]).abs().max() > 1e-3
    facts = [json.loads((folder / "run.json").read_text()) for folder in (one, two)]
    assert [fact["world_size"] for fact in facts] == [1, 2]
    assert facts[0]["digest"] == facts[1]["digest"]
    assert facts[1]["command"].startswith("torchrun --nproc_per_node 2 experiments/run.py")
    assert ended.stdout.count("run folder:") == 1
    assert f"2 processes share each batch of {facts[0]['batch']} images" in facts[1]["notes"]
    assert any("computed once" in note for note in facts[1]["notes"]) == (augment == STILL)


def test_stages_follow_one_another_on_two_processes(tmp_path: Path) -> None:
    recipe = tmp_path / "two.toml"
    recipe.write_text(
        'loss = "arcface"\nmax_steps = 2\nthreads = 1\ndevice = "cpu"\n'
        'data = { name = "digits" }\nbatch = { size = 16 }\nevaluate = { every = 2 }\n'
        '[[stages]]\nname = "begin"\n[[stages]]\nname = "head"\nbackbone = { freeze = true }\n'
    )
    ended = torchrun("--recipe", str(recipe), "--out", str(tmp_path / "runs"))
    assert ended.returncode == 0, ended.stderr
    facts = {f["stage"]: f for f in (json.loads(p.read_text()) for p in (tmp_path / "runs").glob("*/run.json"))}
    assert {name: fact["status"] for name, fact in facts.items()} == {"begin": "done", "head": "done"}
    assert f"starts from the run {facts['begin']['id']}" in facts["head"]["notes"]
    assert any("batch norm sees each process's share" in note for note in facts["begin"]["notes"])
    assert ended.stderr.count("stage 2 of 2: head") == 1


def test_a_mistake_is_one_sentence_of_rank_0(tmp_path: Path) -> None:
    recipe = write(tmp_path / "plain.toml", STILL, batch=3)
    ended = torchrun("--recipe", str(recipe), "--out", str(tmp_path / "runs"))
    (said,) = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert "a batch has 3 images, but 2 processes share it and need two each" in said
    assert ended.returncode != 0 and "sandbox" not in ended.stderr  # the only traceback is torchrun's own
    assert not (tmp_path / "runs").exists()


def process_of(torchrun: int, rank: int) -> int:
    """Which child of torchrun has a rank."""
    children = Path(f"/proc/{torchrun}/task/{torchrun}/children").read_text().split()
    environments = {int(child): Path(f"/proc/{child}/environ").read_bytes().split(b"\0") for child in children}
    (found,) = [child for child, words in environments.items() if f"RANK={rank}".encode() in words]
    return found


@pytest.mark.skipif(not Path(f"/proc/{os.getpid()}/task").is_dir(), reason="finds processes in /proc")
def test_ctrl_c_on_one_process_ends_both_and_the_run_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    recipe = write(tmp_path / "plain.toml", CHANGED, steps=24)
    words = ("--recipe", str(recipe), "--no_pictures", "--out")
    assert torchrun(*words[:2], "--out", str(tmp_path / "whole")).returncode == 0
    started = subprocess.Popen(
        [*TORCHRUN, "experiments/run.py", *words, str(tmp_path / "cut")],
        cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    said = []
    for line in started.stderr or ():
        said.append(line)
        if line.startswith("step 3: validation"):
            os.kill(process_of(started.pid, 1), signal.SIGINT)
    assert started.wait() != 0
    assert sum("interrupted; to go on: torchrun --nproc_per_node 2 experiments/run.py --resume" in s for s in said) == 1
    (cut,), (whole,) = (list((tmp_path / name).iterdir()) for name in ("cut", "whole"))
    assert json.loads((cut / "run.json").read_text())["status"] == "interrupted"
    ended = torchrun("--resume", str(cut))
    assert ended.returncode == 0 and "going on from step" in ended.stderr, ended.stderr
    facts = json.loads((cut / "run.json").read_text())
    assert facts["status"] == "done" and facts["resumed_at"][0] in range(3, 24, 3)
    left, right = weights(whole), weights(cut)
    assert all(torch.equal(left[key], right[key]) for key in left)
