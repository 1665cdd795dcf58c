"""The reality check: one fold stops a run, the next one judges it, and repeats have folds of their own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest

from sandbox.data.catalog import load
from sandbox.errors import SandboxError
from sandbox.evaluation.report import Labelled, evaluate
from sandbox.recipe.specs import DataSpec, Recipe
from sandbox.reporting.tuning_text import to_markdown
from sandbox.runs.embeddings import read_embeddings
from sandbox.runs.folder import RunFolder
from sandbox.tuning.dashboard.notes import study_note, trial_note
from sandbox.tuning.plan.plan import Plan, check_plan
from sandbox.tuning.plan.protocol import laid_down, said_of
from sandbox.tuning.report import write_report
from sandbox.tuning.search.claims import Goal
from sandbox.tuning.search.events import Event, Retrained, Retraining
from sandbox.tuning.search.final import fresh_runs, results, retrain, split_of
from sandbox.tuning.search.final_folds import COMBINED, combine
from sandbox.tuning.search.workers import Job, studies_of, work
from sandbox.tuning.study.read import record_study
from sandbox.tuning.study.study import Study

from studies import plan
from trees import folders

LOSSES = ("triplet(margin=tune(0.05, 0.5))", "contrastive(neg_margin=tune())")
KEY = "retrieval/map@r"
FOLDS = [("p00", "p01"), ("p02", "p03"), ("p04", "p05")]
"""By hand: six people in order, three folds."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSpec:
    """Six people to be cut into three folds, and three others for test."""
    root = tmp_path_factory.mktemp("people")
    for part, people in (("train", range(4)), ("val", range(4, 6)), ("test", range(6, 9))):
        folders(root / part, people, 4)
    return DataSpec(name="folder", root=str(root), image_size=12)


def planned(data: DataSpec, loss: str = LOSSES[0], **options: Any) -> Plan:
    return plan(loss, steps=2, changes={"data": data}, **{"folds": 3, "protocol": "reality_check", **options})


Searched = tuple[list[tuple[Plan, Study]], list[Event]]


@pytest.fixture(scope="module")
def searched(data: DataSpec, tmp_path_factory: pytest.TempPathFactory) -> Searched:
    """Two objectives with a trial each, and one repeat."""
    out = tmp_path_factory.mktemp("studies")
    plans = tuple(planned(data, loss, baseline=False) for loss in LOSSES)
    job = Job(plans, tuple(out / name for name in "ab"), Goal(1), command="a test", pictures=False, final=1)
    studies = studies_of(job)
    return studies, list(work(job, studies))


def report_of(run: Path) -> dict[str, Any]:
    return dict(RunFolder(run).read_json("report.json"))


def test_each_class_trains_stops_and_judges_in_turn(data: DataSpec) -> None:
    of = planned(data)
    runs = of.recipes(of.space.fill({"triplet_margin.margin": 0.1}))
    assert [name for name, _ in runs] == ["-f1", "-f2", "-f3"] and of.runs == 3
    for k, (_, recipe) in enumerate(runs):
        splits = load(recipe.data)
        assert splits.val.classes == FOLDS[k] and splits.test.classes == FOLDS[(k + 1) % 3]
        assert splits.train.classes == FOLDS[(k + 2) % 3]


def test_a_trial_is_worth_the_mean_of_the_folds_that_judge(searched: Searched) -> None:
    for _, study in searched[0]:
        record = record_study(study)
        (trial,) = record.trials
        reports = [report_of(study.folder / "runs" / name) for name in trial.runs]
        assert len(reports) == 3
        assert trial.values == (pytest.approx(fmean(one["test"][KEY]["value"] for one in reports), abs=1e-12),)
        assert trial.figures[KEY] == trial.values[0]
        assert list(trial.curve.values())[-1] == pytest.approx(fmean(one["val"][KEY]["value"] for one in reports))
        assert record.judge == "judging folds" and record.protocol["protocol"] == "reality_check"
        assert trial.values[0] != list(trial.curve.values())[-1]


def test_true_test_is_left_alone_while_tuning(searched: Searched) -> None:
    for _, study in searched[0]:
        for run in map(RunFolder, study.folder.glob("runs/*")):
            assert run.read_json("run.json")["data"]["test"] == {"images": 8, "classes": 2}
            assert len(read_embeddings(run).take("test").x) == 8
            splits = load(run.recipe().data)
            assert not any("test/" in path for part in splits.image_sets().values() for path in part.paths)
            assert run.read_json("run.json")["split"] == splits.digest


