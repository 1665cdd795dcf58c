"""Averages over views and over the last weights, from a recipe to what a run keeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from sandbox.backbones.embed import embed
from sandbox.backbones.views import Views
from sandbox.inference.trained import load_trained
from sandbox.pipeline import run as experiment
from sandbox.pipeline.events import Done, Progress, Validation
from sandbox.pipeline.prepare import prepare
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, EvaluateSpec, OptimizerSpec, Recipe
from sandbox.training.average import averaged
from sandbox.training.checkpoint import kept
from sandbox.training.loop import train

SMALL = Recipe(
    loss="arcface",
    data=DataSpec(name="digits", image_size=8, split="sample"),
    backbone=BackboneSpec(name="conv4", embedding_dim=16),
    batch=BatchSpec(size=24),
    evaluate=EvaluateSpec(every=4),
    max_steps=8,
    threads=1,
)
AVERAGED = replace(SMALL, optimizer=OptimizerSpec(ema=0.9))


def done(recipe: Recipe, out: Path) -> Done:
    *_, last = experiment.run(recipe, out=out, command="a test", pictures=False)
    assert isinstance(last, Done)
    return last


def weights(last: Done) -> dict[str, torch.Tensor]:
    files = ("model.safetensors", "objective.safetensors")
    return {f"{name} {key}": value for name in files for key, value in load_file(last.folder.path / name).items()}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Done:
    return done(SMALL, tmp_path_factory.mktemp("plain"))


def test_what_is_kept_scored_and_embedded_later_is_the_average_over_views(plain: Done, tmp_path: Path) -> None:
    recipe = replace(SMALL, evaluate=EvaluateSpec(every=4, views=4, view_strength=2.0, flip=True))
    last = done(recipe, tmp_path)
    pixels = prepare(recipe).splits.test.pixels[:50]
    trained, views = load_trained(last.folder), Views(4, 2.0)
    assert trained.views == views and trained.flip
    again = embed(trained.network, pixels, device=trained.device, autocast=trained.autocast, flip=True, views=views)
    rows = load_file(last.folder.path / "embeddings.safetensors")["test/embeddings"][:50].numpy()
    assert (rows * again).sum(1).min() > 0.999999
    assert (rows * embed(trained.network, pixels, device=trained.device)).sum(1).min() < 0.999
    assert last.report["test"]["retrieval/map@r"] != plain.report["test"]["retrieval/map@r"]
    mine, theirs = (one.folder.read_json("baselines.json") for one in (last, plain))
    assert mine["untrained"] != theirs["untrained"] and mine["raw pixels"] == theirs["raw pixels"]


def test_what_is_validated_and_kept_is_the_average_of_the_weights(plain: Done, tmp_path: Path) -> None:
    events = list(experiment.run(AVERAGED, out=tmp_path, command="a test", pictures=False))
    best = max((event for event in events if isinstance(event, Validation)), key=lambda event: event.value)
    last = events[-1]
    assert isinstance(last, Done)
    prepared = prepare(AVERAGED)
    for step in train(prepared.training):
        if step.done == best.step:
            break
    with averaged(prepared.training.average):
        wanted = {f"model.safetensors {key}": value for key, value in kept(prepared.network).items()}
        wanted |= {f"objective.safetensors {key}": value for key, value in kept(prepared.objective).items()}
    found, theirs = weights(last), weights(plain)
    assert found.keys() == wanted.keys() and all(torch.equal(found[key], wanted[key]) for key in found)
    for name in ("head.0.weight", "terms.0.loss.W"):
        (key,) = (key for key in found if key.endswith(name))
        assert not torch.equal(found[key], theirs[key])
    assert last.report["val"]["retrieval/map@r"]["value"] == pytest.approx(best.value, abs=1e-12)


def test_a_run_cut_off_at_any_step_ends_in_the_same_files(tmp_path: Path) -> None:
    whole = done(AVERAGED, tmp_path / "whole")
    for at in (1, 4, 6):
        events = experiment.run(AVERAGED, out=tmp_path / str(at), command="a test", pictures=False, save_every=1)
        for event in events:
            if isinstance(event, Progress) and event.done == at:
                events.close()
        (cut,) = (tmp_path / str(at)).iterdir()
        *_, last = experiment.resume(cut, pictures=False)
        assert isinstance(last, Done) and last.report == whole.report
        for name in ("model.safetensors", "objective.safetensors", "embeddings.safetensors", "baselines.json"):
            assert (cut / name).read_bytes() == (whole.folder.path / name).read_bytes(), (at, name)


def test_of_a_frozen_trunk_what_learns_is_averaged(tmp_path: Path) -> None:
    recipe = replace(AVERAGED, backbone=replace(SMALL.backbone, freeze=True))
    mine, theirs = (weights(done(one, tmp_path / name)) for one, name in (
        (recipe, "a"), (replace(recipe, optimizer=OptimizerSpec()), "b"),
    ))  # fmt: skip
    for key in mine:
        moves = not key.startswith("model.safetensors backbone") and mine[key].is_floating_point()
        assert torch.equal(mine[key], theirs[key]) != moves or key.endswith((" mean", " std")), key
