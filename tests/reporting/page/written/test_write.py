"""The page as text: what stands on it, in which order, and what it says of what is missing."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.report import Labelled, Options, evaluate
from sandbox.recipe.episodes import Episodes
from sandbox.reporting.page.found.looked import look
from sandbox.reporting.page.found.material import Pictured, read_material
from sandbox.reporting.page.written.scripted import scripted
from sandbox.reporting.page.written.write import page_of, write_page
from sandbox.runs.embeddings import KeptSet, write_embeddings
from sandbox.runs.folder import RunFolder

from pages import EVIL, around_centres, drawn_images, made_run

LABELS = np.repeat(np.arange(12), 6)
NAMES = (EVIL, *(f"name {k}" for k in range(1, 12)))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of twelve classes, six images each."""
    health = ["at step 3 all images have nearly one embedding"]
    return made_run(tmp_path_factory.mktemp("runs"), around_centres(LABELS), LABELS, health=health)


@pytest.fixture(scope="module")
def page(run: RunFolder) -> str:
    """Its page, with images."""
    return page_of(read_material(run, Pictured(drawn_images(LABELS, NAMES))))


def visible(page: str) -> str:
    """The text of a page's body, without its data and scripts."""
    body = page.partition("<body>")[2]
    return re.sub(r"\s+", " ", re.sub(r"<script.*?</script>|<[^>]*>", " ", body, flags=re.S))


def test_everything_stands_there_in_order(run: RunFolder, page: str) -> None:
    text = visible(page)
    report = run.read_json("report.json")["test"]
    verdict = "Test: " + ", ".join(
        f"{name} {report[key]['value']:.4f}"
        for name, key in (("MAP@R", "retrieval/map@r"), ("R@1", "retrieval/recall@1"), ("AUC", "verification/auc"))
    )
    wanted = [
        "triplet_margin(miner=batch_hard)", "digits, test split: 72 images of 12 classes, seed 0", verdict,
        "Validation has 6 identities; it chose the checkpoint", "at step 3 all images have nearly one embedding",
        "of the R other images of its class", "72 queries", "Validation chose the checkpoint: step 2 of 4",
        "All other figures", "Note: a note.", "Verification: same class", "Retrieval: what each image",
        "Classes, the hardest first", "Map of the embeddings", "training loss", "validation MAP@R",
        "best (framed): 0.5000 at step 2", "python experiments/run.py --loss triplet --miner hard",
        "backbone.name", "conv4", "Data: digits", "1,234", "2 min 23 s", "2.05 GB", "All settings", "Versions",
    ]  # fmt: skip
    at = 0
    for piece in wanted:
        assert piece in text[at:], piece
        at = text.index(piece, at) + len(piece)
    above = text.partition("All settings")[0]
    assert "retrieval/" not in above and "P@1" not in above


def test_nothing_is_loaded_and_no_name_is_code(page: str) -> None:
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'" in page
    assert not re.search(r"""(src|href)=["'](?!#)""", page) and set(re.findall(r"url\((.{5})", page)) == {"data:"}
    assert EVIL not in page and page.count("</script>") == 2
    data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    assert data["classes"][0] == EVIL


def test_baselines_stand_beside_and_a_run_below_them_says_so(run: RunFolder, tmp_path: Path) -> None:
    folder = made_run(tmp_path, around_centres(LABELS), LABELS)
    entry = {"value": 0.99, "n": 72}
    raw = {"retrieval/map@r": entry, "verification/eer": {"value": 0.9, "n": 72}}
    folder.write_json("baselines.json", {"raw pixels": {"val": raw, "test": raw}, "untrained": {"test": raw}})
    text = visible(page_of(read_material(folder)))
    own = run.read_json("report.json")["test"]["retrieval/map@r"]["value"]
    assert f"On test this run is below its raw pixels: MAP@R {own:.4f} against 0.9900." in text  # the EER is no worse
    assert "raw pixels untrained" in text
    assert "this run is below" not in visible(page_of(read_material(run)))


def test_without_images_the_page_has_the_rest(run: RunFolder) -> None:
    page = page_of(read_material(run))
    text = visible(page)
    assert "could not be read" in text and "class 3" in text and "data:image" not in page


@pytest.mark.parametrize("spread", [0.0, 1e-3])
def test_a_collapsed_run_looks_like_one(tmp_path: Path, spread: float) -> None:
    x = around_centres(LABELS * 0, spread=spread)
    text = visible(page_of(read_material(made_run(tmp_path, x, LABELS))))
    assert text.index("the same or nearly") < text.index("Figures")


