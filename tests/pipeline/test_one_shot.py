"""A run that is chosen by one-shot trials of held-out alphabets, and judged once by the official ones."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sandbox.data.datasets.omniglot import OmniglotSpec
from sandbox.errors import Interrupted, SandboxError
from sandbox.evaluation.figures import spell
from sandbox.pictures.map import of_run as map_of_run
from sandbox.pictures.scores import scored
from sandbox.pipeline.events import Done, Progress, Validation
from sandbox.pipeline.judging.protocol import protocol
from sandbox.pipeline.prepare import prepare
from sandbox.pipeline.run import resume, run
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, EvaluateSpec, Recipe
from sandbox.reporting.page.written.write import write_page
from sandbox.reporting.records.read import read_run
from sandbox.reporting.records.run import HAUSDORFF, RAW_PIXELS, UNTRAINED
from sandbox.reporting.tables.build import build_table
from sandbox.runs.embeddings import read_embeddings
from sandbox.runs.folder import RunFolder
from sandbox.scoring.from_run import of_run
from sandbox.scoring.inputs import Options
from sandbox.scoring.score import score
from sandbox.training.stopping import listen

from killed import digests
from omniglot_trees import alphabet, copied, official_tree, rewritten

KEY = "oneshot/accuracy"


def recipe(root: Path) -> Recipe:
    return Recipe(
        data=OmniglotSpec(name="omniglot", root=str(root), split="official", image_size=8),
        backbone=BackboneSpec(name="conv4", embedding_dim=8),
        batch=BatchSpec(size=8),
        evaluate=EvaluateSpec(every=2, monitor=KEY),
        max_steps=4,
        threads=1,
    )


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return official_tree(tmp_path_factory.mktemp("omniglot"))


@pytest.fixture(scope="module")
def done(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The run, with its page; nothing may be written into it."""
    events = list(run(recipe(tree), out=tmp_path_factory.mktemp("runs"), command="a test"))
    last = events[-1]
    assert isinstance(last, Done)
    return last.folder


def test_test_holds_the_trials_alone(done: RunFolder) -> None:
    report = done.read_json("report.json")
    assert set(report["test"]) == {KEY} and {KEY, "retrieval/map@r", "verification/auc"} <= set(report["val"])
    assert (report["test"][KEY]["n"], report["test"][KEY]["runs"]) == (400, 20)
    assert (report["val"][KEY]["n"], report["val"][KEY]["runs"]) == (2000, 100)
    facts = done.read_json("run.json")
    assert facts["best"]["monitor"] == KEY and facts["test_evaluations"] == 1
    assert facts["best"]["value"] == pytest.approx(report["val"][KEY]["value"], abs=1e-6)
    assert facts["trials"] == {"val": 2000, "test": 400}
    assert facts["data"]["test"] == {"images": 800, "classes": 400}
    assert "test" not in read_embeddings(done)


def test_the_classical_baselines_stand_beside_it(done: RunFolder) -> None:
    found = done.read_json("baselines.json")
    assert found.keys() == {RAW_PIXELS, HAUSDORFF, UNTRAINED}
    assert found[HAUSDORFF].keys() == {"test"}
    kept = read_embeddings(done).take("test/oneshot")
    assert kept.trials is not None and len(kept.x) == 800
    splits = prepare(done.recipe()).splits
    task = splits.test_oneshot
    assert task is not None and task.drawings is not None
    ink = task.drawings.pixels.reshape(800, -1) / 255.0
    right = []
    for support, query, answer in zip(task.trials.support, task.trials.query, task.trials.answer, strict=True):
        cosines = ink[support] @ ink[query] / np.linalg.norm(ink[support], axis=1)
        right.append(cosines.argmax() == answer)
    assert found[RAW_PIXELS]["test"][KEY]["value"] == pytest.approx(np.mean(right))
    assert found[HAUSDORFF]["test"][KEY]["n"] == 400


def test_scored_again_it_is_the_same(done: RunFolder, tmp_path: Path) -> None:
    copy = copied(done.path, tmp_path / "run")
    rewritten(copy / "run.json", (done.path / "run.json").read_text())
    report = done.read_json("report.json")
    for split in ("test", "val"):
        figures = score(of_run(copy, split), Options()).figures
        assert figures[KEY] == pytest.approx(report[split][KEY])
        assert (set(figures) == {KEY}) == (split == "test")


