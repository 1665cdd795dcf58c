"""The recognise command as a person types it."""

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

ROOT = Path(__file__).resolve().parents[2]
Say = Callable[..., Any]


def train(out: Path, loss: str, split: str) -> Path:
    from sandbox.pipeline import run as experiment
    from sandbox.pipeline.events import Done
    from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, Recipe

    recipe = Recipe(
        loss=loss,
        data=DataSpec(name="digits", split=split),  # type: ignore[arg-type]
        backbone=BackboneSpec(name="conv4", embedding_dim=16),
        batch=BatchSpec(size=32),
        max_steps=40,
        threads=1,
        precision="float32",
    )
    *_, last = experiment.run(recipe, out=out, command="a test", pictures=False)
    assert isinstance(last, Done)
    return last.folder.path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained on 0, 1, 5, 8 and 9; validated on 4 and 6."""
    return train(tmp_path_factory.mktemp("open"), "multi_similarity", "class")


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained and validated on all ten digits."""
    return train(tmp_path_factory.mktemp("closed"), "cross_entropy", "sample")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """people/NAME/ of 2, 3 and 7, probes/ of the same, others/ of 4."""
    from sandbox.data.catalog import load
    from sandbox.recipe.specs import DataSpec

    root = tmp_path_factory.mktemp("images")
    splits = load(DataSpec(name="digits", split="class"))
    for name, part, digit in (
        ("Žofie [2]", splits.test, "2"),
        ("Bo", splits.test, "3"),
        ("Cy", splits.test, "7"),
        ("x", splits.val, "4"),
    ):
        pixels = part.pixels[part.labels == part.classes.index(digit)][..., 0]
        folder = root / ("others" if name == "x" else "people") / name
        folder.mkdir(parents=True)
        for place in range(8):
            Image.fromarray(pixels[place]).save(folder / f"{place}.png")
        (root / "probes").mkdir(exist_ok=True)
        for place in range(8, 11):
            Image.fromarray(pixels[place]).save(root / "probes" / f"{digit}-{place}.png")
    return root


@pytest.fixture
def people(command: Say, run: Path, images: Path, tmp_path: Path) -> Path:
    """An enrolled file."""
    file = tmp_path / "people.npz"
    said = command("recognise.py", "enrol", str(run), str(images / "people"), "--out", str(file), "--fpir", "0.1")
    assert said.code == 0 and said.err == "", said.err
    return file


def read(text: str) -> list[dict[str, Any]]:
    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON")

    rows: list[dict[str, Any]] = json.loads(text, parse_constant=refuse)
    return rows


def test_enrol_and_list_say_what_is_in_the_file(command: Say, people: Path, run: Path) -> None:
    said = command("recognise.py", "list", str(people))
    assert said.code == 0 and said.err == ""
    assert f"{people}: 3 people, 24 images, whole images, template mean" in said.out
    assert f"network: {run.name} (" in said.out and str(run) in said.out
    assert re.search(r"threshold: -?0\.\d{4}, fitted for FPIR 0\.1: 0\.\d+ reached on 362 images of 2 str", said.out)
    assert "unsupported" not in said.out and "scores within people" in said.out
    assert re.search(r"Žofie \[2\] +8 +\d{4}-\d\d-\d\d", said.out)


def test_identify_gives_json_a_table_and_a_picture(
    command: Say, people: Path, run: Path, images: Path, tmp_path: Path
) -> None:
    from sandbox.data.images.decode import decode
    from sandbox.inference.load import load_network
    from sandbox.recognition.people_file import load_people

    held, network = load_people(people), load_network(run)
    words = ("identify", str(people), str(images / "probes"))
    said = command("recognise.py", *words, "--json", "-", "--picture", str(tmp_path / "out.png"))
    assert said.code == 0 and said.err == "", said.err
    rows = read(said.out)
    files = sorted((images / "probes").glob("*.png"))
    assert [row["image"] for row in rows] == [str(file) for file in files]
    x = network.embed(np.stack([decode(file, 16, 1) for file in files])).astype(np.float64)
    means = [held.gallery.x[held.gallery.person == place].astype(np.float64).mean(axis=0) for place in range(3)]
    scores = x @ np.stack([mean / np.linalg.norm(mean) for mean in means]).T
    assert held.calibration is not None
    for row, own in zip(rows, scores, strict=True):
        assert set(row) == {
            "image", "name", "most_alike", "similarity", "probability", "box", "confidence", "refused"
        }  # fmt: skip
        assert row["most_alike"] == held.gallery.names[own.argmax()] and row["box"] is row["refused"] is None
        assert row["similarity"] == pytest.approx(own.max(), abs=1e-6)
        assert row["name"] == (row["most_alike"] if row["similarity"] >= held.threshold.value else None)
        llr = held.calibration.slope * row["similarity"] + held.calibration.offset
        assert row["probability"] == pytest.approx(1 / (1 + np.exp(-llr)))
    assert Image.open(tmp_path / "out.png").width > 400
    file = tmp_path / "new" / "rows.json"
    said = command("recognise.py", *words, "--json", str(file), "--threshold", "1")
    assert {row["name"] for row in read(file.read_text())} == {None}
    assert said.out.count("UNKNOWN (most like ") == len(files) and "below a similarity of 1.0000, by hand" in said.out
    said = command("recognise.py", *words, "--threshold", "-1")
    assert "UNKNOWN (" not in said.out and all(str(path) in said.out for path in files)


