"""Runs that train in another way than usual: not at all, by the clock, the head first, at a rate for each layer."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import load_file

from sandbox.errors import SandboxError
from sandbox.inference.trained import load_trained
from sandbox.pipeline import run as experiment
from sandbox.pipeline.events import Done, Note, Progress, Validation
from sandbox.pipeline.prepare import facts, prepare
from sandbox.pipeline.published_form import with_published_form
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, EvaluateSpec, OptimizerSpec, Recipe

SMALL = Recipe(
    data=DataSpec(name="digits", image_size=8),
    backbone=BackboneSpec(name="conv4", embedding_dim=16),
    batch=BatchSpec(size=24),
    evaluate=EvaluateSpec(recall_at=(1,)),
    threads=1,
)


def test_no_step_gives_a_whole_run_of_the_network_as_it_begins(tmp_path: Path) -> None:
    recipe = replace(SMALL, max_steps=0, backbone=BackboneSpec(name="conv4", head="none", freeze=True))
    events = list(experiment.run(recipe, out=tmp_path, command="a test", pictures=False))
    last = events[-1]
    assert isinstance(last, Done) and not [event for event in events if isinstance(event, Progress)]
    assert [event.step for event in events if isinstance(event, Validation)] == [0]
    assert "nothing is trained (max_steps is 0)" in " ".join(event.text for event in events if isinstance(event, Note))
    recorded = last.folder.read_json("run.json")
    assert (recorded["status"], recorded["steps"], recorded["best"]["step"]) == ("done", 0, 0)
    assert {"report.json", "model.safetensors"} <= {path.name for path in last.folder.path.iterdir()}
    assert last.folder.read_json("baselines.json")["untrained"] == json.loads(
        (last.folder.path / "report.json").read_text()
    )
    kept, first = load_file(last.folder.path / "model.safetensors"), prepare(recipe).network.state_dict()
    assert all(torch.equal(kept[key], value) for key, value in first.items())


@pytest.mark.thorough
def test_a_run_of_no_step_has_its_page(tmp_path: Path) -> None:
    *_, last = experiment.run(replace(SMALL, max_steps=0), out=tmp_path, command="a test")
    assert isinstance(last, Done) and (last.folder.path / "page.html").is_file()


def test_a_run_by_the_clock_goes_on_with_the_time_that_is_left(tmp_path: Path) -> None:
    events = experiment.run(
        replace(SMALL, max_seconds=0.6), out=tmp_path, command="a test", pictures=False, save_every=1
    )
    notes = []
    for event in events:
        if isinstance(event, Note):
            notes.append(event.text)
        if isinstance(event, Progress):
            events.close()
            break
    (cut,) = tmp_path.iterdir()
    assert "the run is not a function of its seed alone" in " ".join(notes)
    *others, last = experiment.resume(cut, pictures=False)
    assert isinstance(last, Done)
    said = next(event.text for event in others if isinstance(event, Note) and event.text.startswith("going on"))
    assert said.startswith("going on from step 1 of a run by the clock, with ") and "of 0.6 seconds left" in said
    recorded = last.folder.read_json("run.json")
    assert recorded["status"] == "done" and recorded["seconds"]["by_the_clock"] >= 0.6
    assert recorded["steps"] >= 1 and "planned_steps" not in recorded
    assert last.folder.recipe().max_seconds == 0.6


def test_what_is_said_of_layers_and_of_the_head() -> None:
    spec = OptimizerSpec(lr=1.0, layer_decay=0.5, head_first=2)
    notes = prepare(replace(SMALL, max_steps=4, optimizer=spec)).notes
    assert "the head is trained alone for 2 steps, then all layers are" in notes
    assert (
        "the trunk has 4 layers of blocks, and its learning rates go from 0.5 at the last to 0.0625 at the first"
        in notes
    )
    bare = replace(SMALL, max_steps=4, optimizer=spec, backbone=BackboneSpec(name="conv4", head="none"))
    with pytest.raises(SandboxError, match=r"optimizer\.head_first is 2, but there is no head and the objective owns"):
        prepare(bare)
    prepare(replace(bare, loss="arcface", backbone=BackboneSpec(name="conv4", head="linear")))


def test_pretrained_weights_get_the_images_that_their_library_says() -> None:
    given = Recipe(backbone=BackboneSpec(name="timm:dm_nfnet_f0", weights="pretrained"))
    recipe, notes = with_published_form(given)
    assert (recipe.data.image_size, recipe.data.resize) == (192, None)  # squeezed, as DeepMind did
    assert "its library resizes images bicubic, and here they are resized bilinear" in notes
    recipe, notes = with_published_form(
        replace(given, backbone=BackboneSpec(name="torchvision:efficientnet_b3", weights="pretrained"))
    )
    assert (recipe.data.image_size, recipe.data.resize) == (300, 320)
    assert with_published_form(recipe)[0] == recipe
    mine = replace(given, data=DataSpec(image_size=64))
    assert with_published_form(mine)[0] == mine
    assert with_published_form(Recipe()) == (Recipe(), [])
    with pytest.raises(SandboxError, match=r"data\.normalize is library, but no library publishes weights of conv6"):
        with_published_form(Recipe(data=DataSpec(normalize="library")))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """What torchvision would have downloaded lies in its cache: a network of its own, drawn here."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    weights = torchvision.models.get_model_weights("squeezenet1_1").DEFAULT
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    state = torchvision.models.squeezenet1_1().state_dict()
    torch.save(state, folder / os.path.basename(weights.url))
    return state


def test_grey_images_are_repeated_for_pretrained_weights_and_read_so_again(
    hub: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    spec = BackboneSpec(name="torchvision:squeezenet1_1", weights="pretrained", head="none")
    recipe = replace(SMALL, backbone=spec, data=DataSpec(name="digits", image_size=32), max_steps=0)
    *events, last = experiment.run(recipe, out=tmp_path / "runs", command="a test", pictures=False)
    assert isinstance(last, Done)
    notes = " ".join(event.text for event in events if isinstance(event, Note))
    assert "each is repeated to three channels" in notes and "mean 0.485, 0.456, 0.406" in notes
    recorded = last.folder.read_json("run.json")
    assert recorded["published_form"]["image_size"] == 224 and recorded["input"]["channels"] == 1
    assert recorded["published_form"]["mean"] == pytest.approx([0.485, 0.456, 0.406])
    trained = load_trained(last.folder)
    pixels = np.ascontiguousarray(prepare(recipe).splits.test.pixels[:4])
    kept = load_file(last.folder.path / "embeddings.safetensors")["test/embeddings"][:4]
    assert trained.channels == 1 and np.allclose(trained.embed(pixels), kept.numpy(), atol=1e-5)
    assert facts(prepare(recipe))["published_form"] == recorded["published_form"]
