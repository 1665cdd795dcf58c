"""Averages over views, from a recipe to what a run keeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file

from sandbox.backbones.embed import embed
from sandbox.backbones.views import Views
from sandbox.inference.trained import load_trained
from sandbox.pipeline import run as experiment
from sandbox.pipeline.events import Done
from sandbox.pipeline.prepare import prepare
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, EvaluateSpec, Recipe

SMALL = Recipe(
    loss="arcface",
    data=DataSpec(name="digits", image_size=8, split="sample"),
    backbone=BackboneSpec(name="conv4", embedding_dim=16),
    batch=BatchSpec(size=24),
    evaluate=EvaluateSpec(every=4),
    max_steps=8,
    threads=1,
)


def done(recipe: Recipe, out: Path) -> Done:
    *_, last = experiment.run(recipe, out=out, command="a test", pictures=False)
    assert isinstance(last, Done)
    return last


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
