"""What a system of this kind must never do: train on what it is tested on, embed by the batch, or verify by logits."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from sklearn.metrics import roc_auc_score
from torch import nn

from sandbox.backbones.embed import embed, raw_embeddings
from sandbox.backbones.weights import put_weights
from sandbox.called import RECIPES
from sandbox.data.catalog import data_kinds
from sandbox.data.catalog import load as load_data
from sandbox.data.checks.splits import check
from sandbox.data.images.decode import decode
from sandbox.inference.trained import load_trained
from sandbox.pipeline import run as experiment
from sandbox.pipeline.events import Done, Started, Validation
from sandbox.pipeline.prepare import Prepared, prepare
from sandbox.recipe.specs import (
    AugmentSpec,
    BackboneSpec,
    BatchSpec,
    DataSpec,
    EvaluateSpec,
    OptimizerSpec,
    Recipe,
    ScheduleSpec,
)
from sandbox.recipe.text import load_staged
from sandbox.runs.folder import RunFolder
from sandbox.scoring.homework import submit
from sandbox.training.loop import train

from trees import READERS, SIDE, folders, homework


def recipe_of(root: Path, **changed: Any) -> Recipe:
    plain = Recipe(
        loss="cross_entropy",
        data=DataSpec(name="homework", root=str(root), image_size=SIDE),
        augment=AugmentSpec(rotate=0.0, scale=0.0, shear=0.0, translate=0.0, flip="no"),
        backbone=BackboneSpec(name="conv4", embedding_dim=8),
        batch=BatchSpec(sampler="shuffle", size=12),
        optimizer=OptimizerSpec(weight_decay=0.0),
        evaluate=EvaluateSpec(monitor="classification/top@1", every=6),
        max_steps=6,
        precision="float32",
        threads=1,
    )
    return replace(plain, **changed)


def trained(recipe: Recipe, out: Path) -> RunFolder:
    *_, last = experiment.run(recipe, out=out, command="a test", pictures=False)
    assert isinstance(last, Done)
    return last.folder


def shown(images: np.ndarray) -> set[bytes]:
    return {image.tobytes() for image in images}


# No flip of a test image is trained on.


def seen_in_training(p: Prepared) -> set[bytes]:
    """Every image that the network is shown while it trains."""
    seen: set[bytes] = set()
    hook = p.network.register_forward_pre_hook(
        lambda _, x: seen.update(shown((x[0] * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()))
    )
    for _ in train(p.training):
        pass
    hook.remove()
    return seen


@pytest.mark.parametrize("split", ["class", "sample", "homework"])
def test_flips_are_of_training_images_alone(split: str, tmp_path: Path) -> None:
    spec = DataSpec(name="folder", root=str(tmp_path), image_size=SIDE, split=split)  # type: ignore[arg-type]
    if split == "homework":
        spec = replace(spec, name="homework", root=str(homework(tmp_path)), split="auto")
    else:
        folders(tmp_path, range(8), 12)
    recipe = recipe_of(tmp_path, data=spec, max_steps=12)
    p = prepare(replace(recipe, augment=replace(recipe.augment, flip="yes"), evaluate=EvaluateSpec()))
    seen = seen_in_training(p)
    learnt = p.splits.train.pixels
    assert seen <= shown(learnt) | shown(learnt[:, :, ::-1])
    assert seen & shown(learnt) and seen & shown(learnt[:, :, ::-1])
    for name, images in p.splits.image_sets().items():
        if name != "train":
            assert not seen & (shown(images.pixels) | shown(images.pixels[:, :, ::-1])), name
    findings = {finding.rule for finding in check(spec, p.splits).findings}
    assert not findings & {"twins-across-splits", "mirror-twins-across-splits"}


def test_flips_that_lie_in_the_data_are_found_wherever_a_split_parts_them(
    tmp_path: Path, command: Callable[..., Any]
) -> None:
    root = folders(tmp_path / "faces", range(6), 6)
    for file in sorted(root.glob("*/*.png")):
        Image.open(file).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(file.with_stem(f"{file.stem}_flipped"))
    spec = DataSpec(name="folder", root=str(root), image_size=SIDE, split="sample")
    part_of = {path: name for name, images in load_data(spec).image_sets().items() for path in images.paths}
    parted = [path for path in part_of if "_" in path and part_of[path] != part_of[path.replace("_flipped", "")]]
    words = ("--data.name", "folder", "--data.root", str(root), "--data.image_size", str(SIDE))
    said = command("data.py", "check", *words, "--data.split", "sample", "--strict")
    assert parted and said.code == 1
    assert f"mirror-twins-across-splits: {2 * len(parted)} images are the mirror image of one" in said.out
    apart = command("data.py", "check", *words, "--data.split", "class")
    assert "mirror-twins" not in apart.out


# Nobody is in two splits.


@pytest.mark.parametrize("reader", READERS)
def test_nobody_is_in_two_splits(reader: str, tmp_path: Path) -> None:
    for seed in range(3):
        root = tmp_path / str(seed)
        root.mkdir()
        spec, person_of = READERS[reader](root, seed)
        splits = load_data(replace(spec, root=str(root), image_size=8, split_seed=seed))
        held = splits.image_sets()
        if splits.closed_set:  # whoever is verified is in no part of the closed set
            pooled_paths = [path for name in ("train", "val", "test") for path in held.pop(name).paths]
            people = {"closed set": {person_of(path) for path in pooled_paths}}
        else:
            people = {}
        people |= {name: {person_of(path) for path in images.paths} for name, images in held.items()}
        for one, other in combinations(people, 2):
            assert people[one] and people[other] and not people[one] & people[other], (one, other)


@pytest.mark.parametrize(("reader", "file"), [("sop", "Ebay_test.txt"), ("in_shop", "list_eval_partition.txt")])
def test_lists_that_test_what_they_train_on_are_refused(
    reader: str, file: str, tmp_path: Path, command: Callable[..., Any]
) -> None:
    spec, _ = READERS[reader](tmp_path, 0)
    text = (tmp_path / file).read_text()
    mixed = text.replace(" 9 1 lamp", " 3 1 lamp") if reader == "sop" else text.replace("id_00000007 ", "id_00000003 ")
    (tmp_path / file).write_text(mixed)
    said = command("run.py", "--data.name", spec.name, "--data.root", str(tmp_path), "--data.validation", "0.3")
    assert said.code == 2 and said.err.count("\n") == 1
    assert f"1 class is in both halves of {tmp_path}, to train on and to test: " in said.err


# An embedding does not depend on its batch.

NETWORKS = {
    "conv4": BackboneSpec(name="conv4", embedding_dim=8),
    "resnet_small, linear": BackboneSpec(name="resnet_small", embedding_dim=8, head="linear"),
    "shufflenet_thumbnail, none": BackboneSpec(name="shufflenet_thumbnail", head="none"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_an_embedding_does_not_depend_on_its_batch(name: str, tmp_path: Path) -> None:
    root = homework(tmp_path / "hw")
    folder = trained(recipe_of(root, backbone=NETWORKS[name]), tmp_path / "runs")
    ready = load_trained(folder)
    network, pixels = ready.network, load_data(folder.recipe().data).test.pixels
    assert any(isinstance(part, nn.BatchNorm2d) for part in network.modules())
    stored = load_file(folder.path / "embeddings.safetensors")["test/embeddings"].numpy()
    order = np.random.default_rng(0).permutation(len(pixels))
    for batch in (1, 7, len(pixels)):
        x = embed(network, pixels, device=ready.device, batch=batch)
        assert np.abs(x - stored).max() < 1e-5
        permuted = embed(network, pixels[order], device=ready.device, batch=batch)
        assert np.abs(permuted - stored[order]).max() < 1e-5
    alone = np.concatenate([ready.embed(pixels[place : place + 1]) for place in range(len(pixels))])
    assert np.abs(alone - stored).max() < 1e-5
    assert np.abs(ready.embed(pixels[order]) - stored[order]).max() < 1e-5
    network.train()  # what it would be in train mode; the network is put back into it, and embeds as before
    assert np.abs(embed(network, pixels, device=ready.device) - stored).max() < 1e-5 and network.training
    with torch.no_grad():
        wrong = nn.functional.normalize(network(torch.from_numpy(pixels[:5].copy()).permute(0, 3, 1, 2)))
    assert np.abs(wrong.numpy() - stored[:5]).max() > 1e-3


def test_a_score_to_hand_in_does_not_depend_on_the_rest_of_the_list(tmp_path: Path) -> None:
    root = homework(tmp_path / "hw")
    folder = trained(recipe_of(root), tmp_path / "runs")
    asked = root / "verification_pairs_test.txt"
    lines = asked.read_text().splitlines()

    def scores() -> dict[str, float]:
        (file,) = submit(folder.path, tmp_path / "answers")
        return {row[0]: float(row[1]) for row in list(csv.reader(file.open()))[1:]}

    whole = scores()
    assert list(whole) == lines
    for some in (lines[::-1], lines[:1], lines[3:10]):
        asked.write_text("\n".join(some) + "\n")
        assert scores() == pytest.approx({line: whole[line] for line in some}, abs=1e-5)


# Embeddings are features, never logits.


@pytest.mark.parametrize(
    ("name", "width"),
    [
        pytest.param("thumbnail", 2048, marks=pytest.mark.thorough),
        pytest.param("staged", 2048, marks=pytest.mark.thorough),
        ("resnet18", 512),
    ],
)
def test_what_is_stored_and_compared_are_the_pooled_features(name: str, width: int, tmp_path: Path) -> None:
    root = homework(tmp_path / "hw")
    shipped, _ = load_staged(name, RECIPES, data_kinds())
    size = 16 if name == "staged" else 32  # the deepest of them need not be the slowest here
    data = replace(shipped.data, root=str(root), image_size=size, resize=36 if shipped.data.resize else None)
    short = replace(shipped, data=data, batch=replace(shipped.batch, size=4), epochs=None, max_steps=1, threads=1)
    slow = replace(short.optimizer, lr=1e-4, loss_lr=1e-4)
    folder = trained(replace(short, optimizer=slow, precision="float32"), tmp_path / "runs")
    kept = load_file(folder.path / "embeddings.safetensors")
    assert {key: value.shape[1] for key, value in kept.items() if key.endswith("embeddings")} == {
        f"{split}{part}/embeddings": width for split in ("val", "test") for part in ("", "/verify")
    }
    weights = load_file(folder.path / "objective.safetensors")["terms.0.loss.classifier.weight"]
    assert weights.shape == (3, width)

    network = load_trained(folder).network
    (*_, pool) = (part for part in network.modules() if isinstance(part, nn.AdaptiveAvgPool2d))
    pooled_maps: list[torch.Tensor] = []
    pool.register_forward_hook(lambda _, inputs, __: pooled_maps.append(inputs[0].mean((2, 3))))

    def features(files: list[Path]) -> np.ndarray:
        pooled_maps.clear()
        pixels = np.stack([decode(file, size, 3, data.resize or 0) for file in files])
        for _ in raw_embeddings(network, pixels, device=torch.device("cpu")):
            pass
        rows = torch.cat(pooled_maps).double().numpy()
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    splits = load_data(folder.recipe().data)
    assert np.abs(kept["test/embeddings"].numpy() - features([root / path for path in splits.test.paths])).max() < 1e-5
    (file,) = submit(folder.path, tmp_path / "answers")
    rows = list(csv.reader(file.open()))[1:]
    files = sorted((root / "verification_data").iterdir())
    feature_of = {f"verification_data/{one.name}": row for one, row in zip(files, features(files), strict=True)}
    cosine = [feature_of[left] @ feature_of[right] for left, right in (row[0].split() for row in rows)]
    assert [float(row[1]) for row in rows] == pytest.approx(cosine, abs=1e-5)


# Training stops by the figure that it says, on the pairs that are given, and keeps the best.


def auc_of_the_list(p: Prepared, root: Path) -> float:
    """By scikit-learn, from the lines that are validated on: the first, third, fifth ... of each kind."""
    rows = [line.split() for line in (root / "verification_pairs_val.txt").read_text().splitlines()]
    half = [row for kind in "01" for row in [row for row in rows if row[2] == kind][::2]]
    sides = []
    for side in (0, 1):
        pixels = np.stack([decode(root / row[side], SIDE, 3) for row in half])
        sides.append(embed(p.network, pixels, device=p.device))
    cosine = (sides[0].astype(np.float64) * sides[1]).sum(1)
    return float(roc_auc_score([row[2] == "1" for row in half], cosine))


def accuracy_of_the_folders(p: Prepared, root: Path) -> float:
    files = sorted((root / "classification_data" / "val_data").glob("*/*.png"))
    pixels = np.stack([decode(file, SIDE, 3) for file in files])
    (raw,) = raw_embeddings(p.network, pixels, device=p.device)
    logits = p.objective.logits(raw)
    assert logits is not None
    said = [p.splits.train.classes[place] for place in logits.argmax(1)]
    return float(np.mean([name == file.parent.name for name, file in zip(said, files, strict=True)]))


@pytest.mark.parametrize(
    ("monitor", "measure"),
    [("verification/auc", auc_of_the_list), ("classification/top@1", accuracy_of_the_folders)],
)
def test_training_stops_by_its_monitor_and_keeps_the_best(
    monitor: str, measure: Callable[[Prepared, Path], float], tmp_path: Path
) -> None:
    root = homework(tmp_path / "hw")
    recipe = recipe_of(
        root,
        evaluate=EvaluateSpec(monitor=monitor, every=2, patience=3),
        schedule=ScheduleSpec(name="constant", warmup=0.0),
        max_steps=200,
    )
    p = prepare(recipe)
    values: dict[int, float] = {}
    weights: dict[int, dict[str, torch.Tensor]] = {}
    folder: RunFolder | None = None
    for event in experiment.run(recipe, out=tmp_path / "runs", command="a test", pictures=False):
        if isinstance(event, Started):
            folder = event.folder
        if isinstance(event, Validation):
            assert folder is not None
            tensors = load_file(folder.path / "checkpoint.safetensors")
            held = {key.removeprefix("network/"): v for key, v in tensors.items() if key.startswith("network/")}
            put_weights(p.network, held)
            put_weights(
                p.objective,
                {key.removeprefix("objective/"): v for key, v in tensors.items() if key[:10] == "objective/"},
            )
            assert event.value == pytest.approx(measure(p, root), abs=1e-9)
            values[event.step], weights[event.step] = event.value, held
    assert folder is not None
    best = max(values, key=lambda step: (values[step], -step))
    assert 1 < len(values) < 100 and max(values) == best + 3 * 2  # the best, and three that were no better
    facts = folder.read_json("run.json")
    assert facts["best"] == {"step": best, "value": values[best], "monitor": monitor}
    assert facts["steps"] == max(values)
    assert folder.read_json("report.json")["val"][monitor]["value"] == values[best]
    model = load_file(folder.path / "model.safetensors")
    assert all(torch.equal(model[key], value) for key, value in weights[best].items())
    assert any(not torch.equal(model[key], value) for key, value in weights[max(values)].items())
