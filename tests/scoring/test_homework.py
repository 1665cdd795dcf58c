from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sandbox.errors import SandboxError
from sandbox.pipeline import run as experiment
from sandbox.pipeline.events import Done
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, EvaluateSpec, OptimizerSpec, Recipe
from sandbox.runs.folder import RunFolder
from sandbox.scoring.homework import submit

SHADES = {"ann": 30, "bob": 110, "cyd": 220}


def write(path: Path, shade: int, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(-12, 13, (16, 16, 3))
    Image.fromarray(np.clip(shade + noise, 0, 255).astype(np.uint8)).save(path)


@pytest.fixture
def homework(tmp_path: Path) -> Path:
    root, seed = tmp_path / "hw", 0
    for part, count in (("train_data", 12), ("val_data", 4)):
        for name, shade in SHADES.items():
            for number in range(count):
                seed += 1
                write(root / "classification_data" / part / name / f"{part}_{number}.png", shade, seed)
    for number, shade in enumerate([220, 30, 110, 30]):
        write(root / "classification_data" / "test_data" / f"{number}.png", shade, 900 + number)
    shades = [30, 110, 220, 30, 110, 220, 60, 170]
    for number, shade in enumerate(shades):
        write(root / "verification_data" / f"{number:03d}.png", shade, 950 + number)
    name = "verification_data/{:03d}.png".format
    val = [(0, 3), (1, 4), (2, 5), (0, 3), (0, 1), (1, 2), (3, 5), (4, 5)]
    lines = [f"{name(a)} {name(b)} {int(shades[a] == shades[b])}" for a, b in val]
    (root / "verification_pairs_val.txt").write_text("\n".join(lines) + "\n")
    (root / "verification_pairs_test.txt").write_text(
        "".join(f"{name(a)} {name(b)}\n" for a, b in [(5, 2), (6, 7), (0, 3), (0, 5)])
    )
    return root


def trained(root: Path, out: Path) -> RunFolder:
    recipe = Recipe(
        loss="cross_entropy",
        data=DataSpec(name="homework", root=str(root), image_size=16),
        backbone=BackboneSpec(name="conv4", embedding_dim=8),
        batch=BatchSpec(size=18),
        optimizer=OptimizerSpec(lr=3e-3, weight_decay=0.0),
        evaluate=EvaluateSpec(monitor="classification/top@1", every=20),
        max_steps=60,
        threads=1,
    )
    *_, last = experiment.run(recipe, out=out, command="a test", pictures=False)
    assert isinstance(last, Done)
    return last.folder


def test_every_list_is_answered_in_its_order(homework: Path, tmp_path: Path) -> None:
    folder = trained(homework, tmp_path / "runs")
    report = folder.read_json("report.json")
    mark, accuracy, eer = (
        report["test"][key]["value"] for key in ("homework/score", "classification/top@1", "verification/eer")
    )
    assert mark == pytest.approx((accuracy + 1 - eer) / 2)
    files = submit(folder.path, tmp_path / "answers")
    assert [file.name for file in files] == ["classification.csv", "verification.csv"]
    rows = list(csv.reader(files[0].open()))
    assert rows[0] == ["id", "label"] and [row[0] for row in rows[1:]] == ["0.png", "1.png", "2.png", "3.png"]
    assert [row[1] for row in rows[1:]] == ["2", "0", "1", "0"]  # places among the sorted names
    scores = list(csv.reader(files[1].open()))
    asked = (homework / "verification_pairs_test.txt").read_text().splitlines()
    assert scores[0] == ["Id", "Category"] and [row[0] for row in scores[1:]] == asked
    value = [float(row[1]) for row in scores[1:]]
    assert min(value[0], value[2]) > max(value[1], value[3])


def test_what_cannot_be_answered_is_refused(homework: Path, tmp_path: Path) -> None:
    folder = trained(homework, tmp_path / "runs")
    (homework / "verification_data" / "006.png").unlink()
    with pytest.raises(SandboxError, match=r"006\.png"):
        submit(folder.path, tmp_path / "answers")
    recipe = replace(Recipe(), data=DataSpec(name="digits"), max_steps=2, evaluate=EvaluateSpec(every=2), threads=1)
    *_, last = experiment.run(recipe, out=tmp_path / "runs", command="a test", pictures=False)
    assert isinstance(last, Done)
    with pytest.raises(SandboxError, match="was trained on 'digits', which asks for nothing"):
        submit(last.folder.path, tmp_path / "answers")
