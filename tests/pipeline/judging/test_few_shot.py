"""Few-shot episodes of a run: what stops it before it trains, what is noted, what chooses its weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_runs import SMALL, trained

from sandbox.data.images.image_set import ImageSet, image_set
from sandbox.data.splits.splits import Splits, given
from sandbox.errors import SandboxError
from sandbox.evaluation.fewshot.episodes import few_shot
from sandbox.pipeline.events import Done
from sandbox.pipeline.judging.few_shot import asked, check_episodes
from sandbox.pipeline.prepare import check
from sandbox.recipe.specs import EvaluateSpec
from sandbox.reporting.records.run import RAW_PIXELS, UNTRAINED
from sandbox.runs.embeddings import read_embeddings
from sandbox.scoring.from_run import of_run
from sandbox.scoring.inputs import Options
from sandbox.scoring.score import score

TWO, THREE = "fewshot/accuracy@2-way-1-shot", "fewshot/accuracy@3-way-5-shot"
SPEC = EvaluateSpec(every=2, monitor=TWO, episodes="3w5s, 2w1s", episode_count=50, episode_queries=5)
BY_CLASS = replace(SMALL, evaluate=SPEC, max_steps=4)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, list[str]]:
    """A run on digits split by class, two of which are validation, and its notes."""
    return trained(BY_CLASS, tmp_path_factory.mktemp("run"))


def part(name: str, sizes: dict[str, int]) -> ImageSet:
    """Blank images of classes, so many of each."""
    names = [of for of, size in sizes.items() for _ in range(size)]
    paths = [f"{name}/{of}/{place}" for place, of in enumerate(names)]
    return image_set(np.zeros((len(names), 8, 8, 1), np.uint8), names, paths)


def splits(val: dict[str, int], test: dict[str, int]) -> Splits:
    return given(part("train", {"a": 6, "b": 6, "c": 6}), part("val", val), part("test", test))


VAL, TEST = {"d": 6, "e": 6}, {"f": 6, "g": 6, "h": 6, "i": 2}


def test_the_figures_are_those_of_the_embeddings_that_the_run_keeps(run: tuple[Done, list[str]]) -> None:
    kept, report = read_embeddings(run[0].folder), run[0].report
    for name, keys in (("val", {TWO}), ("test", {TWO, THREE})):
        own = kept.take(name)
        expected = few_shot(own.x, own.labels, asked(SPEC, own.labels))
        assert {key: entry for key, entry in report[name].items() if key.startswith("fewshot")} == expected
        assert expected.keys() == keys and all(entry["n"] == 50 for entry in expected.values())
    baselines = run[0].folder.read_json("baselines.json")
    assert all(baselines[which]["test"].keys() >= {TWO, THREE} for which in (RAW_PIXELS, UNTRAINED))
    assert baselines[RAW_PIXELS]["test"][TWO]["value"] > 0.7


def test_the_monitor_sees_the_episodes_of_the_report(run: tuple[Done, list[str]]) -> None:
    log = {row["step"]: row["val"][TWO] for row in run[0].folder.read_log() if "val" in row}
    best = run[0].folder.read_json("run.json")["best"]
    assert best["monitor"] == TWO and best["value"] == max(log.values()) == log[best["step"]]
    assert run[0].report["val"][TWO]["value"] == best["value"]


def test_a_run_notes_what_validation_is_too_small_for(run: tuple[Done, list[str]]) -> None:
    found = [note for note in run[1] if "3-way 5-shot" in note]
    assert found == [
        "validation has no accuracy of 3-way 5-shot episodes: 3-way 5-shot draws 3 classes of at least 10 images (5 "
        "known, 5 asked for) each, but 2 of 2 classes of validation have as many: ask for fewer ways or shots, or for "
        "fewer queries (evaluate.episode_queries)"
    ]
    assert run[0].folder.recipe().evaluate.episodes == "2-way 1-shot, 3-way 5-shot"


def test_evaluate_finds_the_same_figures_in_the_run(run: tuple[Done, list[str]]) -> None:
    scored = score(of_run(run[0].folder.path, "test"), Options(episodes=asked(SPEC)))
    for key in (TWO, THREE):
        assert scored.figures[key] == run[0].report["test"][key]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (replace(SPEC, episodes="4w1s"), "4-way 1-shot draws 4 classes of at least 6 images (1 known, 5 asked for) "
         "each, but 3 of 4 classes of test have as many"),
        (replace(SPEC, episodes="2w1s, 2w9s"), "2-way 9-shot draws 2 classes of at least 14 images (9 known, 5 asked "
         "for) each, but the largest of 4 classes of test has 6"),
        (replace(SPEC, monitor="fewshot/accuracy@3-way-1-shot", episodes="2w1s, 3w1s"), "3-way 1-shot draws 3 classes "
         "of at least 6 images (1 known, 5 asked for) each, but 2 of 2 classes of validation have as many"),
    ],
    ids=["ways", "shots", "the monitor"],
)  # fmt: skip
def test_episodes_that_the_images_do_not_allow_are_refused(spec: EvaluateSpec, said: str) -> None:
    with pytest.raises(SandboxError) as refused:
        check_episodes(spec, splits(VAL, TEST))
    assert str(refused.value).startswith(said) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (EvaluateSpec(monitor=TWO), "but evaluate.episodes asks for none: give it, as '5-way 1-shot'"),
        (
            EvaluateSpec(monitor=TWO, episodes="2w5s"),
            f"evaluate.monitor is {TWO}, but evaluate.episodes is '2-way 5-shot'; did you mean "
            "'fewshot/accuracy@2-way-5-shot'?",
        ),
    ],
    ids=["none", "another"],
)
def test_a_monitor_that_no_episode_gives_is_refused_before_any_data_is_read(spec: EvaluateSpec, said: str) -> None:
    with pytest.raises(SandboxError) as refused:
        check(replace(BY_CLASS, evaluate=spec))
    assert said in str(refused.value)


def test_classes_left_out_and_classes_trained_on_are_noted() -> None:
    spec = replace(SPEC, monitor="retrieval/map@r", episodes="2w1s")
    assert check_episodes(spec, splits(VAL, TEST)) == [
        "2-way 1-shot episodes leave out 1 of 4 classes of test, which has fewer than 6 images (1 known, 5 asked for): "
        "i"
    ]
    (closed,) = check_episodes(spec, splits({"a": 6, "d": 6}, {"a": 6, "b": 6, "f": 6}))
    assert closed == (
        "few-shot accuracy is of classes that are not trained on, but 1 of 2 classes of validation and 2 of 3 classes "
        "of test are trained on: there it is no figure for a few-shot table"
    )
    assert check_episodes(EvaluateSpec(), splits({"a": 6, "d": 6}, {"a": 6, "b": 6})) == []
