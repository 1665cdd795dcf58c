"""Runs whose trunk, or trunk and head, is frozen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from small_runs import MINED as SMALL
from small_runs import done

from sandbox.errors import SandboxError
from sandbox.pipeline import run as experiment
from sandbox.pipeline.events import Done, Progress
from sandbox.pipeline.judging.evaluate import validate
from sandbox.pipeline.prepare import prepare
from sandbox.recipe.specs import (
    AugmentSpec,
    BackboneSpec,
    BatchSpec,
    DataSpec,
    EvaluateSpec,
)

FROZEN = replace(
    SMALL,
    loss="cross_entropy",
    miner="none",
    data=DataSpec(name="digits", image_size=8, split="sample"),
    augment=AugmentSpec(rotate=0.0, scale=0.0, shear=0.0, translate=0.0),
    backbone=BackboneSpec(name="conv4", freeze=True, embedding_dim=16),
    batch=BatchSpec(size=128),
    evaluate=EvaluateSpec(every=5, monitor="classification/top@1"),
    max_steps=15,
)


@pytest.mark.parametrize("head", ["linear", "none"])
def test_a_frozen_trunk_runs_once_and_the_run_goes_on_to_the_same_bits(tmp_path: Path, head: str) -> None:
    recipe = replace(FROZEN, backbone=replace(FROZEN.backbone, head=head))  # type: ignore[arg-type]
    whole = done(recipe, tmp_path / "whole")
    events = experiment.run(recipe, out=tmp_path / "cut", command="a test", pictures=False)
    for event in events:
        if isinstance(event, Progress) and event.done == 7:
            events.close()
    (cut,) = (tmp_path / "cut").iterdir()
    *_, last = experiment.resume(cut, pictures=False)
    assert isinstance(last, Done) and last.report == whole.report
    for name in ("model.safetensors", "objective.safetensors"):
        a, b = (load_file(folder / name) for folder in (whole.folder.path, cut))
        assert all(torch.equal(a[key], b[key]) for key in a)
    (said,) = [note for note in last.folder.read_json("run.json")["notes"] if "frozen trunk" in note]
    assert "computed once" in said


def test_a_frozen_head_is_kept_and_the_classifier_learns(tmp_path: Path) -> None:
    first = done(replace(SMALL, loss="arcface", miner="none", max_steps=5), tmp_path / "first")
    recipe = replace(FROZEN, resume_from=str(first.folder.path), max_steps=60, backbone=replace(FROZEN.backbone))
    backbone = replace(first.folder.recipe().backbone, freeze=True, freeze_head=True)
    recipe = replace(recipe, backbone=backbone, optimizer=replace(recipe.optimizer, loss_lr=0.1))
    last = done(recipe, tmp_path / "second")
    a, b = (load_file(folder / "model.safetensors") for folder in (first.folder.path, last.folder.path))
    assert "head.1.running_mean" in a and all(torch.equal(a[key], b[key]) for key in a)
    assert last.report["val"]["classification/top@1"]["value"] > 0.5
    with pytest.raises(SandboxError, match="would keep a head of random weights"):
        prepare(replace(recipe, resume_from=""))
    with pytest.raises(SandboxError, match="this recipe asks for another kind"):
        prepare(replace(recipe, backbone=replace(backbone, head="linear")))
    with pytest.raises(SandboxError, match=r"give backbone\.freeze as well"):
        prepare(replace(recipe, backbone=replace(backbone, freeze=False)))


def test_validation_on_stored_features_gives_the_figures_of_the_images() -> None:
    for monitor in ("classification/top@1", "retrieval/map@r", "verification/auc"):
        stored = prepare(replace(FROZEN, evaluate=EvaluateSpec(monitor=monitor)))
        plain = prepare(replace(FROZEN, evaluate=EvaluateSpec(monitor=monitor)))
        plain.training.trunk_once = False
        seen: list[int] = []
        stored.network.backbone.register_forward_hook(lambda _, x, y, seen=seen: seen.append(len(y)))
        assert validate(stored) == validate(plain) == validate(stored)
        assert sum(seen) == len(stored.splits.val)
        assert stored.network.head.training and not stored.network.backbone.training


@pytest.mark.parametrize("averaged", [EvaluateSpec(flip=True), EvaluateSpec(views=3)])
def test_an_averaged_validation_is_of_images(averaged: EvaluateSpec) -> None:
    recipe = replace(FROZEN, evaluate=averaged)
    stored, plain = prepare(recipe), prepare(recipe)
    plain.training.trunk_once = False
    assert validate(stored) == validate(plain) and stored.val_features is None


def test_a_frozen_trunk_of_images_that_change_runs_at_every_step(tmp_path: Path) -> None:
    last = done(replace(FROZEN, augment=AugmentSpec(), max_steps=2), tmp_path)
    (said,) = [note for note in last.folder.read_json("run.json")["notes"] if "frozen trunk" in note]
    assert said == "the frozen trunk runs at every step: augmentation changes the images"