def test_a_repeat_trains_a_model_for_each_fold_and_tests_all_on_the_same_images(searched: Searched) -> None:
    studies, events = searched
    again = [(e.study, e.kind, e.seed) for e in events if isinstance(e, Retrained)]
    assert again == [("a", "default", 1), ("a", "tuned", 1), ("b", "default", 1), ("b", "tuned", 1)]
    for fresh in fresh_runs(studies, 1):
        assert [run.path.name for run in fresh.runs] == ["run-f1", "run-f2", "run-f3"]
        folds = [load(run.recipe().data) for run in fresh.runs]
        assert sorted(name for one in folds for name in one.val.classes) == [f"p{n:02d}" for n in range(6)]
        for run, one in zip(fresh.runs, folds, strict=True):
            assert one.test.classes == ("p06", "p07", "p08") and len(one.train.classes) == 4
            assert run.read_json("run.json")["split"] == one.digest
            assert run.recipe().data.fold_seed == 1 and not run.recipe().data.test_fold


def test_the_figures_of_several_models(searched: Searched) -> None:
    fresh = fresh_runs(searched[0], 1)[1]
    reports = [report_of(run.path)["test"] for run in fresh.runs]
    assert fresh.figures[f"separated/{KEY}"] == pytest.approx(fmean(one[KEY]["value"] for one in reports), abs=1e-12)
    kept = [read_embeddings(run).take("test") for run in fresh.runs]
    x = np.hstack([one.x for one in kept]) / np.sqrt(3)
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), 1, rtol=1e-5)
    assert fresh.figures[f"concatenated/{KEY}"] == pytest.approx(_map_at_r(x, kept[0].labels), abs=1e-6)
    auc = evaluate(Labelled(x, kept[0].labels)).figures["verification/auc"]["value"]
    assert fresh.figures["concatenated/verification/auc"] == pytest.approx(auc, abs=1e-6)


def _map_at_r(x: np.ndarray, y: np.ndarray) -> float:
    """Naively, query by query."""
    found = []
    for query in range(len(x)):
        others = [row for row in range(len(x)) if row != query]
        ranked = sorted(others, key=lambda row: -float(x[query] @ x[row]))
        r = sum(y[row] == y[query] for row in others)
        hits = [y[row] == y[query] for row in ranked[:r]]
        found.append(sum(sum(hits[: i + 1]) / (i + 1) for i in range(r) if hits[i]) / r)
    return fmean(found)


def test_repeats_share_seed_and_folds_and_tuning_had_others(searched: Searched) -> None:
    runs = fresh_runs(searched[0], 3)
    seen = [(one.seed, one.recipe.data.fold_seed) for one in runs]
    assert seen == [(1, 1)] * 4 + [(2, 2)] * 4 + [(3, 3)] * 4
    assert all(
        run.recipe().data.fold_seed == 0 for _, s in searched[0] for run in map(RunFolder, s.folder.glob("runs/*"))
    )
    assert len({one.folder for one in runs}) == 12


def test_the_table_says_the_protocol(searched: Searched) -> None:
    studies, _ = searched
    of, tuned = studies[0][0], results(studies, 1)
    assert tuned[0].metrics[:2] == (f"separated/{KEY}", f"concatenated/{KEY}")
    notes = said_of(of.recipe, 3, 1, 1)
    text = to_markdown(tuned, monitor=KEY, split=split_of(studies, 1), notes=notes, judge=of.judge)
    for said in (
        "MAP@R, judging folds, best of 1 trials: no result",
        "| MAP@R, separated |",
        "| MAP@R, concatenated |",
        "3 folds of 24 images of 6 classes, test 12 images of 3 classes, 2 steps of 16 images",
        "cut into 3 folds",
        "seen by neither training nor stopping",
        "embeddings of 16 numbers, batches of 4 classes x 4 images (where",
        "conv4 from random weights (the paper's are pretrained)",
        "(fold_seed 1), alike for all rows, and trains 3 models",
        "separated: the mean of their figures; concatenated: ",
    ):
        assert " ".join(said.split()) in " ".join(text.split()), said
    assert "of validation" not in text


def test_notes_and_pages_say_what_figures_are_of(searched: Searched, tmp_path: Path) -> None:
    (_, study), *_ = searched[0]
    record = record_study(study)
    (trial,) = record.trials
    note = trial_note(trial, record.monitors, [RunFolder(study.folder / "runs" / n) for n in trial.runs], record.judge)
    assert "**Judging folds**" in note and f"{trial.values[0]:.4f}" in note and "**Validation**" not in note
    assert "on judging folds" in study_note(record) and "neither training nor stopping" in study_note(record)
    page = next(path for path in write_report(record, tmp_path) if path.suffix == ".md").read_text()
    assert f"judging folds {KEY}" in page and "test images were not looked at" in page