def test_what_the_trials_do_not_allow_is_refused(done: RunFolder, tmp_path: Path) -> None:
    copy = copied(done.path, tmp_path / "run")
    rewritten(copy / "run.json", (done.path / "run.json").read_text())
    inputs = of_run(copy, "test")
    for options in (Options(clustering=True), Options(folds=4)):
        with pytest.raises(SandboxError, match="test holds one-shot trials alone; give --split val"):
            score(inputs, options)
    with pytest.raises(SandboxError, match="one-shot trials alone, which have no pairs to draw"):
        scored(inputs)
    mapped = map_of_run(copy, "test")
    assert len(mapped.x) == 800 and mapped.image is not None and mapped.classes[0] == "run01/class01"
    assert RunFolder(copy).read_json("run.json")["test_evaluations"] == 3


def test_damaged_trials_are_refused(done: RunFolder) -> None:
    kept = read_embeddings(done)
    table = kept.tensors["test/oneshot/trials"]
    for place, value in ((1, 800), (2, 20), (5, -1)):
        wrong = table.clone()
        wrong[7, place] = value
        with pytest.raises(SandboxError, match="the one-shot trials of test/oneshot name images that are not there"):
            replace(kept, tensors={**kept.tensors, "test/oneshot/trials": wrong}).take("test/oneshot")


def test_its_page_shows_the_trials_and_pictures_of_validation(done: RunFolder, tmp_path: Path) -> None:
    page = (done.path / "page.html").read_text()
    value = spell(done.read_json("report.json")["test"][KEY])
    assert f'<p class="verdict">Test: one-shot accuracy {value}</p>' in page
    assert "400 trials" in page and HAUSDORFF in page and "test was scored once, afterwards" in page
    assert "validation split: 40 images of 20 classes" in page
    again = RunFolder(copied(done.path, tmp_path / "run", lambda path: (path / "page.html").unlink()))
    write_page(again)
    assert f"one-shot accuracy {value}" in (again.path / "page.html").read_text()


def test_a_table_shows_it_by_default(done: RunFolder) -> None:
    table = build_table([read_run(done)])
    assert [column.name for column in table.columns if column.kind == "figure"] == ["one-shot accuracy"]
    texts = [[cell.text for cell in row.cells] for row in table.rows]
    assert {text[0] for text in texts[1:]} == {RAW_PIXELS, HAUSDORFF, UNTRAINED}


def test_cut_off_and_gone_on_with_it_ends_the_same(done: RunFolder, tree: Path, tmp_path: Path) -> None:
    def trained(out: Path) -> None:
        for event in run(recipe(tree), out=out, command="a test", pictures=False, save_every=1):
            if isinstance(event, Progress) and event.done == 3:
                os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted), listen():
        trained(tmp_path)
    (path,) = tmp_path.iterdir()
    seen = [event.value for event in resume(path, pictures=False) if isinstance(event, Validation)]
    assert len(seen) == 1
    assert digests(tmp_path) == digests(done.path.parent)


def test_evaluation_alphabets_are_retrieved_beside_it(tree: Path, tmp_path: Path) -> None:
    root = copied(tree, tmp_path / "more", lambda path: alphabet(path, "Angelic", 3))
    asked = replace(recipe(root), max_steps=2)
    *_, last = run(asked, out=tmp_path / "runs", command="a test", pictures=False)
    assert isinstance(last, Done)
    report = last.report["test"]
    assert {KEY, "retrieval/map@r", "verification/auc"} <= set(report) and report[KEY]["n"] == 400
    assert report["retrieval/map@r"]["n"] == 6
    kept = read_embeddings(last.folder)
    assert len(kept.take("test").x) == 6 and len(kept.take("test/oneshot").x) == 800
    said = protocol(prepare(asked).splits, test=True)
    assert said == (
        "validation: 40 images of 20 classes not trained on, with 2,000 one-shot trials of 20 classes each, chose the "
        "checkpoint; test: 6 images of 3 classes not trained on, with 400 one-shot trials of 20 classes each on 800 "
        "other images, scored once"
    )


def test_the_monitor_needs_trials(tree: Path) -> None:
    without = recipe(tree)
    for data in (DataSpec(name="digits"), replace(without.data, val_fold="3/3")):
        with pytest.raises(SandboxError, match="oneshot/accuracy, but validation has no one-shot trials"):
            prepare(replace(without, data=data))
    with pytest.raises(SandboxError, match="did you mean 'oneshot/accuracy'"):
        prepare(replace(without, evaluate=EvaluateSpec(monitor="oneshot/acuracy")))
