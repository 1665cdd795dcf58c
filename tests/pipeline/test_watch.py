"""What is said when all images come to have one embedding."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.objectives.resolve import resolve
from sandbox.pipeline import run as experiment
from sandbox.pipeline.events import Note, Progress
from sandbox.pipeline.watch import Watch, miners_of
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, EvaluateSpec, OptimizerSpec, Recipe
from sandbox.runs.folder import RunFolder
from sandbox.training.health import Health
from sandbox.training.loop import Step


def step(done: int, loss: float, *, active: float | None = 0.5, gradient: float = 0.3, cosine: float = 0.999) -> Step:
    return Step(done, loss, {}, 1e-3, Health(active, 1.5, cosine, gradient))


def said(steps: list[Step], total: int = 100, miners: tuple[str, ...] = ("batch_hard",)) -> list[str]:
    watch = Watch("retrieval/map@r", 0, miners=miners)
    return [sentence for each in steps if (sentence := watch.collapse(each, total))]


@pytest.mark.parametrize(
    ("changes", "cause", "not_cause"),
    [
        ({"active": 0.0}, "no tuple has a loss above zero any more (loss 0): a larger margin or another miner", "lr"),
        ({"active": None, "gradient": 0.0}, "a larger margin or another miner is wanted", "--optimizer"),
    ],
)
def test_a_loss_of_nothing_is_a_matter_of_margin_or_miner(
    changes: dict[str, float | None], cause: str, not_cause: str
) -> None:
    (sentence,) = said([step(done, 0.0, **changes) for done in range(30, 90, 10)])  # type: ignore[arg-type]
    assert sentence.startswith("at step 50 all images have nearly one embedding (mean cosine 0.999); ")
    assert cause in sentence and not_cause not in sentence


def test_a_frozen_network_is_not_told_of_its_margin() -> None:
    (sentence,) = said([step(done, 3.72, active=1.0, gradient=0.0) for done in range(30, 90, 10)])
    assert "no gradient reaches the network: a frozen one stays so" in sentence


def test_a_loss_that_jumps_is_a_matter_of_the_learning_rate() -> None:
    (sentence,) = said([step(done, loss) for done, loss in ((10, 0.2), (30, 2.5), (40, 0.3), (50, 0.9), (60, 0.2))])
    assert "the loss jumps (0.2 to 2.5): a lower --optimizer.lr" in sentence


def test_a_loss_that_stands_at_its_margin_is_a_matter_of_hard_mining() -> None:
    (sentence,) = said([step(done, 0.05) for done in range(30, 90, 10)])
    assert "--miner semihard or none, or --backbone.head" in sentence and "lr" not in sentence
    semihard = "triplet_margin(type_of_triplets='semihard')"
    (sentence,) = said([step(done, 0.05) for done in range(30, 90, 10)], miners=("batch_hard", semihard))
    assert "--miner none, or --backbone.head" in sentence  # the one that is in use is no way out


def test_no_miner_is_spoken_of_where_none_is_in_use() -> None:
    (sentence,) = said([step(done, 0.05) for done in range(30, 90, 10)], miners=())
    assert sentence.endswith("the loss stands still: --backbone.head linear_bn may help") and "miner" not in sentence


@pytest.mark.parametrize(
    ("loss", "miner", "found"),
    [
        ("triplet", "hard", ("batch_hard",)),
        ("triplet", "none", ()),
        ("arcface + 0.5*triplet(miner=semihard)", "none", ("triplet_margin(type_of_triplets='semihard')",)),
    ],
)
def test_the_miners_of_an_objective_are_found_in_its_terms(loss: str, miner: str, found: tuple[str, ...]) -> None:
    assert miners_of(resolve(loss, miner)) == found


def test_it_is_said_once_by_a_run_that_goes_on_as_well() -> None:
    steps = [step(done, 0.05 + done / 1000) for done in range(10, 90, 10)]
    whole = Watch("retrieval/map@r", 0)
    expected = [(each.done, sentence) for each in steps if (sentence := whole.collapse(each, 100))]
    assert len(expected) == 1
    for cut in range(1, len(steps)):
        again = Watch("retrieval/map@r", 0)
        rows = [{"step": s.done, "loss": s.loss, **vars(s.health)} for s in steps[:cut]]
        again.remember([*rows, {"step": steps[cut - 1].done, "val": {}}], 100)
        rest = [(each.done, sentence) for each in steps[cut:] if (sentence := again.collapse(each, 100))]
        assert rest == [(done, sentence) for done, sentence in expected if done > steps[cut - 1].done]


def test_nothing_is_said_early_on_nor_of_embeddings_that_differ() -> None:
    assert not said([step(done, 0.05) for done in range(5, 25, 5)])
    assert not said([step(done, 0.05, cosine=0.5) for done in range(30, 90, 10)])


COLLAPSES = Recipe(
    miner="hard",
    data=DataSpec(name="digits", image_size=8, split="class"),
    backbone=BackboneSpec(name="conv4", embedding_dim=16),
    batch=BatchSpec(classes=5, samples=12),
    optimizer=OptimizerSpec(lr=0.06),
    evaluate=EvaluateSpec(every=12),
    max_steps=12,
    precision="float32",
    threads=1,
)


def test_what_was_noticed_stands_in_run_json_also_of_a_run_that_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "whole"
    events = list(experiment.run(COLLAPSES, out=out, command="a test", pictures=False))
    (whole,) = map(RunFolder, out.iterdir())
    noticed = whole.read_json("run.json")["health"]
    assert len(noticed) == 1 and noticed[0] in [event.text for event in events if isinstance(event, Note)]
    first = int(noticed[0].split()[2])
    for every in (first - 1, first):  # the last checkpoint is before it was said, or after
        out = tmp_path / str(every)
        cut = experiment.run(COLLAPSES, out=out, command="a test", pictures=False, save_every=every)
        for event in cut:
            if isinstance(event, Progress) and event.done == first + 1:
                cut.close()
        (folder,) = map(RunFolder, out.iterdir())
        assert folder.read_json("run.json")["health"] == noticed
        said = [event.text for event in experiment.resume(folder.path, pictures=False) if isinstance(event, Note)]
        assert (noticed[0] in said) == (every < first)
        assert folder.read_json("run.json")["health"] == noticed


def test_a_healthy_run_has_no_such_entry(tmp_path: Path) -> None:
    sound = replace(COLLAPSES, loss="cross_entropy", miner="none", optimizer=OptimizerSpec(), max_steps=2)
    *_, last = experiment.run(replace(sound, evaluate=EvaluateSpec(every=2)), out=tmp_path, command="", pictures=False)
    assert "health" not in last.folder.read_json("run.json")  # type: ignore[union-attr]
