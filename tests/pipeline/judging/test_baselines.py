"""The network at step 0 and raw pixels beside the report of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_runs import SMALL, trained

from sandbox.evaluation.report import Labelled, Options, evaluate
from sandbox.pipeline import run as experiment
from sandbox.pipeline.events import Done, Note
from sandbox.pipeline.judging.baselines import first_weights, score_baselines, worse_than_pixels
from sandbox.pipeline.prepare import prepare
from sandbox.recipe.specs import BackboneSpec, EvaluateSpec
from sandbox.reporting.records.run import RAW_PIXELS, UNTRAINED

BY_CLASS = replace(SMALL, miner="hard", evaluate=EvaluateSpec(every=3), max_steps=3)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, list[str]]:
    """A run on digits split by class, and its notes."""
    return trained(BY_CLASS, tmp_path_factory.mktemp("run"))


def test_the_untrained_network_is_one_that_is_freshly_built(run: tuple[Done, list[str]]) -> None:
    found = run[0].folder.read_json("baselines.json")[UNTRAINED]
    assert found.keys() == run[0].report.keys()
    fresh = prepare(BY_CLASS)
    chosen: dict[str, float] = {}
    for name, images in (("val", fresh.splits.val), ("test", fresh.splits.test)):
        pixels = torch.from_numpy(np.ascontiguousarray(images.pixels)).permute(0, 3, 1, 2)
        with torch.no_grad():
            x = torch.nn.functional.normalize(fresh.network.eval()(pixels)).numpy()
        options = Options(far=BY_CLASS.evaluate.far, **chosen)
        expected = evaluate(Labelled(x, images.labels), options).figures
        chosen = {"balanced_threshold": found["val"]["verification/balanced_accuracy"]["threshold"]}
        assert found[name].keys() == expected.keys() == run[0].report[name].keys()
        for key, entry in found[name].items():
            assert entry["value"] == pytest.approx(expected[key]["value"], abs=2e-3), key  # batches round otherwise
            assert entry.keys() == expected[key].keys() == run[0].report[name][key].keys()
        trained = run[0].report[name]["retrieval/map@r"]["value"]
        assert abs(found[name]["retrieval/map@r"]["value"] - trained) > 1e-3  # weights that did learn are others


def test_a_run_below_raw_pixels_says_so(run: tuple[Done, list[str]]) -> None:
    last, notes = run
    here = last.report["test"]["retrieval/map@r"]["value"]
    there = last.folder.read_json("baselines.json")[RAW_PIXELS]["test"]["retrieval/map@r"]["value"]
    assert here < there
    (sentence,) = [text for text in notes if "raw pixels" in text]
    assert sentence.startswith(f"MAP@R {here:.4f} on test is below raw pixels' {there:.4f}: the images themselves")
    facts = last.folder.read_json("run.json")
    assert facts["notes"].count(sentence) == 1
    assert (
        facts["judged_on"].startswith("validation: ") and "3 classes not trained on, scored once" in facts["judged_on"]
    )


def test_validation_of_two_classes_is_said_to_be_few(run: tuple[Done, list[str]]) -> None:
    (sentence,) = [text for text in run[1] if "fewer than 10" in text]
    assert (
        sentence.startswith("validation holds 2 classes, ") and sentence in run[0].folder.read_json("run.json")["notes"]
    )
    assert run[0].report["val"]["retrieval/map@r"]["identities"] == 2


def test_a_study_s_run_has_them_on_validation_alone(tmp_path: Path) -> None:
    *events, last = experiment.run(BY_CLASS, out=tmp_path, command="a test", pictures=False, test=False)
    assert isinstance(last, Done)
    found = last.folder.read_json("baselines.json")
    assert {name: list(part) for name, part in found.items()} == {RAW_PIXELS: ["val"], UNTRAINED: ["val"]}
    assert any(isinstance(e, Note) and " on validation is below raw pixels' " in e.text for e in events)
    assert last.folder.read_json("run.json")["judged_on"].endswith("test: not looked at")


def test_weights_that_never_learn_are_not_copied() -> None:
    recipe = replace(BY_CLASS, loss="contrastive", miner="none")
    whole = prepare(recipe).network
    frozen = prepare(replace(recipe, backbone=BackboneSpec(name="conv4", embedding_dim=16, freeze=True))).network
    names = {name for name, weight in whole.named_parameters()}
    assert names <= first_weights(whole).keys() == whole.state_dict().keys()
    assert {name for name in first_weights(frozen) if name in names} == {"head.weight", "head.bias"}


def test_a_baseline_that_cannot_be_scored_is_told_and_leaves_the_other() -> None:
    prepared = prepare(BY_CLASS)
    broken = {name: tensor * float("nan") for name, tensor in first_weights(prepared.network).items()}
    found, notes = score_baselines(prepared, broken, ("val",))
    assert found.keys() == {RAW_PIXELS}
    (note,) = notes
    assert note.startswith("the network at step 0 was not scored as a baseline: ") and "not finite" in note


def entry(**values: float) -> dict[str, dict[str, float | int]]:
    keys = {"map": "retrieval/map@r", "eer": "verification/eer"}
    return {keys[name]: {"value": value, "n": 9} for name, value in values.items()}


@pytest.mark.parametrize(
    ("own", "raw", "monitor", "said"),
    [
        ({"test": entry(map=0.504)}, {"test": entry(map=0.719)}, "retrieval/map@r", "MAP@R 0.5040 on test is below"),
        ({"val": entry(map=0.504)}, {"val": entry(map=0.719)}, "retrieval/map@r", "MAP@R 0.5040 on validation is"),
        ({"test": entry(map=0.9)}, {"test": entry(map=0.719)}, "retrieval/map@r", ""),
        ({"test": entry(map=0.9)}, {"test": entry(map=0.9)}, "retrieval/map@r", ""),
        (
            {"test": entry(map=0.9, eer=0.2)},
            {"test": entry(map=0.7, eer=0.1)},
            "verification/eer",
            "EER 0.2000 on test",
        ),
        ({"test": entry(map=0.9, eer=0.1)}, {"test": entry(map=0.7, eer=0.2)}, "verification/eer", ""),
        ({"test": entry(map=0.9)}, {"test": entry(map=0.7)}, "classification/top@1", ""),
        ({"test": entry(map=0.1)}, {}, "retrieval/map@r", ""),
        ({"val": entry(map=0.1), "test": entry(map=0.9)}, {"val": entry(map=0.7), "test": entry(map=0.7)}, "x", ""),
    ],
)
def test_what_is_worse_is_said_of_the_last_split(own, raw, monitor: str, said: str) -> None:  # type: ignore[no-untyped-def]
    sentence = worse_than_pixels(own, {RAW_PIXELS: raw, UNTRAINED: own}, monitor)
    assert sentence.startswith(said) and bool(sentence) == bool(said)
    assert "EER" not in sentence or "is above raw pixels' 0.1000" in sentence
