"""What comes after the embedding in a run, and figures that are asked for: what stops it, what is recorded."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from small_runs import SMALL, trained

from sandbox.data.images.image_set import image_set
from sandbox.data.splits.splits import Splits, given
from sandbox.errors import SandboxError
from sandbox.evaluation.after.chain import Fit, Given, after_figures
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.report import Labelled
from sandbox.pipeline import run as experiment
from sandbox.pipeline.events import Done
from sandbox.pipeline.judging.asked_for import check_asked
from sandbox.pipeline.judging.evaluate import options_of
from sandbox.pipeline.prepare import prepare
from sandbox.recipe.after import parse_steps
from sandbox.recipe.specs import EvaluateSpec
from sandbox.reporting.records.run import RAW_PIXELS
from sandbox.runs.embeddings import read_embeddings
from sandbox.scoring.from_run import of_run
from sandbox.scoring.inputs import Options
from sandbox.scoring.score import score

SPEC = EvaluateSpec(
    every=2, after="whiten( 6)+rerank(k1=8,k2=3)", figures="ndcg@5, mAP, pauc@0.1", monitor="retrieval/map"
)
RECIPE = replace(SMALL, evaluate=SPEC, max_steps=4)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, list[str]]:
    """A run on digits split by class, and its notes."""
    return trained(RECIPE, tmp_path_factory.mktemp("run"))


def test_the_figures_are_those_of_the_kept_embeddings_and_fitted_on_validation(run: tuple[Done, list[str]]) -> None:
    report, kept = run[0].report, read_embeddings(run[0].folder)
    val, test = kept.take("val"), kept.take("test")
    steps = parse_steps(SPEC.after)
    expected = after_figures(steps, Given(rows=Labelled(test.x, test.labels)), options_of("test", SPEC), Fit(val.x))
    got = {key: entry for key, entry in report["test"].items() if key.startswith("after/")}
    assert got == expected and got["after/retrieval/map@r"]["fitted_rows"] == len(val.labels)
    assert not [key for key in report["val"] if key.startswith("after/")]
    for split in ("val", "test"):
        assert {"retrieval/map", "retrieval/ndcg@5", "verification/pauc@far=1e-1"} <= report[split].keys()


def test_what_was_fitted_on_which_rows_is_recorded_and_said(run: tuple[Done, list[str]]) -> None:
    done, notes = run
    rows = len(read_embeddings(done.folder).take("val").labels)
    facts = done.folder.read_json("run.json")
    assert facts["after"]["steps"] == "whiten(6) + rerank(k1=8, k2=3)" == done.folder.recipe().evaluate.after
    assert facts["after"]["fitted"] == {"steps": ["whiten(6)"], "split": "val", "rows": rows, "classes": 2}
    (said,) = [note for note in notes if "fitted" in note]
    assert said == f"whiten(6) fitted on the {rows} embeddings of validation: figures after it are of test"
    assert said in facts["notes"] and facts["best"]["monitor"] == "retrieval/map"
    raw = done.folder.read_json("baselines.json")[RAW_PIXELS]["test"]
    assert "retrieval/map" in raw and not [key for key in raw if key.startswith("after/")]


def test_evaluate_gives_the_same_of_the_run_and_has_nothing_to_fit_on_for_validation(
    run: tuple[Done, list[str]],
) -> None:
    options = Options(after=parse_steps(SPEC.after), far=SPEC.far, extra=options_of("test", SPEC).extra)
    found = score(of_run(run[0].folder.path, "test"), options)
    for key, entry in run[0].report["test"].items():
        if key.startswith("after/"):
            assert found.figures[key] == entry, key
    assert "whiten(6) was fitted on" in next(one.text for one in found.findings if one.rule == "after-fitted")
    with pytest.raises(SandboxError, match=r"whiten\(6\) of --after fits on embeddings that are in no test, and there"):
        score(of_run(run[0].folder.path, "val"), options)


def test_what_only_orders_a_gallery_has_figures_on_validation_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    recipe = replace(RECIPE, evaluate=EvaluateSpec(every=4, after="aqe(k=3)"))
    *_, last = experiment.run(recipe, out=tmp_path_factory.mktemp("run"), command="a test", pictures=False)
    assert isinstance(last, Done) and "fitted" not in last.folder.read_json("run.json")["after"]
    for split in ("val", "test"):
        after = last.report[split]["after/retrieval/map@r"]
        assert (
            after["low"] <= after["value"] <= after["high"] and after["n"] == last.report[split]["retrieval/mrr"]["n"]
        )
        assert not [key for key in last.report[split] if key.startswith("after/verification")]


def blank(name: str, classes: str, images: int) -> object:
    names = [one for one in classes for _ in range(images)]
    return image_set(np.zeros((len(names), 8, 8, 1), np.uint8), names, [f"{name}/{at}" for at in range(len(names))])


def splits(pairs: Pairs | None = None) -> Splits:
    made = given(*(blank(name, classes, 5) for name, classes in (("train", "ab"), ("val", "cd"), ("test", "efg"))))  # type: ignore[arg-type]
    return replace(made, test_pairs=pairs)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"after": "whiten(17)"}, "whiten(17) keeps 17 dimensions, but the embeddings have 16 before it"),
        ({"after": "pca(10)"}, "pca(10) is fitted on validation, whose 10 rows allow 9 dimensions at most"),
        ({"after": "rerank(k1=15)"}, "k1 of rerank is 15, but a query is compared with 14 rows"),
        ({"after": "templates + aqe"}, "evaluate.after asks for templates, but the images of a run do not say"),
        ({"figures": "fold_tar@0.1"}, "evaluate.figures asks for fold_tar@0.1, which is of given pairs in folds; test"),
    ],
)
def test_what_the_images_do_not_allow_is_refused_before_anything_trains(asked: dict[str, str], said: str) -> None:
    check_asked(EvaluateSpec(after="whiten(9) + rerank(k1=14)"), splits(), columns=16)
    with pytest.raises(SandboxError, match=re.escape(said)):
        check_asked(EvaluateSpec(**asked), splits(), columns=16)  # type: ignore[arg-type]


def test_folds_need_pairs_of_both_kinds_each() -> None:
    spec = EvaluateSpec(figures="fold_tar@0.1")
    same, fold = np.array([True, False, True, False]), np.array([1, 1, 2, 2])
    check_asked(spec, splits(Pairs(np.arange(4), np.arange(4) + 4, same, fold)), columns=16)
    with pytest.raises(SandboxError, match="fold 1 holds no impostor pair"):
        check_asked(spec, splits(Pairs(np.arange(4), np.arange(4) + 4, same, fold[[0, 2, 0, 2]])), columns=16)


def test_a_run_that_asks_for_too_much_never_begins() -> None:
    with pytest.raises(SandboxError, match=r"whiten\(17\) keeps 17 dimensions, but the embeddings have 16"):
        prepare(replace(RECIPE, evaluate=EvaluateSpec(after="whiten(17)")))
    with pytest.raises(SandboxError, match="retrieval/map' is no report key; did you mean 'retrieval/map@r'"):
        prepare(replace(RECIPE, evaluate=EvaluateSpec(monitor="retrieval/map")))
