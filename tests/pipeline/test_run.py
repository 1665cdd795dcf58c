"""From a recipe to a run folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from small_runs import MINED as SMALL
from small_runs import done

from sandbox.data.catalog import load
from sandbox.data.datasets.lfw import LfwSpec
from sandbox.errors import SandboxError
from sandbox.evaluation.verification.cross_validation import cross_validate
from sandbox.evaluation.verification.cross_validation import figures as cross_validated
from sandbox.pipeline import run as experiment
from sandbox.pipeline.events import Done, Note, Progress, Started, Validation
from sandbox.pipeline.prepare import prepare
from sandbox.pipeline.watch import Watch
from sandbox.recipe.specs import (
    AugmentSpec,
    BackboneSpec,
    BatchSpec,
    DataSpec,
    EvaluateSpec,
    OptimizerSpec,
    digest,
)
from sandbox.runs.folder import RunFolder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The small run, with its pictures; nothing may be written into it."""
    return done(SMALL, tmp_path_factory.mktemp("small"), pictures=True)


def test_a_run_leaves_all_its_files_and_facts(small: Done) -> None:
    last = small
    names = {path.name for path in last.folder.path.iterdir()}
    assert names == {
        "recipe.toml", "run.json", "log.jsonl", "report.json", "model.safetensors", "embeddings.safetensors",
        "baselines.json", "page.html", "figures",
    }  # fmt: skip
    assert {path.name for path in (last.folder.path / "figures").iterdir()} == {
        "curves.png", "scores.png", "neighbours.png",
    }  # fmt: skip
    facts = last.folder.read_json("run.json")
    assert facts["status"] == "done" and facts["steps"] == 8 and facts["test_evaluations"] == 1
    assert all(isinstance(facts["parameters"][part], int) for part in ("backbone", "head", "objective"))
    assert facts["parameters"]["objective"] == 0 and facts["parameters"]["head"] > 0
    assert facts["images_per_second"] > 0 and facts["peak_memory"]["resident"] > 10**8
    assert {"torch", "pytorch-metric-learning", "faiss-cpu"} <= facts["versions"].keys()


def test_the_report_has_value_and_n_for_every_key(small: Done) -> None:
    report = json.loads((small.folder.path / "report.json").read_text())
    assert report.keys() == {"val", "test"}
    keys = ("retrieval/map@r", "retrieval/precision@1", "retrieval/recall@5", "retrieval/r_precision", "retrieval/mrr",
            "verification/auc", "verification/eer", "verification/tar@far=1e-3")  # fmt: skip
    for split in report.values():
        for key in keys:
            assert 0 <= split[key]["value"] <= 1 and split[key]["n"] > 0


def test_the_report_can_be_computed_again_from_the_kept_embeddings(small: Done) -> None:
    from sandbox.evaluation.report import Labelled, Options, evaluate

    last = small
    kept = load_file(last.folder.path / "embeddings.safetensors")
    x, y = kept["test/embeddings"].numpy(), kept["test/labels"].numpy()
    assert np.allclose(np.linalg.norm(x, axis=1), 1, atol=1e-5)
    chosen = last.report["val"]["verification/balanced_accuracy"]["threshold"]
    asked = Options(recall_at=SMALL.evaluate.recall_at, far=SMALL.evaluate.far, balanced_threshold=chosen)
    again = evaluate(Labelled(x, y), asked).figures
    assert again == last.report["test"]


def test_the_kept_model_is_the_one_that_was_best_on_validation(tmp_path: Path) -> None:
    events = list(experiment.run(replace(SMALL, max_steps=12), out=tmp_path, command="a test", pictures=False))
    validations = [event for event in events if isinstance(event, Validation)]
    best = max(validations, key=lambda event: event.value)
    last = events[-1]
    assert isinstance(last, Done)
    assert last.report["val"]["retrieval/map@r"]["value"] == pytest.approx(best.value, abs=1e-12)
    assert last.folder.read_json("run.json")["best"]["step"] == best.step


@pytest.mark.parametrize(
    ("monitor", "values", "better"),
    [
        ("retrieval/map@r", (0.3, 0.2, 0.4, 0.4, 0.1), (True, False, True, False, False)),
        ("verification/eer", (0.3, 0.4, 0.2, 0.2, 0.5), (True, False, True, False, False)),
    ],
)
def test_the_best_is_the_highest_or_where_errors_are_counted_the_lowest(
    monitor: str, values: tuple[float, ...], better: tuple[bool, ...]
) -> None:
    training, watch = prepare(SMALL).training, Watch(monitor, patience=2)
    assert tuple(watch.see(value, step, training) for step, value in enumerate(values, 1)) == better
    assert (watch.step, watch.value, watch.since, watch.enough) == (3, values[2], 2, True)