def test_a_repeat_goes_on_where_it_was_cut_off(searched: Searched) -> None:
    studies = searched[0][:1]
    events = retrain(studies, 2)
    first = next(e for e in events if isinstance(e, Retraining) and e.done > e.steps / 3)
    events.close()
    cut = next(one for one in fresh_runs(studies, 2) if one.seed == 2)
    assert (first.kind, first.seed, first.steps) == ("default", 2, 6) and not cut.over
    assert [run.path.is_dir() and run.status().partition(" ")[0] for run in cut.runs] == ["done", "interrupted", False]
    kept = (cut.runs[0].path / "report.json").stat().st_mtime_ns
    done = next(event for event in retrain(studies, 2) if isinstance(event, Retrained))
    assert (done.kind, done.seed, done.figure) == ("default", 2, cut.figures[f"separated/{KEY}"])
    assert cut.over and (cut.runs[0].path / "report.json").stat().st_mtime_ns == kept
    assert not (cut.folder / "failed.json").exists() and (cut.folder / COMBINED).is_file()
    assert sorted(path.name for path in cut.folder.glob("run*")) == ["run-f1", "run-f2", "run-f3"]


def test_a_fold_that_comes_to_nothing_is_a_hole_in_the_table(searched: Searched) -> None:
    studies = searched[0][:1]
    for one in fresh_runs(studies, 4)[-2:]:
        one.folder.mkdir(parents=True)
        (one.folder / "failed.json").write_text('{"why": "diverged"}')
        assert one.over and one.figures == {}
    runs = {(one.seed, one.kind): one for one in fresh_runs(studies, 4)}
    assert runs[4, "tuned"].figures == {} and runs[1, "tuned"].figures
    tuned = results(studies, 4)[0]
    assert "triplet_margin tuned seed 4" in tuned.lost() and "triplet_margin tuned seed 1" not in tuned.lost()


def test_models_that_saw_other_test_images_are_not_put_together(searched: Searched, tmp_path: Path) -> None:
    fresh = fresh_runs(searched[0], 1)[0]
    facts = fresh.runs[2].path / "run.json"
    before = facts.read_text()
    facts.write_text(json.dumps({**json.loads(before), "test_images": "0" * 12}))
    try:
        with pytest.raises(SandboxError, match=r"the 3 models of .* were not tested on the same images"):
            combine(tmp_path, fresh.runs)
    finally:
        facts.write_text(before)
    assert not (tmp_path / COMBINED).exists()


def test_a_protocol_is_part_of_what_a_study_is(data: DataSpec) -> None:
    under, plain = planned(data), planned(data, protocol="")
    assert under.name != plain.name and under.identity != plain.identity
    assert "protocol" not in plain.facts("") and plain.recipes(plain.recipe)[0][1].data.test_fold == ""


def test_what_a_person_said_goes_over_what_a_protocol_sets() -> None:
    recipe, options, told = laid_down("reality_check", Recipe(), {"trials", "batch.size"})
    assert options == {"folds": 4, "final": 10} and recipe.batch.size == 128 and recipe.batch.samples == 4
    assert recipe.backbone.embedding_dim == 128 and recipe.data.test == 0.5
    assert told.startswith("protocol reality_check sets folds 4, final 10, backbone.embedding_dim 128, batch.samples 4")
    own = replace(Recipe(), data=DataSpec(test=0.3))
    assert laid_down("reality_check", own, ())[0].data.test == 0.3


@pytest.mark.parametrize(
    ("options", "changes", "said"),
    [
        ({"protocol": "realitycheck"}, {}, "did you mean 'reality_check'"),
        ({"folds": 2}, {}, "--folds is 2, but --protocol reality_check trains, stops and judges on folds of their own"),
        ({"folds": 0}, {}, "3 at least"),
        ({}, {"val_fold": "1/3"}, "data.val_fold is '1/3', but --protocol reality_check validates on each fold"),
        ({"protocol": ""}, {"val_fold": "1/3", "test_fold": "2/3"}, "a search that has folds takes them in turn"),
    ],
)
def test_a_protocol_that_cannot_be_kept_to_is_refused(
    data: DataSpec, options: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(SandboxError) as refused:
        check_plan(planned(replace(data, **changes), **options))
    assert said in str(refused.value) and "\n" not in str(refused.value)
