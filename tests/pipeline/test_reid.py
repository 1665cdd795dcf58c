"""A run on Market-1501's tree: images that are not square, queries, a gallery, cameras, distractors and junk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sandbox.data.catalog import load
from sandbox.errors import SandboxError
from sandbox.inference.example_images import real_images
from sandbox.inference.export import export, metadata
from sandbox.inference.onnx_network import load_exported
from sandbox.inference.trained import load_trained
from sandbox.pipeline.events import Done
from sandbox.pipeline.prepare import prepare
from sandbox.pipeline.run import run
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, EvaluateSpec, Recipe
from sandbox.recognition.reader import Reader
from sandbox.reporting.compare.kept import read_kept
from sandbox.reporting.page.found.album import _tiles
from sandbox.reporting.page.found.searched import search
from sandbox.reporting.plots.contact_sheet import class_rows, draw_sheet
from sandbox.reporting.records.read import read_run
from sandbox.runs.embeddings import KeptSet, read_embeddings
from sandbox.runs.folder import RunFolder

import trees

AFTER = "rerank(k1=4, k2=2)"


def recipe(root: Path) -> Recipe:
    return Recipe(
        data=DataSpec(name="market1501", root=str(root), image_size="24x12", validation=0.4),
        backbone=BackboneSpec(name="conv4", embedding_dim=8),
        batch=BatchSpec(size=8),
        evaluate=EvaluateSpec(every=2, monitor="retrieval/map", figures="map", by="camera", after=AFTER),
        max_steps=2,
        precision="float32",
        threads=1,
    )


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("market")
    trees.market1501(root, 0)
    return root


@pytest.fixture(scope="module")
def done(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The run; nothing may be written into it."""
    *_, last = run(recipe(tree), out=tmp_path_factory.mktemp("runs"), command="a test", pictures=False)
    assert isinstance(last, Done)
    return last.folder


def by_hand(kept: KeptSet, names: list[str]) -> tuple[float, float]:
    """Rank-1 and mAP out of the names of files alone, as torchreid's `eval_market1501` counts them."""
    first, precision = [], []
    about = [name.split("/")[-1].split("_")[:2] for name in names]
    for row, name in enumerate(names):
        if "/query/" not in name:
            continue
        person, camera = about[row][0], about[row][1][:2]
        found = [
            (-float(np.float32(kept.x[row].astype(np.float64) @ kept.x[other].astype(np.float64))), other)
            for other, its in enumerate(names)
            if "/bounding_box_test/" in its and (about[other][0] != person or about[other][1][:2] != camera)
        ]
        right = np.array([about[other][0] == person for _, other in sorted(found)])
        places = np.flatnonzero(right) + 1
        first.append(float(right[0]))
        precision.append((np.arange(1, len(places) + 1) / places).mean())
    return float(np.mean(first)), float(np.mean(precision))


def test_the_report_is_what_one_counts_out_of_the_names_of_files(done: RunFolder, tree: Path) -> None:
    report = done.read_json("report.json")["test"]
    kept = read_embeddings(done).take("test")
    rank, precision = by_hand(kept, list(load(done.recipe().data).test.paths))
    assert report["retrieval/recall@1"]["value"] == pytest.approx(rank)
    assert report["retrieval/map"]["value"] == pytest.approx(precision)
    assert report["retrieval/recall@1"]["n"] == 8 and report["retrieval/unmatched"]["value"] == 0
    assert {key for key in report if key.startswith("by/")} == {
        f"by/camera={camera}/verification/{name}"
        for camera in (1, 2)
        for name in ("auc", "balanced_accuracy", "fnmr", "fmr")
    }
    at = report["verification/balanced_accuracy@validation"]["threshold"]
    assert {entry["threshold"] for key, entry in report.items() if key.startswith("by/") and "auc" not in key} == {at}
    assert report["after/retrieval/map"]["n"] == 8
    said = done.read_json("run.json")
    assert (
        "where 8 queries search a gallery of 19, the same class in the same camera left out, scored"
        in said["judged_on"]
    )
    assert "each of 8 images searches all others, the same class in the same camera left out" in said["judged_on"]
    assert done.read_json("baselines.json")["raw pixels"]["test"]["retrieval/map"]["n"] == 8


def test_what_is_kept_is_judged_again_in_the_same_way(
    done: RunFolder, command: Callable[..., Any], tmp_path: Path
) -> None:
    copy = shutil.copytree(done.path, tmp_path / done.path.name)
    words = ("--after", AFTER, "--by", "camera", "--json", str(tmp_path / "again.json"))
    said = command("evaluate.py", "--run", str(copy), *words)
    assert said.code == 0, said.err
    again, report = json.loads((tmp_path / "again.json").read_text()), done.read_json("report.json")["test"]
    for key in ("retrieval/map", "retrieval/recall@1", "retrieval/map@r", "after/retrieval/map"):
        assert again[key] == report[key], key
    assert {key: entry for key, entry in again.items() if key.startswith("by/")} == {
        key: entry for key, entry in report.items() if key.startswith("by/")
    }
    refused = command("evaluate.py", "--run", str(copy), "--by", "cameras")
    assert refused.code == 2 and "did you mean 'camera'?" in refused.err and "it keeps camera" in refused.err
    assert "single row" not in said.err and "open-set identification was left out" in said.err
    queries, people = read_kept(read_run(RunFolder(copy))).queries()
    assert queries["retrieval/map"].mean() == pytest.approx(report["retrieval/map"]["value"]) and len(people) == 8
    kept = read_embeddings(done).take("test")
    shown = search(kept)
    assert shown is not None and kept.roles is not None
    assert shown.rows.tolist() == np.flatnonzero(kept.roles.query).tolist()
    assert (~shown.wrong).mean() == pytest.approx(report["retrieval/recall@1"]["value"])


