"""The run command on several processes, as a person starts it with torchrun."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from processes import ROOT, Ended, two

TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
# A frozen trunk: batch norm, which on the CPU sees a share of a batch, keeps its statistics. No dropout, and an
# optimizer that does not blow rounding up.
SETTINGS = """
loss = "cross_entropy"
max_steps = {steps}
precision = "float32"
device = "cpu"
threads = 1
data = {{ name = "digits", image_size = 8 }}
backbone = {{ name = "conv4", head = "linear", embedding_dim = 16, freeze = true }}
batch = {{ sampler = "shuffle", size = {batch} }}
optimizer = {{ name = "sgd", lr = 0.05, loss_lr = 0.05 }}
evaluate = {{ every = 3 }}
augment = {{ flip = "yes", erase = 0.5, contrast = 0.2 }}
"""
STAGES = """
[[stages]]
name = "all"
loss = "cross_entropy + 0.01*center + triplet(triplets_per_anchor=3)"
[[stages]]
name = "head"
max_steps = 24
augment = { flip = "no", erase = 0.0, contrast = 0.0, rotate = 0.0, scale = 0.0, shear = 0.0, translate = 0.0 }
batch = { size = 101 }
optimizer = { ema = 0.9 }
"""


def write(path: Path, more: str = "", *, steps: int = 3, batch: int = 15) -> Path:
    path.write_text(SETTINGS.format(steps=steps, batch=batch) + more)
    return path


def weights(folder: Path) -> dict[str, torch.Tensor]:
    files = ("model.safetensors", "objective.safetensors")
    return {f"{name} {key}": value for name in files for key, value in load_file(folder / name).items()}


def stages_of(folder: Path) -> dict[str, Path]:
    return {json.loads((run / "run.json").read_text())["stage"]: run for run in folder.iterdir()}


@dataclass(frozen=True)
class Both:
    recipe: Path
    one: dict[str, Path]
    """Stage -> run folder, of one process."""
    two: dict[str, Path]
    """The same of two, of which rank 0 has a folder."""
    said: Ended


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    """A recipe of two stages on one process, and on two."""
    from sandbox.pipeline.run import run
    from sandbox.recipe.text import load_staged

    here = tmp_path_factory.mktemp("both")
    recipe = write(here / "two.toml", STAGES)
    base, stages = load_staged(str(recipe), here)
    earlier = ""
    for stage in stages:
        events = run(
            replace(stage.over(base), resume_from=earlier),
            out=here / "one",
            command="",
            pictures=False,
            stage=stage.name,
        )
        *_, last = events
        earlier = str(last.folder.path)  # type: ignore[union-attr]
    words = ("--recipe", str(recipe), "--no_pictures", "--out", str(here / "two"))
    ended = two("experiments/run.py", *words, said=here / "said")
    assert ended.codes == [0, 0], ended.err
    return Both(recipe, stages_of(here / "one"), stages_of(here / "two"), ended)


def test_two_processes_end_in_the_weights_of_one_stage_after_stage(both: Both) -> None:
    from sandbox.pipeline.prepare import prepare
    from sandbox.recipe.text import from_toml

    one, two = both.one, both.two
    assert one.keys() == two.keys() == {"all", "head"}
    for stage in one:
        left, right = weights(one[stage]), weights(two[stage])
        assert left.keys() == right.keys()
        assert all(torch.allclose(left[key], right[key], rtol=0, atol=1e-5) for key in left), stage
        facts = [json.loads((folders[stage] / "run.json").read_text()) for folders in (one, two)]
        assert [fact["world_size"] for fact in facts] == [1, 2]
        assert [fact["status"] for fact in facts] == ["done", "done"]
        assert facts[1]["command"].startswith("torchrun --nproc_per_node 2 experiments/run.py")
        assert f"2 processes share each batch of {facts[0]['batch']} images" in facts[1]["notes"]
        assert any("computed once" in note for note in facts[1]["notes"]) == (stage == "head")
    before = prepare(from_toml(SETTINGS.format(steps=3, batch=15))).network.state_dict()["head.weight"]
    assert (weights(one["all"])["model.safetensors head.weight"] - before).abs().max() > 1e-3
    assert f"starts from the run {two['all'].name}" in json.loads((two["head"] / "run.json").read_text())["notes"]
    assert both.said.out.count("run folder:") == 2 and both.said.err.count("stage 2 of 2: head") == 1


def test_a_mistake_is_one_sentence_of_rank_0(tmp_path: Path) -> None:
    recipe = write(tmp_path / "plain.toml", batch=3)
    words = ("--recipe", str(recipe), "--out", str(tmp_path / "runs"))
    ended = two("experiments/run.py", *words, said=tmp_path / "said")
    (said,) = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert "Traceback" not in ended.err and "a batch has 3 images, but 2 processes share it and need two each" in said
    assert ended.codes == [2, 2] and ended.out == ""
    assert not (tmp_path / "runs").exists()


def process_of(torchrun: int, rank: int) -> int:
    """Which child of torchrun has a rank."""
    children = Path(f"/proc/{torchrun}/task/{torchrun}/children").read_text().split()
    environments = {int(child): Path(f"/proc/{child}/environ").read_bytes().split(b"\0") for child in children}
    (found,) = [child for child, words in environments.items() if f"RANK={rank}".encode() in words]
    return found


@pytest.mark.thorough
@pytest.mark.skipif(not Path(f"/proc/{os.getpid()}/task").is_dir(), reason="finds processes in /proc")
def test_ctrl_c_on_one_process_ends_both_and_the_run_goes_on_to_the_same_bits(both: Both, tmp_path: Path) -> None:
    stage = ("--recipe", str(both.recipe), "--stage", "head", "--resume_from", str(both.two["all"]))
    words = (*stage, "--no_pictures", "--out")
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
    (cut,), whole = (tmp_path / "cut").iterdir(), both.two["head"]
    assert json.loads((cut / "run.json").read_text())["status"].startswith("interrupted by SIGINT at step ")
    ended = two("experiments/run.py", "--resume", str(cut), "--no_pictures", said=tmp_path / "said")
    assert ended.codes == [0, 0] and "going on from step" in ended.err
    facts = json.loads((cut / "run.json").read_text())
    assert facts["status"] == "done" and 3 <= facts["resumed_at"][0] < 24
    left, right = weights(whole), weights(cut)
    assert all(torch.equal(left[key], right[key]) for key in left)
