"""Rows of numbers in the place of images: a head is trained on them, and judged beside the rows as they are."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.data.datasets.embeddings import EmbeddingsSpec
from sandbox.errors import Interrupted, SandboxError
from sandbox.evaluation.report import Labelled, evaluate
from sandbox.inference.trained import load_trained
from sandbox.pipeline.events import Done, Progress
from sandbox.pipeline.judging.baselines import worse_than_pixels
from sandbox.pipeline.judging.evaluate import options_of
from sandbox.pipeline.prepare import prepare
from sandbox.pipeline.run import resume, run
from sandbox.recipe.specs import BackboneSpec, BatchSpec, EvaluateSpec, Recipe, digest
from sandbox.recipe.specs import replace as with_setting
from sandbox.reporting.records.run import ROWS, UNTRAINED
from sandbox.training.stopping import listen

from killed import digests

LABELS = np.repeat(np.arange(12), 6)
X = (np.random.default_rng(0).normal(size=(72, 6)) + 2 * np.random.default_rng(1).normal(size=(12, 6))[LABELS]).astype(
    "f4"
)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    file = tmp_path_factory.mktemp("rows") / "rows.npz"
    np.savez(file, embeddings=X, labels=LABELS)
    return Recipe(
        loss="arcface",
        data=EmbeddingsSpec(name="embeddings", root=str(file)),
        backbone=BackboneSpec(embedding_dim=4),
        batch=BatchSpec(size=16),
        evaluate=EvaluateSpec(every=3),
        max_steps=6,
        precision="float32",
        threads=1,
    )


@pytest.fixture(scope="module")
def done(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Done:
    *_, last = run(recipe, out=tmp_path_factory.mktemp("runs"), command="a test")
    assert isinstance(last, Done)
    return last


def test_the_network_is_the_linear_head_and_the_record_says_so(done: Done, recipe: Recipe) -> None:
    kept, facts = done.folder.recipe(), done.folder.read_json("run.json")
    assert (kept.backbone.name, kept.augment.rotate, kept.augment.flip) == ("linear", 0, "no")
    assert facts["digest"] == digest(kept) == digest(prepare(kept).recipe)
    assert facts["input"] == {"image_size": 1, "channels": 6, "head": "linear_bn", "rows": True}
    assert facts["parameters"]["backbone"] == 0 and facts["parameters"]["head"] == 6 * 4 + 4
    assert any("the network is the linear head alone" in note for note in facts["notes"])


def test_its_embeddings_are_the_map_of_the_rows(done: Done, recipe: Recipe) -> None:
    splits, trained = prepare(recipe).splits, load_trained(done.folder, rows=True)
    weights = {key: value.numpy() for key, value in trained.network.state_dict().items()}
    rows = np.array([X[int(path.removeprefix("row "))] for path in splits.test.paths], dtype=np.float64)
    raw = rows @ weights["head.0.weight"].T + weights["head.0.bias"]
    raw = (raw - weights["head.1.running_mean"]) / np.sqrt(weights["head.1.running_var"] + 1e-5)
    wanted = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    np.testing.assert_allclose(trained.embed(np.asarray(splits.test.pixels)), wanted, atol=1e-5)


def test_the_baselines_are_the_rows_and_the_untrained_head(done: Done, recipe: Recipe) -> None:
    found, test = done.folder.read_json("baselines.json"), prepare(recipe).splits.test
    assert list(found) == [ROWS, UNTRAINED]
    rows = np.array([X[int(path.removeprefix("row "))] for path in test.paths])
    wanted = evaluate(Labelled(rows, test.labels), options_of("test", recipe.evaluate, found[ROWS]["val"])).figures
    for key in ("retrieval/map@r", "verification/auc"):
        assert found[ROWS]["test"][key]["value"] == pytest.approx(wanted[key]["value"], abs=1e-12)


def test_it_says_where_it_is_below_the_rows() -> None:
    own, rows = ({"test": {"retrieval/map@r": {"value": value}}} for value in (0.5, 0.7))
    said = worse_than_pixels(own, {ROWS: rows}, "retrieval/map@r")
    assert said == (
        "MAP@R 0.5000 on test is below that of the rows as they are, 0.7000: the rows themselves are told apart better"
    )
    assert worse_than_pixels(rows, {ROWS: own}, "retrieval/map@r") == ""


def test_the_page_has_no_pictures_and_says_why(done: Done) -> None:
    page = (done.folder.path / "page.html").read_text()
    assert "Rows of numbers have no pictures: each stands as its class" in page
    assert ROWS in page and "raw pixels" not in page
    assert (done.folder.path / "figures" / "scores.png").is_file()
    assert not (done.folder.path / "figures" / "neighbours.png").exists()


def test_it_takes_no_images(done: Done) -> None:
    with pytest.raises(SandboxError, match=r"is a head over rows of 6 numbers, so it takes no images"):
        load_trained(done.folder)


def test_a_run_cut_off_ends_in_the_same_weights(recipe: Recipe, tmp_path: Path) -> None:
    recipe = replace(recipe, loss="triplet", miner="hard", backbone=replace(recipe.backbone, name="mlp"))
    for _ in run(recipe, out=tmp_path / "whole", command="a test", pictures=False):
        pass
    with pytest.raises(Interrupted), listen():
        for event in run(recipe, out=tmp_path / "cut", command="a test", pictures=False):
            if isinstance(event, Progress) and event.done == 4:
                os.kill(os.getpid(), signal.SIGTERM)
    (path,) = (tmp_path / "cut").iterdir()
    for _ in resume(path, pictures=False):
        pass
    assert digests(tmp_path / "cut") == digests(tmp_path / "whole")


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        (
            "backbone.name",
            "conv4",
            "backbone.name is conv4, but rows of numbers are no images: they take linear or mlp",
        ),
        ("backbone.name", "timm:resnet18", "they take linear or mlp"),
        ("augment.erase", 0.5, "augment.erase is 0.5, but rows of numbers are no images, and are never changed"),
        ("augment.flip", "yes", "augment.flip is yes"),
        ("data.normalize", "imagenet", "data.normalize is imagenet"),
        ("evaluate.flip", True, "evaluate.flip is True"),
        ("evaluate.views", 3, "evaluate.views is 3"),
        ("data.rotations", 4, "data.rotations is 4, but"),
    ],
)
def test_what_only_images_have_is_refused(recipe: Recipe, setting: str, value: Any, said: str) -> None:
    changed = with_setting(replace(recipe, loss="triplet"), setting, value)
    if setting == "data.rotations":
        changed = with_setting(changed, "augment.rotate", 0.0)
    with pytest.raises(SandboxError, match=said):
        prepare(changed)


def test_the_statistics_of_the_data_set_are_taken_off_where_asked_for(recipe: Recipe) -> None:
    prepared = prepare(with_setting(recipe, "data.normalize", "dataset"))
    rows = np.asarray(prepared.splits.train.pixels, dtype=np.float64).reshape(-1, 6)
    np.testing.assert_allclose(prepared.network.mean.flatten().cpu(), rows.mean(0), rtol=1e-5)
    np.testing.assert_allclose(prepared.network.std.flatten().cpu(), rows.std(0), rtol=1e-5)