def test_the_network_takes_its_images_wherever_it_goes(done: RunFolder) -> None:
    assert done.read_json("run.json")["input"]["image_size"] == "24x12"
    trained = load_trained(done)
    assert trained.image_size == "24x12" and "(N, 3, 24, 12) uint8, RGB" in metadata(trained)["input"]
    pixels, _ = real_images(done, trained, None)
    kept = read_embeddings(done).take("val")
    np.testing.assert_allclose(trained.embed(pixels), kept.x, atol=1e-5)
    folder, _ = real_images(done, trained, Path(done.recipe().data.root))
    assert folder.shape[1:] == (24, 12, 3)


@pytest.mark.thorough
@pytest.mark.needs("onnxscript", 'pip install -e ".[onnx]"')
def test_it_leaves_as_a_file_and_on_a_page(done: RunFolder, tree: Path, tmp_path: Path) -> None:
    trained = load_trained(done)
    pixels, _ = real_images(done, trained, None)
    export(trained, pixels, onnx=tmp_path / "net.onnx", program=None)
    loaded = load_exported(tmp_path / "net.onnx")
    assert loaded.image_size == "24x12"
    np.testing.assert_allclose(loaded.embed(pixels), trained.embed(pixels), atol=1e-5)
    *_, last = run(recipe(tree), out=tmp_path / "runs", command="a test")
    assert isinstance(last, Done) and (last.folder.path / "page.html").stat().st_size > 10_000


def test_faces_that_are_brought_upright_are_square(done: RunFolder, tree: Path) -> None:
    trained, files = load_trained(done), sorted(tree.rglob("query/*.jpg"))
    (read,) = Reader(trained, "whole").read(files)
    assert {one.pixels[0].shape for one in read} == {(24, 12, 3)}
    with pytest.raises(SandboxError, match=r"takes images of 24 x 12 pixels, and a face .* is square: give --faces"):
        list(Reader(trained, "detect").read(files))


def test_pictures_keep_the_proportions_of_images(tree: Path, tmp_path: Path) -> None:
    images = load(recipe(tree).data).test
    layout = draw_sheet(class_rows(images, classes=2, shown=2, seed=0), tmp_path / "sheet.png", "people")
    left, top = layout.corner(0, 0)
    cell = np.asarray(Image.open(tmp_path / "sheet.png").convert("RGB"))[
        top : top + layout.cell, left : left + layout.cell
    ]
    drawn = (cell != 255).any(axis=2).any(axis=0)
    assert drawn.sum() == layout.cell // 2 and not drawn[: layout.cell // 4].any()
    tile = _tiles(images.pixels, np.array([0]), 24)[0]
    np.testing.assert_array_equal(tile[:, 6:18], images.pixels[0])
    assert not tile[:, :6].any() and not tile[:, 18:].any()


def test_data_says_height_before_width(tree: Path, command: Callable[..., Any]) -> None:
    words = ("--data.name", "market1501", "--data.root", str(tree), "--data.validation", "0.4")
    said = command("data.py", "check", *words)
    assert said.code == 0 and "13 classes, 256x128 RGB" in said.out
    assert "smaller than 256x128 pixels, the smallest 16x16" in said.out


def test_what_cannot_be_asked_is_refused_before_training(tree: Path) -> None:
    plain = recipe(tree)
    with pytest.raises(
        SandboxError, match=r"evaluate\.by is 'cameras', but .* no such column; did you mean 'camera'\?; "
    ):
        prepare(replace(plain, evaluate=EvaluateSpec(by="cameras")))
    with pytest.raises(
        SandboxError, match=r"data\.rotations is 4, but images are 24 x 12; only square ones are turned"
    ):
        prepare(replace(plain, data=replace(plain.data, rotations=4), evaluate=EvaluateSpec()))
    with pytest.raises(SandboxError, match=r"k1 of rerank is 20, but a query is compared with 19 rows"):
        prepare(replace(plain, evaluate=EvaluateSpec(after="rerank(k1=20, k2=2)")))


def test_people_of_one_camera_have_no_query(tree: Path, tmp_path: Path) -> None:
    root = shutil.copytree(tree, tmp_path / "market")
    for file in root.rglob("query/*_c2*"):
        file.unlink()
    for file in root.rglob("bounding_box_test/*_c2*"):
        file.unlink()
    with pytest.raises(SandboxError, match="no query of test has an image of its class that another camera saw"):
        prepare(recipe(root))
