"""The draw command: pictures of runs, of files, and of networks that it trains."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sandbox.errors import SandboxError
from sandbox.reporting.records.read import read_runs

ROOT = Path(__file__).resolve().parents[2]


def trained(out: Path, *, test: bool = True, **data: Any) -> Path:
    """The folder of a run of two steps."""
    from sandbox.pipeline.events import Done
    from sandbox.pipeline.run import run
    from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, Recipe

    recipe = Recipe(
        loss="contrastive",
        data=DataSpec(**data),
        backbone=BackboneSpec(name="conv4"),
        batch=BatchSpec(size=16),
        max_steps=2,
        threads=1,
    )
    done = [event for event in run(recipe, out=out, command="made by a test", test=test, pictures=False)][-1]
    assert isinstance(done, Done)
    return done.folder.path


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on digits."""
    return trained(tmp_path_factory.mktemp("digits"), name="digits", image_size=8)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Noise: six classes of eight images, coloured, 20x24."""
    root = tmp_path / "photographs"
    rng = np.random.default_rng(0)
    for name in "abcdef":
        (root / name).mkdir(parents=True)
        for number in range(8):
            Image.fromarray(rng.integers(0, 256, (24, 20, 3), dtype=np.uint8)).save(root / name / f"{number}.png")
    return root


@pytest.fixture
def npz(photographs: Path, tmp_path: Path) -> Path:
    """Embeddings of the photographs."""
    paths = sorted(path.relative_to(photographs).as_posix() for path in photographs.glob("*/*.png"))
    x = np.random.default_rng(1).normal(size=(6, 8))[[ord(path[0]) - ord("a") for path in paths]]
    x += 0.5 * np.random.default_rng(2).normal(size=x.shape)
    np.savez(tmp_path / "faces.npz", embeddings=x.astype(np.float32), paths=np.array(paths))
    return tmp_path / "faces.npz"


def looks(run: Path) -> int:
    return int(json.loads((run / "run.json").read_text())["test_evaluations"])


def drawn(path: Path) -> Image.Image:
    with Image.open(path) as opened:
        assert opened.format == "PNG"
        return opened.convert("RGB")


def test_a_map_of_a_run_shows_its_images(command: Callable[..., Any], digits: Path, tmp_path: Path) -> None:
    images, points = tmp_path / "new" / "images.png", tmp_path / "points.png"
    before = looks(digits)
    said = command("draw.py", "map", "--run", str(digits), "--images", "40", "--out", str(images))
    assert said.code == 0 and said.err == "", said.err
    assert re.fullmatch(rf"{images}: t-SNE of 40 of \d+ images, perplexity 13; all \d+ classes in colour\n", said.out)
    assert looks(digits) == before + 1
    words = ("map", "--run", str(digits), "--images", "40", "--split", "val")
    assert command("draw.py", *words, "--no_thumbnails", "--out", str(points)).code == 0
    assert looks(digits) == before + 1  # validation may be looked at
    dark = [(np.asarray(drawn(path)).sum(2) == 0).sum() for path in (images, points)]
    assert dark[0] > 20_000 > dark[1]  # the ground of a digit is black
    first = images.read_bytes()
    words = ("map", "--run", str(digits), "--images", "40", "--out", str(images))
    assert command("draw.py", *words).code == 0 and images.read_bytes() == first
    assert command("draw.py", *words, "--seed", "1").code == 0 and images.read_bytes() != first


def test_data_that_changed_is_refused_and_data_that_is_gone_leaves_points(
    command: Callable[..., Any], photographs: Path, tmp_path: Path
) -> None:
    settings = {"name": "folder", "image_size": 16, "split": "sample", "validation": 0.25}
    run = trained(tmp_path / "runs", root=str(photographs), **settings)
    out = tmp_path / "map.png"
    words = ("map", "--run", str(run), "--out", str(out))
    assert "all 6 classes in colour" in command("draw.py", *words).out
    whole = out.read_bytes()
    moved = photographs.rename(tmp_path / "moved")
    said = command("draw.py", *words)
    assert said.code == 0 and said.err.startswith("note: points only, as the data of the run cannot be read")
    assert out.read_bytes() != whole
    assert command("draw.py", *words, "--root", str(moved)).err == "" and out.read_bytes() == whole
    said = command("draw.py", *words, "--root", str(tmp_path / "nowhere"))
    assert said.code == 2 and "no folder at data.root" in said.err
    (moved / "a" / "3.png").unlink()
    out.unlink()
    before = looks(run)
    said = command("draw.py", *words, "--root", str(moved))
    assert said.code == 2 and f"the data in {moved} has changed since the run {run}" in said.err
    assert said.err.count("\n") == 1 and not out.exists() and looks(run) == before


def test_a_map_of_a_file(command: Callable[..., Any], npz: Path, photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "map.png"
    words = ("map", "--embeddings", str(npz), "--out", str(out))
    said = command("draw.py", *words)
    assert said.code == 0 and said.err == "note: points only: --root says where the images of its paths lie\n"
    assert said.out == f"{out}: t-SNE of 48 images, perplexity 15.7; all 6 classes in colour\n"
    points = out.read_bytes()
    assert command("draw.py", *words, "--no_thumbnails").err == "" and out.read_bytes() == points
    assert command("draw.py", *words, "--root", str(photographs)).err == ""
    whole = out.read_bytes()
    assert whole != points
    (photographs / "b" / "2.png").unlink()
    (photographs / "b" / "3.png").write_text("no image")
    said = command("draw.py", *words, "--root", str(photographs))
    assert said.code == 0 and said.err.startswith("note: 1 image is not below ")
    assert out.read_bytes() not in (points, whole)
    said = command("draw.py", *words, "--root", str(tmp_path))
    assert said.code == 2 and "none of the 48 paths" in said.err
    np.savez(npz, embeddings=np.eye(6, dtype=np.float32), labels=np.arange(6) // 2)
    said = command("draw.py", *words, "--root", str(photographs))
    assert said.code == 2 and "has no array named 'paths'" in said.err
    assert command("draw.py", *words).err == "note: points only: it has no paths of images\n"
    np.savez(npz, embeddings=np.eye(6, dtype=np.float32), labels=["a", "a ", "b"] * 2)
    said = command("draw.py", *words, "--no_thumbnails").err
    assert said == "note: 1 name is spelt in several ways and taken for one: 'a' = 'a '\n"


def test_names_of_any_script_are_on_a_map_or_in_a_note(command: Callable[..., Any], tmp_path: Path) -> None:
    names = np.repeat(["王小明", "김철수", "สมชาย", "_$x$", "\U0010fffd"], 4)  # no font has the last
    x = np.random.default_rng(0).normal(size=(len(names), 4)).astype(np.float32)
    np.savez(tmp_path / "named.npz", embeddings=x, labels=names)
    words = ("--embeddings", str(tmp_path / "named.npz"), "--out", str(tmp_path / "map.png"))
    said = command("draw.py", "map", *words)
    assert said.code == 0, said.err
    notes = [line for line in said.err.splitlines() if "written as ASCII" in line]
    assert len(notes) == 1 and "as no font of this machine has the letters" in notes[0]
    assert all(line.startswith("note: ") for line in said.err.splitlines())
    drawn(tmp_path / "map.png")


def test_scores_of_a_run_agree_with_its_report(command: Callable[..., Any], digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.png"
    before = looks(digits)
    said = command("draw.py", "scores", "--run", str(digits), "--out", str(out))
    assert said.code == 0, said.err
    drawn(out)
    report = json.loads((digits / "report.json").read_text())
    entry = report["test"]["verification/balanced_accuracy@validation"]
    chosen = r"\(best balanced accuracy on validation\)"
    pattern = rf"{out}: ([\d,]+) genuine and ([\d,]+) impostor pairs; threshold (\S+) {chosen}: "
    found = re.match(pattern + r"FAR (\S+) %, FRR (\S+) %\n", said.out)
    assert found, said.out
    genuine, impostors = (int(found[place].replace(",", "")) for place in (1, 2))
    far, frr = (float(found[place]) / 100 for place in (4, 5))
    assert genuine + impostors == entry["n"] and float(found[3]) == round(entry["threshold"], 4)
    assert abs((far + frr) / 2 - (1 - entry["value"])) < 1e-3
    assert looks(digits) == before + 1
    said = command("draw.py", "scores", "--run", str(digits), "--split", "val", "--out", str(out))
    assert said.code == 0 and "on these very pairs" in said.out


def test_scores_of_a_file_and_of_given_pairs(command: Callable[..., Any], npz: Path, tmp_path: Path) -> None:
    out, pairs = tmp_path / "scores.png", tmp_path / "pairs.txt"
    words = ("scores", "--embeddings", str(npz), "--out", str(out))
    said = command("draw.py", *words)
    assert said.code == 0 and f": {6 * 28} genuine and {48 * 47 // 2 - 6 * 28} impostor pairs" in said.out
    assert "best balanced accuracy on these very pairs" in said.out
    whole = out.read_bytes()
    pairs.write_text("# three\na/0.png a/1.png 1\nb/0.png b/1.png 1\na/0.png c/1.png 0\n")
    said = command("draw.py", *words, "--pairs", str(pairs))
    assert said.err == "note: 1 line that begins with # is passed over, the first line 1\n"
    assert said.code == 0 and ": 2 genuine and 1 impostor pairs" in said.out and out.read_bytes() != whole
    said = command("draw.py", *words, "--validation", str(npz), "--far", "0.01")
    assert said.code == 0 and "(FAR up to 1e-2 on validation): FAR" in said.out


@pytest.mark.thorough
def test_the_plane_shows_the_accuracy_of_the_report(command: Callable[..., Any], tmp_path: Path) -> None:
    out, runs = tmp_path / "plane.png", tmp_path / "runs"
    words = ("plane", "--epochs", "1", "--weight", "0.2", "--threads", "1", "--data.image_size", "8")
    said = command("draw.py", *words, "--out", str(out), "--out_runs", str(runs))
    assert said.code == 0, said.err
    folders = [Path(found) for found in re.findall(r"run folder: (.+)\n", said.out)]
    told = re.findall(r"(softmax.*), (training|test) images: top-1 ([\d.]+)\n", said.out)
    assert len(folders) == 2 and [row[:2] for row in told] == [
        (name, images) for name in ("softmax", "softmax + 0.2 center loss") for images in ("training", "test")
    ]
    losses = ["cross_entropy", "cross_entropy + 0.2*center"]
    for folder, loss, accuracy in zip(folders, losses, [row[2] for row in told[1::2]], strict=True):
        report, facts = (json.loads((folder / f"{name}.json").read_text()) for name in ("report", "run"))
        assert folder.parent == runs and facts["objective"] == loss
        assert f"{report['test']['classification/top@1']['value']:.4f}" == accuracy
        assert facts["steps"] == 1078 // 64 and facts["purpose"] == "picture"
    assert drawn(out).width > 1000
    with pytest.raises(SandboxError, match="left out: 2 runs that were trained for a picture"):
        read_runs([runs])
    said = command("evaluate.py", "--run", str(folders[0]))  # one that is named is taken
    assert said.code == 0 and "MAP@R" in said.out


def test_the_features_of_the_plane_are_raw(tmp_path: Path) -> None:
    from sandbox.pictures import plane as planes
    from sandbox.pipeline.events import Done
    from sandbox.pipeline.run import run
    from sandbox.recipe.specs import DataSpec

    data = DataSpec(name="digits", split="sample", colour="grey", image_size=8)
    _, center = planes.kinds(data, weight=0.1, epochs=1, seed=0, threads=1)
    done = list(run(center.recipe, out=tmp_path, command="made by a test", pictures=False))[-1]
    assert isinstance(done, Done)
    splits = planes.closed_splits(data)
    training, test = planes.panels(center, done.folder, splits)
    assert (len(training.labels), len(test.labels)) == (len(splits.train), len(splits.test))
    kept = done.folder.read_tensors("embeddings.safetensors")[0]["test/embeddings"].numpy()
    length = np.linalg.norm(test.features, axis=1, keepdims=True)
    assert np.allclose(test.features / length, kept, atol=1e-5) and length.std() > 0.01
    learnt = done.folder.read_tensors("objective.safetensors")[0]
    centers = next(value.numpy() for name, value in learnt.items() if name.endswith("centers"))
    assert test.centers is not None and np.array_equal(test.centers, centers) and centers.shape == (10, 2)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("mapp",), "no picture named 'mapp'; did you mean 'map'?"),
        (("map",), "give either --run DIR or --embeddings FILE.npz"),
        (("map", "--run", "a", "--embeddings", "b"), "FILE.npz, not both"),
        (("map", "--run", "/no/such"), "there is no folder /no/such"),
        (("map", "--run", ""), "--run is empty"),
        (("map", "--run", "a", "--out", "map.jpg"), "--out is 'map.jpg', but names a file that ends in .png"),
        (("map", "--run", "a", "--images", "3"), "--images is 3, but lies between 5 and 5,000"),
        (("map", "--run", "a", "--classes", "99"), "--classes is 99, but lies between 1 and 24"),
        (("map", "--run", "a", "--seed", "-1"), "--seed is -1, but lies between 0 and 2,147,483,647"),
        (("map", "--run", "a", "--image", "7"), "no flag '--image'; did you mean '--images'?"),
        (("map", "--embeddings", "a", "--split", "val"), "--split is of a run; --embeddings is drawn whole"),
        (("map", "--embeddings", "a", "--root", "b", "--no_thumbnails"), "--no_thumbnails draws none"),
        (("scores", "--run", "a", "--pairs", "b"), "--pairs names rows of --embeddings; a run brings its own"),
        (("scores", "--run", "a", "--far", "2"), "--far is 2, but is above 0 and below 1"),
        (("scores", "--embeddings", "/no/such.npz"), "cannot read the embeddings /no/such.npz"),
        (("plane", "--weight", "0"), "--weight is 0, but is above 0 and finite"),
        (("plane", "--epochs", "0"), "epochs is 0, but lies between 1"),
        (("plane", "--data.split", "class"), "a plane needs a closed set (--data.split sample)"),
        (("plane", "--data.name", "digit"), "no data set named 'digit'"),
        (("plane", "--out_runs", ""), "--out_runs is empty"),
    ],
)
def test_a_mistake_is_one_sentence(command: Callable[..., Any], words: tuple[str, ...], sentence: str) -> None:
    said = command("draw.py", *words)
    assert said.code == 2 and said.out == ""
    assert said.err.startswith("error: ") and sentence in said.err and said.err.count("\n") == 1


def test_what_cannot_be_drawn_is_one_sentence(command: Callable[..., Any], digits: Path, tmp_path: Path) -> None:
    untested = trained(tmp_path / "runs", test=False, name="digits", image_size=8)
    alone, few = tmp_path / "alone.npz", tmp_path / "few.npz"
    x = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    np.savez(alone, embeddings=x, labels=np.zeros(9, int))
    np.savez(few, embeddings=x[:4], labels=np.arange(4) // 2)
    out = ("--out", str(tmp_path / "picture.png"))
    for words, sentence in (
        (("map", "--run", str(untested)), "has no embeddings of its test split"),
        (("scores", "--run", str(untested)), "has no embeddings of its test split"),
        (("map", "--embeddings", str(alone)), "all 9 images show one class"),
        (("scores", "--embeddings", str(alone)), "all 9 images show one class"),
        (("map", "--embeddings", str(few)), "a map needs 5 images; here are 4"),
        (("map", "--run", str(digits), "--out", str(alone / "map.png")), "cannot write "),
    ):
        said = command("draw.py", *words, *(() if "--out" in words else out))
        assert said.code == 2 and sentence in said.err, said.err
        assert [line for line in said.err.splitlines() if not line.startswith("note: ")] == [said.err.splitlines()[-1]]
    broken = tmp_path / "broken"
    shutil.copytree(digits, broken)
    (broken / "embeddings.safetensors").write_bytes(b"nothing")
    said = command("draw.py", "map", "--run", str(broken), *out)
    assert said.code == 2 and "is damaged" in said.err
    assert not (tmp_path / "picture.png").exists()


@pytest.mark.parametrize("words", [("--help",), ("map", "--help"), ("scores", "--help"), ("plane", "--help")])
def test_help_needs_no_torch(words: tuple[str, ...]) -> None:
    code = (
        f"import sys, runpy; sys.argv = ['draw.py', *{words!r}]\n"
        "try:\n    runpy.run_path('experiments/draw.py', run_name='__main__')\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "assert 'torch' not in sys.modules and 'matplotlib' not in sys.modules"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "scores" in ran.stdout if words == ("--help",) else "--out" in ran.stdout
