"""The FaceNet recipe and its weights, as a person types them; the published file was not at hand, so one is made."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from sandbox.backbones.own.nn4_small2 import NN4Small2


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Four people of fourteen images, each person's of one tint."""
    draw = np.random.default_rng(0)
    for person in range(4):
        (tmp_path / "people" / f"p{person}").mkdir(parents=True)
        for n in range(14):
            pixels = draw.integers(0, 80, (70, 60, 3)) + np.array([40 * person, 90, 160 - 40 * person])
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "people" / f"p{person}" / f"{n}.png")
    return tmp_path / "people"


@pytest.fixture
def openface(tmp_path: Path) -> Path:
    """A file with the names and shapes of openface.pth, without counts of batches as that is."""
    torch.manual_seed(3)
    state = NN4Small2(3, 96).state_dict()
    torch.save({k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}, tmp_path / "openface.pth")
    return tmp_path / "openface.pth"


def settings(people: Path, out: Path) -> tuple[str, ...]:
    return ("--recipe", "facenet", "--data.root", str(people), "--no_pictures", "--threads", "1", "--out", str(out))


def test_the_stages_follow_each_other(command: Callable[..., Any], people: Path, tmp_path: Path) -> None:
    said = command("run.py", *settings(people, tmp_path / "runs"), "--max_steps", "1", "--batch.size", "8")
    assert said.code == 0, said.err
    facts = [json.loads((folder / "run.json").read_text()) for folder in sorted((tmp_path / "runs").iterdir())]
    facts.sort(key=lambda fact: ("random", "hard", "classify").index(fact["stage"]))
    triplets = "triplet_margin(distance=lp(power=2), margin=0.2, miner={}, reducer=mean)"
    assert [fact["objective"] for fact in facts] == [
        triplets.format("random_triplet"),
        triplets.format("batch_hard"),
        "cross_entropy",
    ]
    assert facts[0]["parameters"] == {"backbone": 3_733_968, "head": 0, "objective": 0}
    assert facts[2]["parameters"]["objective"] == 4 * 128 + 4
    assert facts[0]["split"] == facts[1]["split"] == facts[2]["split"]  # or the classifier is tested on what was seen


def test_a_classifier_is_trained_on_published_weights_that_stay_as_they_are(
    command: Callable[..., Any], people: Path, openface: Path, tmp_path: Path
) -> None:
    words = (*settings(people, tmp_path / "runs"), "--stage", "classify", "--backbone.weights", str(openface))
    said = command("run.py", *words)
    assert said.code == 0, said.err
    assert "top-1" in said.out
    (folder,) = (tmp_path / "runs").iterdir()
    kept = load_file(folder / "model.safetensors")
    for key, value in torch.load(openface, weights_only=True).items():
        assert torch.equal(kept[f"backbone.{key}"], value), key
    assert not kept["mean"].any() and (kept["std"] == 1).all()
    report = json.loads((folder / "report.json").read_text())
    assert {"classification/top@1", "retrieval/precision@1", "verification/balanced_accuracy"} <= report["test"].keys()


class Touches:
    """Would leave a file behind if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


def test_mistakes_end_with_a_sentence(
    command: Callable[..., Any], people: Path, openface: Path, tmp_path: Path
) -> None:
    torch.save(
        {"state_dict": torch.load(openface, weights_only=True), "run": Touches(tmp_path / "ran")}, tmp_path / "x.pth"
    )
    (tmp_path / "y.pth").write_bytes(pickle.dumps({"a": 1}))
    for words, sentence in {
        ("--backbone.weights", str(tmp_path / "x.pth")): "pickled checkpoints that can run code are refused",
        ("--backbone.weights", str(tmp_path / "y.pth")): "is damaged or nothing that torch saved",
        ("--backbone.weights", str(openface), "--data.colour", "grey"): "the file is for images of 3 channels, these",
        ("--backbone.weights", str(openface), "--backbone.name", "conv6"): "does not fit the network: ",
        ("--backbone.stem", "small"): "--backbone.stem small has nothing to change: the first layer of nn4_small2 is",
        ("--data.image_size", "64"): "nn4_small2 takes images of at least 65 pixels, not 64",
    }.items():
        said = command("run.py", *settings(people, tmp_path / "runs"), "--stage", "classify", *words)
        assert (said.code, said.err.count("\n")) == (2, 1), said.err
        assert said.err.startswith("error: ") and sentence in said.err
    assert not (tmp_path / "ran").exists() and not (tmp_path / "runs").exists()