def test_a_run_with_given_pairs_or_without_a_class_of_two_has_a_page(tmp_path: Path) -> None:
    y = np.arange(12)
    left, right, same = np.array([0, 1, 2, 3]), np.array([4, 5, 6, 7]), np.array([True, False, True, False])
    folder = made_run(tmp_path / "a", around_centres(LABELS), LABELS, pairs=Pairs(left, right, same))
    assert "Scores of 2 genuine pairs" in visible(page_of(read_material(folder)))
    folder.write_tensors("embeddings.safetensors", _lone(y))
    folder.write_json("report.json", {"test": {"verification/auc": {"value": 0.5, "n": 4}}})
    text = visible(page_of(read_material(folder)))
    assert "Retrieval" not in text and "Scores of 2 genuine pairs" in text


def test_pairs_of_images_apart_are_shown_by_their_own_images(tmp_path: Path) -> None:
    others = np.repeat(np.arange(5), 4)
    folder = made_run(tmp_path, around_centres(LABELS), LABELS)
    sets = {"test": KeptSet(around_centres(LABELS), LABELS), "test/verify": KeptSet(around_centres(others), others)}
    write_embeddings(folder, sets, closed_set=True)
    apart = drawn_images(others, tuple("vwxyz"))
    page = page_of(read_material(folder, Pictured(drawn_images(LABELS, NAMES), apart)))
    assert "Scores of 30 genuine pairs" in visible(page) and ".apart-0{background-image:url(data:" in page
    data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    assert data["pairClasses"] == list("vwxyz") and len(data["verification"]["near"]["same"]) == 190
    with pytest.raises(SandboxError, match=r"the labels of the test embeddings in .* are not those of its data"):
        read_material(folder, Pictured(drawn_images(LABELS, NAMES), drawn_images(others[::-1].copy(), tuple("vwxyz"))))


def test_of_very_many_classes_the_hardest_can_be_searched(run: RunFolder) -> None:
    looked = look(read_material(run))
    data = scripted(looked, classes=3)
    assert [row[0] for row in data["difficulty"]] == [row.label for row in looked.classes[:3]]
    bare = replace(looked.own, labels=looked.own.labels[:1])
    assert [name for name in bare.names([3]) if name] == sorted({f"class {looked.own.labels[0]}", "class 3"})


def _lone(y: np.ndarray) -> dict:
    import torch

    pairs = np.array([[0, 4, 1], [1, 5, 0], [2, 6, 1], [3, 7, 0]])
    tensors = {"embeddings": around_centres(y), "labels": y, "pairs": pairs}
    return {f"test/{name}": torch.from_numpy(value) for name, value in tensors.items()}


def test_a_run_that_looked_at_no_test_shows_its_validation(tmp_path: Path) -> None:
    folder = made_run(tmp_path, around_centres(LABELS), LABELS)
    folder.write_json("report.json", {"val": folder.read_json("report.json")["val"]})
    text = visible(page_of(read_material(folder)))
    assert "Validation: MAP@R" in text and "this run looked at no test" in text
    assert "digits, validation split: 36 images of 6 classes" in text


def test_a_run_without_embeddings_or_with_other_images_is_refused(tmp_path: Path) -> None:
    folder = made_run(tmp_path, around_centres(LABELS), LABELS)
    others = drawn_images(LABELS[::-1].copy(), NAMES)
    with pytest.raises(SandboxError, match=r"the labels of the test embeddings in .* are not those of its data"):
        write_page(folder, Pictured(others))
    (folder.path / "embeddings.safetensors").unlink()
    with pytest.raises(SandboxError, match=r"has no embeddings\.safetensors, and a page is made of those"):
        write_page(folder)
    assert not (folder.path / "page.html").exists()


def test_episodes_stand_among_the_first_figures(tmp_path: Path) -> None:
    x = around_centres(LABELS)
    options = Options(episodes=Episodes.of("5w1s", 600, 4))
    report = {name: evaluate(Labelled(x, LABELS), options).figures for name in ("val", "test")}
    text = visible(page_of(read_material(made_run(tmp_path, x, LABELS, report=report), None)))
    value = report["test"]["fewshot/accuracy@5-way-1-shot"]["value"]
    verdict, rest = text.partition("All other figures")[::2]
    assert f"5-way 1-shot accuracy {value:.4f}" in verdict and "600 episodes of 4 queries a class" in verdict
    assert "nearest to the mean of the images known of their class" in verdict and "5-way" not in rest