def test_identify_goes_on_past_a_file_that_is_no_image(
    command: Say, people: Path, images: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.png").write_text("text")
    good = str(next((images / "probes").iterdir()))
    said = command("recognise.py", "identify", str(people), str(tmp_path / "text.png"), good)
    assert said.code == 0 and "is no image" in said.out
    said = command("recognise.py", "identify", str(people), str(tmp_path / "text.png"))
    assert said.code == 2 and said.err == f"error: {tmp_path / 'text.png'} is no image\n"


def test_add_and_remove_change_the_file(command: Say, people: Path, images: Path) -> None:
    before = people.read_bytes()
    said = command("recognise.py", "add", str(people), str(images / "others"), "--name", "Dee")
    assert said.code == 0 and "4 people, 32 images" in said.out
    assert said.err.startswith("note: left out of the strangers, for 8 images that are enrolled")
    assert people.read_bytes() != before
    rows = read(command("recognise.py", "identify", str(people), str(images / "others"), "--json", "-").out)
    assert {row["most_alike"] for row in rows} >= {"Dee"}
    said = command("recognise.py", "remove", str(people), "Dee")
    assert said.code == 0 and "3 people, 24 images" in said.out
    said = command("recognise.py", "remove", str(people), "Dee")
    assert said.code == 2 and "no enrolled person named 'Dee'" in said.err


def test_a_network_that_moved_is_asked_for_and_another_refused(
    command: Say, run: Path, classifier: Path, images: Path, tmp_path: Path
) -> None:
    first, file = Path(shutil.copytree(run, tmp_path / "first")), tmp_path / "people.npz"
    assert command("recognise.py", "enrol", str(first), str(images / "people"), "--out", str(file)).code == 0
    first.rename(tmp_path / "second")
    words = ("identify", str(file), str(images / "probes"))
    said = command("recognise.py", *words)
    assert said.code == 2 and "is no longer at" in said.err and "--network" in said.err
    assert command("recognise.py", *words, "--network", str(tmp_path / "second")).code == 0
    said = command("recognise.py", *words, "--network", str(classifier))
    digests = re.search(r"made with first \((\w{12})\), not with (\S+) \((\w{12})\)", said.err)
    assert said.code == 2 and digests and digests[1] != digests[3] and digests[2] == classifier.name


def test_classify_says_the_class_and_how_probable_it_is(command: Say, classifier: Path, images: Path) -> None:
    from sandbox.backbones.embed import raw_embeddings
    from sandbox.data.images.decode import decode
    from sandbox.inference.trained import load_objective, load_trained
    from sandbox.runs.folder import RunFolder

    said = command("recognise.py", "classify", str(classifier), str(images / "probes"), "--json", "-")
    assert said.code == 0, said.err
    rows = read(said.out)
    files = sorted((images / "probes").glob("*.png"))
    trained = load_trained(RunFolder(classifier))
    objective, classes = load_objective(RunFolder(classifier), trained.network)
    (raw,) = raw_embeddings(trained.network, np.stack([decode(f, 16, 1) for f in files]), device=trained.device)
    logits = objective.logits(raw)
    assert logits is not None
    shares = np.exp(logits.detach().numpy().astype(np.float64))
    shares /= shares.sum(axis=1, keepdims=True)
    for row, file, share in zip(rows, files, shares, strict=True):
        assert row["image"] == str(file) and row["most_alike"] == classes[share.argmax()]
        assert row["probability"] == pytest.approx(share.max(), abs=1e-5)
        assert row["name"] == (row["most_alike"] if share.max() >= 0.5 else None)
    right = [row["most_alike"] == Path(row["image"]).name[0] for row in rows]
    assert np.mean(right) > 0.6
    low, high = (
        command("recognise.py", "classify", str(classifier), str(files[0]), "--unknown_below", at) for at in "01"
    )
    name, percent = rows[0]["most_alike"], f"{100 * rows[0]['probability']:.2f} %"
    assert low.out == f"{files[0]}: {name} with {percent} probability\n"
    assert high.out == f"{files[0]}: UNKNOWN, most like {name} ({percent})\n"


def test_verify_says_where_its_threshold_is_from(command: Say, people: Path, run: Path, images: Path) -> None:
    from sandbox.recognition.people_file import load_people

    a, b = (str(images / "people" / "Bo" / f"{place}.png") for place in (0, 1))
    chosen = json.loads((run / "report.json").read_text())["val"]["verification/eer"]["threshold"]
    same = command("recognise.py", "verify", a, a, "--network", str(run))
    assert same.code == 0 and "similarity 1.0000\none person" in same.out
    assert f"threshold of {chosen:.4f} (equal error rates on the validation images of {run})" in same.out
    said = command("recognise.py", "verify", a, b, "--people", str(people))
    held = load_people(people).calibration
    assert held is not None
    found = re.search(r"similarity (\S+), (\S+) % probability at even odds\n(\w+) .* of (\S+) \(even odds by", said.out)
    assert found and float(found[4]) == pytest.approx(-held.offset / held.slope, abs=1e-4)
    assert float(found[2]) / 100 == pytest.approx(held.probability(np.array([float(found[1])]))[0], abs=1e-3)
    assert (found[3] == "one") == (float(found[1]) >= float(found[4])) == (float(found[2]) >= 50)
    assert (
        "two people, by a threshold of 1.0000 (by hand)"
        in command("recognise.py", "verify", a, b, "--network", str(run), "--threshold", "1").out
    )


@pytest.mark.needs("onnxruntime", 'pip install -e ".[onnx]"')
@pytest.mark.needs("onnxscript", 'pip install -e ".[onnx]"')
def test_a_network_in_an_onnx_file_needs_strangers(command: Say, run: Path, images: Path, tmp_path: Path) -> None:
    file = tmp_path / "network.onnx"
    said = command("export.py", str(run), "--onnx", str(file))
    assert said.code == 0, said.err
    words = ("enrol", str(file), str(images / "people"), "--out", str(tmp_path / "p.npz"))
    said = command("recognise.py", *words)
    assert said.code == 2 and "keeps no images of strangers" in said.err
    said = command("recognise.py", *words, "--strangers", str(images / "others"), "--fpir", "0.5")
    assert said.code == 0 and "0.5 reached on 8 images of 1 stranger (unsupported: it takes 60)" in said.out
    assert (
        command("recognise.py", "identify", str(tmp_path / "p.npz"), str(images / "probes"), "--network", str(run)).code
        == 0
    )  # the same weights


def test_measure_counts_what_the_classifier_gets_right(
    command: Say, classifier: Path, images: Path, tmp_path: Path
) -> None:
    for name, folder in (("2", "Žofie [2]"), ("3", "Bo")):
        shutil.copytree(images / "people" / folder, tmp_path / "known" / name)
    rng = np.random.default_rng(0)
    for kind, count in (("odd", 12), ("fit", 20)):
        for place in range(count):
            noise = Image.fromarray(rng.integers(0, 256, (16, 16), np.uint8))
            (tmp_path / kind).mkdir(exist_ok=True)
            noise.save(tmp_path / kind / f"{kind}{place}.png")
    words = ("--strangers", str(tmp_path / "odd"), "--fit", str(tmp_path / "fit"), "--fpir", "0.1")
    file = tmp_path / "measured.json"
    said = command("recognise.py", "measure", str(classifier), str(tmp_path / "known"), *words, "--json", str(file))
    assert said.code == 0 and "DIR@FPIR=1e-1" in said.out, said.err
    found = json.loads(file.read_text())
    rows = read(command("recognise.py", "classify", str(classifier), str(tmp_path / "known"), "--json", "-").out)
    right = [row["most_alike"] == Path(row["image"]).parent.name for row in rows]
    assert found["identification/rank@1"]["value"] == pytest.approx(np.mean(right))
    entry = found["identification/dir@fpir=1e-1"]
    fit = read(command("recognise.py", "classify", str(classifier), str(tmp_path / "fit"), "--json", "-").out)
    assert np.mean([np.float32(row["probability"]) >= np.float32(entry["threshold"]) for row in fit]) <= 0.1
    both = [r and row["probability"] >= entry["threshold"] for r, row in zip(right, rows, strict=True)]
    assert entry["value"] == pytest.approx(np.mean(both)) and entry["n"] == 16 and entry["fitted_on"] == 20
    assert found["identification/strangers@fpir=1e-1"]["n"] == 12


def mistakes() -> list[tuple[tuple[str, ...], str]]:
    enrol = ("enrol", "{run}", "{images}/people", "--out", "{tmp}/p.npz")
    probe = "{images}/probes/2-8.png"
    return [
        (("enroll",), "no thing to do named 'enroll'; did you mean 'enrol'?"),
        (("enrol",), "enrol takes NETWORK FOLDER --out people.npz"),
        (("identify", "{people}"), "identify takes people.npz IMAGES ..."),
        (("verify", "a"), "verify takes IMAGE IMAGE"),
        (("verify", "a", "b"), "give --network RUN, or --people FILE"),
        (("verify", "a", "b", "--network="), "--network is empty"),
        (("verify", "a", "", "--network", "x"), "a word after 'a' is empty"),
        (("add", "{people}", probe), "--name says whose images they are"),
        (("identify", "{people}", probe, "--treshold", "1"), "did you mean '--threshold'?"),
        (("identify", "{people}", "{tmp}/none.png"), "there is no file or folder"),
        (("identify", "{people}", probe, "--threshold", "2"), "--threshold is 2, but a similarity lies"),
        (("identify", "{people}", probe, "--picture", "out.jpg"), "names a file that ends in .png"),
        (("identify", "{people}", probe, "--json", "{tmp}"), "names a file that ends in .json"),
        (("identify", "{tmp}/p.npz", probe), "there is no file"),
        (("identify", probe, probe), "no file of enrolled people"),
        ((*enrol[:3],), "--out is '', but names a file that ends in .npz"),
        ((*enrol[:4], "{people}"), "is there already"),
        ((*enrol, "--fpir", "0"), "--fpir is 0, but is above 0 and below 1"),
        ((*enrol, "--fpir", "1"), "--fpir is 1, but is above 0 and below 1"),
        ((*enrol, "--strangers", "{tmp}/none"), "there is no folder"),
        ((*enrol, "--strangers", "{images}/people"), "is the name of somebody who is enrolled"),
        (("enrol", "{closed}", *enrol[2:]), "was validated on people that it was trained on"),
        (("enrol", "{images}", *enrol[2:]), "has no run.json"),
        (("enrol", "{run}", "{images}/probes", *enrol[3:]), "holds no folder with images, but 12 images in no folder"),
        (("classify", "{run}", probe), "own no class weights"),
        (("classify", probe, probe), "is no folder of a run"),
        (("classify", "{closed}", probe, "--unknown_below", "7"), "--unknown_below is 7, but lies between 0 and 1"),
        (("verify", probe, "{tmp}/none.png", "--network", "{run}"), "is not there"),
        (("verify", probe, probe, "--people", "{people}", "--faces", "detect"), "was made with --faces whole"),
        (("measure", "{people}"), "measure takes people.npz FOLDER"),
        (("measure", "{closed}", "{images}/people"), "give --fit FOLDER"),
        (("measure", "{people}", "{images}/people", "--fit", "x"), "--fit is for the folder of a run"),
        (("measure", "{people}", "{images}/people"), "images are no test"),
        (("measure", "{people}", "{images}/others"), "the threshold was fitted on it"),
        (("measure", "{people}", "{images}/people", "--faces", "whole"), "--faces is for the folder of a run"),
        (("measure", "{people}", "{images}/people", "--fpir", "nan"), "--fpir is nan, but is above 0 and below 1"),
        (("identify", "{people}", probe, "--json", "{images}/p.png"), "names a file that ends in .json"),
        (("identify", "{people}", probe, "--picture", probe), "is to be written and to be read"),
        (("add", "{people}", probe, "--name", "a\u200bb"), "it has characters that cannot be seen"),
        (("verify", probe, "{images}/people", "--network", "{run}"), "is a folder, and an image is needed"),
        (("verify", probe, "a" * 300 + ".png", "--network", "{run}"), "File name too long"),
        (("remove", "{people}", "Boo"), "did you mean 'Bo'?"),
    ]


@pytest.mark.parametrize(("words", "sentence"), mistakes())
def test_a_mistake_is_one_sentence(
    command: Say,
    people: Path,
    run: Path,
    classifier: Path,
    images: Path,
    tmp_path: Path,
    words: tuple[str, ...],
    sentence: str,
) -> None:
    places = {"people": people, "run": run, "closed": classifier, "images": images, "tmp": tmp_path}
    before = people.read_bytes()
    said = command("recognise.py", *(word.format(**places) for word in words))
    assert said.code == 2 and said.out == ""
    assert said.err.startswith("error: ") and sentence in said.err and said.err.count("\n") == 1
    assert people.read_bytes() == before and not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("what", ["", "enrol", "add", "remove", "list", "identify", "classify", "verify", "measure"])
def test_help_needs_no_torch(what: str) -> None:
    words = [what, "--help"] if what else ["--help"]
    code = (
        f"import sys, runpy; sys.argv = ['recognise.py', *{words!r}]\n"
        "try:\n    runpy.run_path('experiments/recognise.py', run_name='__main__')\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "assert not {'torch', 'matplotlib', 'faiss', 'numpy'} & sys.modules.keys()"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert what in ran.stdout