@pytest.mark.parametrize("loss", ["triplet", "cross_entropy + 0.01*center"])
def test_one_seed_twice_gives_the_same_bits(tmp_path: Path, loss: str) -> None:
    recipe = replace(SMALL, loss=loss, miner="none")
    first, second = (load_file(done(recipe, tmp_path / name).folder.path / "model.safetensors") for name in "ab")
    assert all(torch.equal(first[key], second[key]) for key in first)
    other = load_file(done(replace(recipe, seed=1), tmp_path / "c").folder.path / "model.safetensors")
    assert not all(torch.equal(first[key], other[key]) for key in first)


def test_two_spellings_of_one_objective_are_one_recipe(tmp_path: Path) -> None:
    first = prepare(replace(SMALL, loss="triplet", miner="hard")).recipe
    second = prepare(replace(SMALL, loss="triplet_margin(margin=0.05, miner=hard)", miner="none")).recipe
    assert first == second


def test_an_interrupted_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    recipe = replace(SMALL, loss="xbm(contrastive, memory_size=96)")
    whole = done(recipe, tmp_path / "whole")
    events = experiment.run(recipe, out=tmp_path / "cut", command="a test", pictures=False)
    for event in events:
        if isinstance(event, Progress) and event.done == 6:  # two steps after the checkpoint
            events.close()
    (cut,) = (tmp_path / "cut").iterdir()
    assert json.loads((cut / "run.json").read_text())["status"] == "interrupted"
    *_, last = experiment.resume(cut, pictures=False)
    assert isinstance(last, Done) and last.report == whole.report
    a, b = (load_file(folder / "model.safetensors") for folder in (whole.folder.path, cut))
    assert all(torch.equal(a[key], b[key]) for key in a)
    both = [(folder / "baselines.json").read_bytes() for folder in (whole.folder.path, cut)]
    assert both[0] == both[1]
    steps = [row["step"] for row in last.folder.read_log()]
    assert steps == sorted(steps)


def test_an_interrupted_run_on_turned_classes_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    turned = replace(SMALL.data, split="class", rotations=4)
    augment = AugmentSpec(elastic=0.05, stroke=0.05, erase=0.5, erase_fill="mixed")
    recipe = replace(SMALL, loss="cross_entropy", miner="none", data=turned, augment=augment)
    whole = done(recipe, tmp_path / "whole")
    events = experiment.run(recipe, out=tmp_path / "cut", command="a test", pictures=False)
    for event in events:
        if isinstance(event, Progress) and event.done == 6:
            events.close()
    (cut,) = (tmp_path / "cut").iterdir()
    *_, last = experiment.resume(cut, pictures=False)
    assert isinstance(last, Done) and last.report == whole.report
    for file in ("model.safetensors", "objective.safetensors"):
        a, b = (load_file(folder / file) for folder in (whole.folder.path, cut))
        assert all(torch.equal(a[key], b[key]) for key in a)
    facts, plain = last.folder.read_json("run.json"), load(replace(turned, rotations=1))
    assert facts["data"]["train"] == {"images": 4 * len(plain.train), "classes": 4 * len(plain.train.classes)}
    assert facts["split"] == plain.digest and any("turned by 90" in note for note in facts["notes"])
    assert next(iter(b.values())).shape[-1] == 4 * len(plain.train.classes)  # of the classifier, one for each class


def test_a_run_is_tagged_from_its_beginning_and_when_it_goes_on(tmp_path: Path) -> None:
    events = experiment.run(SMALL, out=tmp_path, command="a test", pictures=False, tags=["pilot", "二", "pilot"])
    assert isinstance(next(events), Started)
    (folder,) = map(RunFolder, tmp_path.iterdir())
    assert folder.read_json("run.json")["tags"] == ["pilot", "二"]
    for event in events:
        if isinstance(event, Validation):
            events.close()
    *_, last = experiment.resume(folder.path, pictures=False)
    facts = folder.read_json("run.json")
    assert isinstance(last, Done) and (facts["status"], facts["tags"]) == ("done", ["pilot", "二"])
    assert facts["digest"] == digest(prepare(SMALL).recipe) and "purpose" not in facts


def test_what_is_no_tag_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="'two words' is no tag"):
        list(experiment.run(SMALL, out=tmp_path, command="a test", tags=["two words"]))
    assert not any(tmp_path.iterdir())


