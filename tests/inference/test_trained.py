"""The network of a finished run, put together again from its folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch.nn import functional as F

from sandbox.backbones.embed import to_tensor
from sandbox.backbones.views import Views
from sandbox.data.catalog import load
from sandbox.errors import SandboxError
from sandbox.inference.trained import load_trained, network_digest
from sandbox.pipeline import run as experiment
from sandbox.pipeline.events import Done
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, EvaluateSpec, Recipe
from sandbox.runs.folder import RunFolder

SMALL = Recipe(
    data=DataSpec(name="digits"),
    backbone=BackboneSpec(name="conv4", embedding_dim=32),
    batch=BatchSpec(size=16),
    max_steps=2,
    threads=1,
    precision="float32",
)


@pytest.fixture(scope="module")
def run_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Recipe], RunFolder]:
    """The folder of a run, which is made once for all tests of this file."""
    made: dict[Recipe, RunFolder] = {}

    def make(recipe: Recipe) -> RunFolder:
        if recipe not in made:
            *_, last = experiment.run(recipe, out=tmp_path_factory.mktemp("runs"), command="a test", pictures=False)
            assert isinstance(last, Done)
            made[recipe] = last.folder
        return made[recipe]

    return make


@pytest.mark.parametrize(
    "recipe",
    [
        SMALL,
        replace(SMALL, loss="arcface"),  # a head with batch norm
        replace(SMALL, data=DataSpec(name="digits", colour="rgb", normalize="imagenet")),
        replace(SMALL, backbone=BackboneSpec(name="conv4", head="none"), data=DataSpec(name="digits", image_size=20)),
        replace(SMALL, evaluate=EvaluateSpec(flip=True)),
    ],
    ids=["linear", "linear_bn", "rgb", "no head", "flip"],
)
def test_it_gives_the_embeddings_of_the_run(run_of: Callable[[Recipe], RunFolder], recipe: Recipe) -> None:
    folder = run_of(recipe)
    trained = load_trained(folder)
    kept = load_file(folder.path / "embeddings.safetensors")
    for name, images in (("val", load(recipe.data).val), ("test", load(recipe.data).test)):
        pixels = np.ascontiguousarray(images.pixels)
        assert trained.image_size == pixels.shape[1] and trained.channels == pixels.shape[3]
        np.testing.assert_allclose(trained.embed(pixels), kept[f"{name}/embeddings"].numpy(), atol=1e-6)


def test_a_flip_average_is_the_mean_of_both_directions(run_of: Callable[[Recipe], RunFolder]) -> None:
    plain, flipped = load_trained(run_of(SMALL)), load_trained(run_of(replace(SMALL, evaluate=EvaluateSpec(flip=True))))
    pixels = np.ascontiguousarray(load(SMALL.data).test.pixels[:40])
    with torch.no_grad():
        sides = [
            F.normalize(flipped.network(to_tensor(np.ascontiguousarray(side)))) for side in (pixels, pixels[:, :, ::-1])
        ]
    both = F.normalize(sides[0] + sides[1]).numpy()
    np.testing.assert_allclose(flipped.embed(pixels), both, atol=1e-6)
    np.testing.assert_allclose(flipped.embed(pixels[:, :, ::-1]), both, atol=1e-6)  # one image and its mirror image
    np.testing.assert_allclose(np.linalg.norm(both, axis=1), 1, atol=1e-5)
    assert np.abs(plain.embed(pixels) - plain.embed(pixels[:, :, ::-1])).max() > 1e-3


def test_a_grey_network_takes_colour_as_pillow_makes_it_grey(run_of: Callable[[Recipe], RunFolder]) -> None:
    trained = load_trained(run_of(SMALL))
    colour = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)
    grey = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in colour])[..., None]
    np.testing.assert_array_equal(trained.embed(colour), trained.embed(grey))


def test_a_run_of_another_machine_s_device_is_read_here(run_of: Callable[[Recipe], RunFolder], tmp_path: Path) -> None:
    folder = copied(run_of(SMALL), tmp_path)
    recipe = folder.path / "recipe.toml"
    recipe.write_text(recipe.read_text().replace('device = "auto"', 'device = "cuda:99"'))
    assert "cuda:99" in recipe.read_text()
    assert load_trained(folder).device.type in ("cpu", "cuda", "mps")


def copied(folder: RunFolder, place: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(folder.path, place / "copy")))


def facts(**changed: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        known = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps({**known, **changed}))

    return change


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def overwrite(name: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(text) and None


GOOD = {"image_size": 16, "channels": 1, "head": "linear"}


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (facts(status="running"), "is not finished: its status is 'interrupted: its process is gone'"),
        (facts(input=None), "does not say what images"),
        (facts(input=[16]), "does not say what images"),
        (facts(input={**GOOD, "head": "auto"}), "does not say what images"),
        (facts(input={**GOOD, "channels": 2}), "does not say what images"),
        (facts(input={**GOOD, "image_size": "16"}), "does not say what images"),
        (facts(input={**GOOD, "image_size": 10**9}), "does not say what images"),
        (facts(input={**GOOD, "channels": 3}), "does not fit the network"),
        (facts(input={**GOOD, "head": "none"}), "does not fit the network"),
        (remove("run.json"), "has no run.json"),
        (remove("recipe.toml"), "has no recipe.toml"),
        (remove("model.safetensors"), "has no model.safetensors"),
        (overwrite("model.safetensors", "not tensors"), "is damaged"),
        (overwrite("run.json", "{"), "cannot be read"),
        (overwrite("run.json", "[]"), "is not finished"),
    ],
)
def test_a_damaged_run_is_refused_in_a_sentence(
    run_of: Callable[[Recipe], RunFolder], tmp_path: Path, harm: Callable[[Path], None], words: str
) -> None:
    folder = copied(run_of(SMALL), tmp_path)
    load_trained(folder)
    harm(folder.path)
    with pytest.raises(SandboxError, match=words) as error:
        load_trained(folder)
    assert "\n" not in str(error.value)


def test_there_is_no_run_where_there_is_no_folder(tmp_path: Path) -> None:
    for name in ("none", "x" * 5000):
        with pytest.raises(SandboxError, match="there is no folder"):
            load_trained(RunFolder(tmp_path / name))


def test_the_depth_of_the_files_is_part_of_how_images_are_read() -> None:
    weights = {"w": torch.zeros(2)}
    plain = network_digest(weights, 16, 0, False)
    assert network_digest(weights, 16, 0, False, None) == network_digest(weights, 16, 0, False, 16) == plain
    assert network_digest(weights, 16, 0, False, 12) != plain


def test_averages_over_views_have_a_name_of_their_own() -> None:
    weights = {"w": torch.zeros(2)}
    ways = [Views(), Views(2), Views(9), Views(9, 0.5)]
    named = {network_digest(weights, 16, 0, flip, None, views) for flip in (False, True) for views in ways}
    assert len(named) == 8
    plain = network_digest(weights, 16, 0, True)
    assert network_digest(weights, 16, 0, True, None, Views(1, 2.0)) == plain == "49a93af77a8a"
