"""What a run goes on from: signals between steps, and checkpoints that strangers changed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from sandbox.errors import Interrupted, SandboxError
from sandbox.pipeline.events import Note, Progress, Validation
from sandbox.pipeline.prepare import prepare
from sandbox.pipeline.run import resume, run
from sandbox.pipeline.saving import Saves
from sandbox.pipeline.watch import Watch
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, EvaluateSpec, Recipe
from sandbox.runs.checkpoints import BEFORE, NEWEST, read_checkpoint, write_checkpoint
from sandbox.runs.folder import RunFolder
from sandbox.training.stopping import listen

from killed import digests

RECIPE = Recipe(
    loss="xbm(contrastive, memory_size=96) + 0.01*center",
    data=DataSpec(name="digits", image_size=8),
    backbone=BackboneSpec(name="conv4", embedding_dim=16),
    batch=BatchSpec(size=24),
    evaluate=EvaluateSpec(every=4),
    max_steps=10,
    threads=1,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    out = tmp_path_factory.mktemp("whole")
    for _ in run(RECIPE, out=out, command="a test", pictures=False):
        pass
    return digests(out)


def stopped(out: Path, when: Callable[[Any], bool], number: int = signal.SIGTERM) -> RunFolder:
    """The run, asked to end once an event is such."""
    with pytest.raises(Interrupted) as stop, listen():
        for event in run(RECIPE, out=out, command="a test", pictures=False):
            if when(event):
                os.kill(os.getpid(), number)
    assert stop.value.number == number
    (path,) = out.iterdir()
    return RunFolder(path)


def step(number: int) -> Callable[[Any], bool]:
    return lambda event: isinstance(event, Progress) and event.done == number


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_signal_lets_the_step_be_finished_and_saved(number: int, whole: dict[str, str], tmp_path: Path) -> None:
    folder = stopped(tmp_path, step(5), number)
    name = signal.Signals(number).name
    assert folder.status() == f"interrupted by {name} at step 6"
    held = read_checkpoint(folder)
    assert held and held[1]["step"] == 6
    said = [event.text for event in resume(folder.path, pictures=False) if isinstance(event, Note)]
    assert "going on from step 6 of 10" in said and digests(tmp_path) == whole


def test_a_validation_that_was_still_to_come_is_made_up_for(whole: dict[str, str], tmp_path: Path) -> None:
    folder = stopped(tmp_path, step(7))  # the eighth step calls for one
    held = read_checkpoint(folder)
    assert held and held[1]["step"] == 8 and held[1]["judged"] is False
    events = list(resume(folder.path, pictures=False))
    assert [event.step for event in events if isinstance(event, Validation)] == [8, 10]
    assert digests(tmp_path) == whole
    logged = [row["step"] for row in folder.read_log() if "val" in row]
    assert logged == [4, 8, 10]


def test_a_signal_in_the_last_validation_leaves_the_scoring_to_be_done(whole: dict[str, str], tmp_path: Path) -> None:
    folder = stopped(tmp_path, lambda event: isinstance(event, Validation) and event.step == 10)
    assert folder.status().startswith("interrupted by SIGTERM") and not (folder.path / "model.safetensors").exists()
    assert not any(isinstance(event, Progress) for event in resume(folder.path, pictures=False))
    assert digests(tmp_path) == whole


def test_between_validations_the_time_and_the_steps_decide(tmp_path: Path) -> None:
    assert [Saves(every=3).due(step) for step in (1, 3, 4, 6)] == [False, True, False, True]
    assert Saves(seconds=0).due(1) and not Saves().due(1)
    prepared, saves = prepare(RECIPE), Saves(seconds=0)
    saves.save(prepared, RunFolder(tmp_path), Watch("retrieval/map@r", 0), 1, judged=True)
    assert 20 <= saves.seconds <= 50 and not saves.due(2)  # a slow disk is written to less often, but every minute


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, dict[str, torch.Tensor], dict[str, Any]]:
    folder = stopped(tmp_path_factory.mktemp("cut"), step(5))
    held = read_checkpoint(folder)
    assert held
    return folder, held[0], held[1]


def groups(tensors: dict[str, torch.Tensor]) -> list[str]:
    """A tensor of each kind: weights, moments, what losses own and what they hide, the best so far."""
    kinds: dict[tuple[str, str], str] = {}
    for key in tensors:
        kinds.setdefault((key.split("/")[0], key.rpartition("/")[2].rpartition(":")[2].rpartition(".")[2]), key)
    return list(kinds.values())


def test_whatever_is_left_out_of_a_checkpoint_it_is_refused(
    cut: tuple[RunFolder, dict[str, torch.Tensor], dict[str, Any]],
) -> None:
    folder, tensors, state = cut
    left_out: list[tuple[dict[str, torch.Tensor], dict[str, Any]]] = [
        *((without(tensors, gone), state) for gone in groups(tensors)),
        *((tensors, without(state, gone)) for gone in state if gone not in ("judged", "tensors")),
        *((tensors, {**state, "hidden": without(state["hidden"], gone)}) for gone in state["hidden"]),
    ]
    assert len(left_out) > 25
    for less, also in left_out:
        refused(folder, less, also)


def without(whole: dict[str, Any], gone: str) -> dict[str, Any]:
    return {key: value for key, value in whole.items() if key != gone}


def refused(folder: RunFolder, tensors: dict[str, torch.Tensor], state: dict[str, Any]) -> None:
    write_checkpoint(folder, tensors, state)
    (folder.path / BEFORE).unlink(missing_ok=True)
    words = r"the checkpoint (of .* is of no such run|does not fit this recipe)"
    with pytest.raises(SandboxError, match=words) as said:
        list(resume(folder.path, pictures=False))
    assert "\n" not in str(said.value) and folder.status().startswith("interrupted")


def changed(state: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**state, **more}


HOSTILE: dict[str, Callable[[dict[str, torch.Tensor], dict[str, Any]], Any]] = {
    "a step after the last": lambda t, s: (t, changed(s, step=10**9)),
    "a step before the first": lambda t, s: (t, changed(s, step=-5)),
    "a step in words": lambda t, s: (t, changed(s, step="6")),
    "a step that is true": lambda t, s: (t, changed(s, step=True)),
    "a best of no number": lambda t, s: (t, changed(s, best={**s["best"], "value": "high"})),
    "a best that is not finite": lambda t, s: (t, changed(s, best={**s["best"], "value": float("inf")})),
    "a best that is to come": lambda t, s: (t, changed(s, best={**s["best"], "step": 7})),
    "a list for the state of the optimizer": lambda t, s: (t, changed(s, optimizer=[])),
    "a moment of another shape": lambda t, s: ({**t, "optimizer/0/exp_avg": torch.zeros(3)}, s),
    "a moment of a weight that is not there": lambda t, s: ({**t, "optimizer/9999/exp_avg": torch.zeros(3)}, s),
    "a method": lambda t, s: (t, changed(s, hidden={**s["hidden"], "terms.0.loss:forward": 3})),
    "a property": lambda t, s: (t, changed(s, hidden={**s["hidden"], "terms.0:__class__": "x"})),
    "a module": lambda t, s: (t, changed(s, hidden={**s["hidden"], "terms.0:loss": 1})),
    "a text for a number": lambda t, s: (t, changed(s, hidden={**s["hidden"], "terms.0.loss:queue_idx": "0"})),
    "best weights of another shape": lambda t, s: ({**t, "best/head.weight": torch.zeros(2)}, s),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_checkpoint_from_a_stranger_is_refused_in_a_sentence(
    name: str, cut: tuple[RunFolder, dict[str, torch.Tensor], dict[str, Any]]
) -> None:
    folder, tensors, state = cut
    refused(folder, *HOSTILE[name](tensors, state))


def test_a_finished_run_is_not_gone_on_with_and_loses_what_was_left(tmp_path: Path) -> None:
    out = tmp_path / "runs"
    for _ in run(replace(RECIPE, max_steps=1), out=out, command="a test", pictures=False):
        pass
    (path,) = out.iterdir()
    for left in (NEWEST, ".0123.part.safetensors"):
        (path / left).write_bytes(b"x")  # as of a process that was killed at the very end
    with pytest.raises(SandboxError, match="is finished; there is nothing to resume"):
        list(resume(path))
    assert not [each.name for each in path.iterdir() if each.name.startswith((".", "checkpoint"))]