def test_a_finished_run_is_not_resumed(small: Done) -> None:
    with pytest.raises(SandboxError, match="finished"):
        list(experiment.resume(small.folder.path))


def test_a_loss_that_is_no_number_stops_the_run_with_the_reason(tmp_path: Path) -> None:
    wild = replace(SMALL, optimizer=OptimizerSpec(name="sgd", lr=100.0), loss="cross_entropy", miner="none")
    wild = replace(wild, max_steps=200, evaluate=EvaluateSpec(every=200))
    with pytest.raises(SandboxError, match="not finite"):
        done(wild, tmp_path)
    (folder,) = tmp_path.iterdir()
    facts = json.loads((folder / "run.json").read_text())
    assert facts["status"].startswith("failed: ") and not (folder / "report.json").exists()


def test_training_stops_early_where_validation_gets_no_better(tmp_path: Path) -> None:
    still = replace(SMALL, optimizer=OptimizerSpec(lr=1e-12, weight_decay=0.0), max_steps=40)
    still = replace(still, evaluate=EvaluateSpec(every=2, patience=3), augment=AugmentSpec())
    texts = [e.text for e in experiment.run(still, out=tmp_path, command="", pictures=False) if isinstance(e, Note)]
    assert any("stopped at step" in text for text in texts)


def test_a_split_without_impostors_has_retrieval_and_no_verification() -> None:
    from sandbox.evaluation.report import Labelled, evaluate

    x = np.eye(4, dtype=np.float32)
    report = evaluate(Labelled(x, np.zeros(4, np.int64))).figures
    assert report["retrieval/map@r"]["value"] == 1.0
    assert not any(key.startswith("verification/") for key in report)


def test_a_network_whose_modules_have_versions_is_read_back(tmp_path: Path) -> None:
    recipe = replace(SMALL, backbone=BackboneSpec(name="torchvision:mnasnet0_5", embedding_dim=8), max_steps=1)
    assert done(recipe, tmp_path).report.keys() == {"val", "test"}


def test_a_study_run_never_reads_the_test_split(tmp_path: Path) -> None:
    last = done(SMALL, tmp_path, test=False)
    assert last.report.keys() == {"val"}
    assert last.folder.read_json("run.json")["test_evaluations"] == 0
    assert not any(key.startswith("test/") for key in load_file(last.folder.path / "embeddings.safetensors"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"loss": "tripplet"}, "did you mean 'triplet'"),
        ({"loss": "arcface"}, "nothing to do"),
        ({"loss": "triplet(margin=tune(0.1, 0.2))"}, "experiments/tune.py"),
        ({"data": DataSpec(name="digit")}, "did you mean 'digits'"),
        ({"batch": BatchSpec(classes=400)}, "only"),
        ({"evaluate": EvaluateSpec(monitor="retrieval/map")}, "did you mean 'retrieval/map@r'"),
        ({"evaluate": EvaluateSpec(monitor="verification/accuracy")}, "take verification/balanced_accuracy"),
        ({"max_steps": -1}, "max_steps"),
        ({"device": "cuda:99"}, "cuda"),
        ({"data": DataSpec(name="digits", validation=0.6, test=0.6)}, "below 1"),
        ({"data": DataSpec(name="digits", split="sample", rotations=4)}, "^data.rotations is 4, but validation and"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_written(
    tmp_path: Path, change: dict[str, object], words: str
) -> None:
    with pytest.raises(SandboxError, match=words):
        done(replace(SMALL, **change), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_flip_average_is_what_is_kept_and_scored(small: Done, tmp_path: Path) -> None:
    recipe = replace(SMALL, evaluate=EvaluateSpec(every=4, flip=True))
    last = done(recipe, tmp_path / "flip")
    plain = small
    assert last.folder.recipe().evaluate.flip and not plain.folder.recipe().evaluate.flip
    weights = load_file(last.folder.path / "model.safetensors")
    network = prepare(recipe).network.eval()
    network.load_state_dict(weights)
    pixels = torch.from_numpy(np.ascontiguousarray(prepare(recipe).splits.test.pixels[:50])).permute(0, 3, 1, 2)
    with torch.no_grad():
        both = sum(torch.nn.functional.normalize(network(side)) for side in (pixels, pixels.flip(-1)))
    wanted = torch.nn.functional.normalize(torch.as_tensor(both))
    kept = load_file(last.folder.path / "embeddings.safetensors")["test/embeddings"][:50]
    assert (kept * wanted).sum(1).min() > 0.999  # bfloat16 on machines that have it
    assert last.report["test"] != plain.report["test"]


@pytest.mark.parametrize("loss", ["cross_entropy", "arcface + 0.1*triplet"])
def test_a_closed_set_says_how_often_the_class_is_right(tmp_path: Path, loss: str) -> None:
    closed = DataSpec(name="digits", image_size=8, split="sample")
    recipe = replace(SMALL, loss=loss, miner="none", data=closed, max_steps=60, evaluate=EvaluateSpec(every=30))
    last = done(recipe, tmp_path)
    prepared = prepare(recipe)
    prepared.network.load_state_dict(load_file(last.folder.path / "model.safetensors"))
    prepared.objective.load_state_dict(load_file(last.folder.path / "objective.safetensors"))
    for name, images in (("val", prepared.splits.val), ("test", prepared.splits.test)):
        top = {k: last.report[name][f"classification/top@{k}"] for k in (1, 5)}
        assert top[1]["n"] == len(images) and top[1]["low"] <= top[1]["value"] <= top[1]["high"]
        assert 0.3 < top[1]["value"] < top[5]["value"]  # chance is 0.1
        with torch.no_grad():
            pixels = torch.from_numpy(np.ascontiguousarray(images.pixels)).permute(0, 3, 1, 2)
            logits = prepared.objective.logits(prepared.network.eval()(pixels))
        assert logits is not None
        right = (logits.argmax(1).numpy() == images.labels).mean()
        assert top[1]["value"] == pytest.approx(right, abs=0.02)  # bfloat16 on machines that have it
        said_to_be = last.folder.read_json("run.json")["confused"][name]
        wrong = len(images) - round(top[1]["value"] * len(images))
        assert 0 < sum(row["n"] for row in said_to_be) <= wrong and all(
            r["truth"] != r["taken_for"] for r in said_to_be
        )
        assert [row["n"] for row in said_to_be] == sorted((row["n"] for row in said_to_be), reverse=True)
        assert all(row["of"] == (images.labels == int(row["truth"])).sum() for row in said_to_be)


def test_the_page_says_what_the_run_found(tmp_path: Path) -> None:
    recipe = replace(
        SMALL, loss="cross_entropy", miner="none", data=DataSpec(name="digits", image_size=8, split="sample")
    )
    last = done(replace(recipe, max_steps=20), tmp_path, pictures=True)
    page = (last.folder.path / "page.html").read_text()
    for split in ("val", "test"):
        for key in ("retrieval/map@r", "verification/auc", "classification/top@1"):
            assert f"{last.report[split][key]['value']:.4f}" in page
    row = last.folder.read_json("run.json")["confused"]["test"][0]
    line = f'<td>{row["truth"]}</td><td>{row["taken_for"]}</td><td class="number">{row["n"]} of {row["of"]}</td>'
    assert line in page and "data:image/" in page and "figures/" not in page
    assert last.folder.read_json("run.json")["command"] in page and "Data: digits" in page
    names = {path.name for path in (last.folder.path / "figures").iterdir()}
    assert names == {"curves.png", "scores.png", "neighbours.png"}


@pytest.mark.parametrize(
    ("loss", "split"), [("triplet", "sample"), ("cross_entropy", "class")], ids=["no classifier", "unseen classes"]
)
def test_without_known_classes_or_a_classifier_nothing_is_classified(tmp_path: Path, loss: str, split: str) -> None:
    data = DataSpec(name="digits", image_size=8, split=split)  # type: ignore[arg-type]
    last = done(replace(SMALL, loss=loss, miner="none", data=data, max_steps=2), tmp_path)
    assert not any(key.startswith("classification/") for figures in last.report.values() for key in figures)
    _, state = last.folder.read_tensors("embeddings.safetensors")
    assert state == {"closed_set": split == "sample"}
    assert (last.folder.path / "objective.safetensors").exists() == (loss == "cross_entropy")


def test_the_threshold_of_validation_is_applied_to_test(small: Done) -> None:
    last = small
    chosen = last.report["val"]["verification/balanced_accuracy"]["threshold"]
    assert "verification/balanced_accuracy@validation" not in last.report["val"]
    entry = last.report["test"]["verification/balanced_accuracy@validation"]
    assert entry["threshold"] == chosen
    kept = load_file(last.folder.path / "embeddings.safetensors")
    x, y = kept["test/embeddings"].double().numpy(), kept["test/labels"].numpy()
    left, right = np.triu_indices(len(x), 1)
    accepted = np.einsum("ij,ij->i", x[left], x[right]) >= chosen
    same = y[left] == y[right]
    # A few pairs lie so near the threshold that rounding to float32 decides.
    assert entry["value"] == pytest.approx((accepted[same].mean() + (~accepted[~same]).mean()) / 2, abs=2e-4)
    assert entry["value"] <= last.report["test"]["verification/balanced_accuracy"]["value"]


def test_every_figure_has_an_interval_that_json_can_hold(tmp_path: Path) -> None:
    one = replace(SMALL, data=DataSpec(name="digits", validation=0.05, test=0.05), max_steps=2)  # a single test class
    for recipe in (SMALL, one):
        last = done(recipe, tmp_path / str(recipe.max_steps))
        for split in json.loads((last.folder.path / "report.json").read_text()).values():
            for key, entry in split.items():
                assert entry["low"] <= entry["value"] <= entry["high"], key


def test_pairs_that_a_list_names_are_kept_with_their_folds(tmp_path: Path) -> None:
    root, rng = tmp_path / "lfw", np.random.default_rng(0)
    people = [f"Person_{letter}" for letter in "ABCDEFGHIJKLMNOP"]
    for name in people:
        (root / name).mkdir(parents=True)
        base = rng.integers(0, 256, (16, 16, 3))
        for number in (1, 2, 3, 4):
            noisy = np.clip(base + rng.normal(0, 30, base.shape), 0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(root / name / f"{name}_{number:04d}.jpg")
    lines = ["2\t2"]
    for a, b in (("A", "B"), ("C", "D")):
        one, two = f"Person_{a}", f"Person_{b}"
        lines += [f"{one}\t1\t2", f"{two}\t1\t3", f"{one}\t1\t{two}\t1", f"{one}\t2\t{two}\t4"]
    (root / "pairs.txt").write_text("\n".join(lines) + "\n")
    data = LfwSpec(name="lfw", root=str(root), view="view2", image_size=16)
    last = done(replace(SMALL, data=data, batch=BatchSpec(size=8), max_steps=2), tmp_path / "runs")
    kept = load_file(last.folder.path / "embeddings.safetensors")
    table = kept["test/pairs"].numpy()
    assert table.dtype == np.int64 and table[:, 3].tolist() == [1] * 4 + [2] * 4
    assert table[:, 2].tolist() == [1, 1, 0, 0, 1, 1, 0, 0]
    labels = kept["test/labels"].numpy()
    assert ((labels[table[:, 0]] == labels[table[:, 1]]) == table[:, 2]).all()
    folded = last.report["test"]["verification/accuracy@2-fold"]
    assert folded["n"] == last.report["test"]["verification/auc"]["n"] == 8
    x = kept["test/embeddings"].numpy()
    scores = np.einsum("ij,ij->i", x[table[:, 0]], x[table[:, 1]])
    again = cross_validated(cross_validate(scores, table[:, 2] > 0, table[:, 3]))["verification/accuracy@2-fold"]
    assert folded["value"] == pytest.approx(again["value"])


@pytest.mark.parametrize(
    ("loss", "split", "sentence"),
    [
        ("triplet", "sample", "no term of 'triplet_margin' classifies"),
        ("cross_entropy", "class", "the classes of validation are not trained on"),
    ],
)
def test_a_monitor_that_can_never_be_counted_is_refused(tmp_path: Path, loss: str, split: str, sentence: str) -> None:
    data = DataSpec(name="digits", image_size=8, split=split)  # type: ignore[arg-type]
    recipe = replace(SMALL, loss=loss, miner="none", data=data, evaluate=EvaluateSpec(monitor="classification/top@1"))
    with pytest.raises(SandboxError, match=sentence):
        done(recipe, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_run_that_had_stopped_early_takes_no_step_more_when_it_goes_on(tmp_path: Path) -> None:
    still = replace(SMALL, optimizer=OptimizerSpec(lr=1e-12, weight_decay=0.0), max_steps=40)
    still = replace(still, evaluate=EvaluateSpec(every=2, patience=2))
    whole = done(still, tmp_path / "whole")
    events = experiment.run(still, out=tmp_path / "cut", command="a test", pictures=False)
    for event in events:
        if isinstance(event, Note) and event.text.startswith("stopped at step"):
            events.close()
    (cut,) = (tmp_path / "cut").iterdir()
    went_on = list(experiment.resume(cut, pictures=False))
    assert not any(isinstance(event, Progress) for event in went_on)
    assert isinstance(went_on[-1], Done) and went_on[-1].report == whole.report
    steps = [folder.read_json("run.json")["steps"] for folder in (went_on[-1].folder, whole.folder)]
    assert steps[0] == steps[1] < 40
