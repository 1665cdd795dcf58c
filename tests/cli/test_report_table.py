"""The first table of a run."""

from __future__ import annotations

import pytest

from sandbox.cli.report_table import Shown, first_rows, print_report
from sandbox.evaluation.figures import Figures

JUDGED = "validation: 362 images of 2 classes not trained on, chose the checkpoint; test: 539 images, scored once"


def figures(shift: float = 0.0, **more: float) -> Figures:
    keys = ["retrieval/recall@1", "retrieval/recall@5", "retrieval/recall@10", "retrieval/precision@1"]
    keys += ["retrieval/r_precision", "retrieval/map@r", "retrieval/mrr", "verification/auc", "verification/eer"]
    keys += ["verification/balanced_accuracy", "verification/d_prime"]
    found: Figures = {
        key: {"value": 0.5 + place / 100 + shift, "low": 0.1, "high": 0.98765, "n": 9} for place, key in enumerate(keys)
    }
    found["retrieval/unmatched"] = {"value": 0, "low": 0, "high": 0, "n": 9}
    for rate, supported in (("1e-1", True), ("1e-2", True), ("1e-3", False)):
        found[f"verification/tar@far={rate}"] = {"value": 0.3, "low": 0.1, "high": 0.4, "n": 9, "supported": supported}
    return found | {key.replace("__", "/"): {"value": value, "n": 9} for key, value in more.items()}


REPORT = {
    "val": figures(),
    "test": figures(0.1) | {"verification/balanced_accuracy@validation": {"value": 0.25, "n": 9}},
}


def test_each_figure_stands_once_by_its_printed_name() -> None:
    names = [row.name for row in first_rows(REPORT)]
    assert names == ["MAP@R", "R@1", "R@5", "AUC", "EER", "TAR@FAR=1e-2", "balanced accuracy"]
    several = figures() | {
        key: {"value": 0.5, "n": 9}
        for key in ("verification/accuracy", "verification/accuracy@10-fold", "classification/top@1", "homework/score")
    }
    rows = first_rows({"val": figures(), "test": several})
    assert len(rows) <= 10 and [row.name for row in rows][-3:] == [
        "verification accuracy@10-fold", "top-1", "homework mark",
    ]  # fmt: skip


def test_what_was_asked_for_stands_in_the_first_table_and_no_accuracy_after_a_step() -> None:
    asked = ["retrieval/map", "retrieval/precision@5", "verification/pauc@far=1e-2", "verification/fold_tar@far=1e-3"]
    asked += ["own/spread", "after/retrieval/map@r", "after/retrieval/map", "after/verification/auc"]
    hidden = {"after/verification/balanced_accuracy": {"value": 0.5, "n": 9}}
    rows = first_rows({"test": REPORT["test"] | {key: {"value": 0.5, "n": 9} for key in asked} | hidden})
    assert [row.name for row in rows] == [
        *(
            "MAP@R",
            "R@1",
            "R@5",
            "mAP",
            "P@5",
            "partial AUC@FAR=1e-2",
            "mean TAR over folds@FAR=1e-3",
            "own/spread",
            "AUC",
        ),
        *("EER", "TAR@FAR=1e-2", "balanced accuracy", "MAP@R, after", "mAP, after", "AUC, after"),
    ]


def test_without_recall_at_1_precision_stands_for_it_and_without_support_no_rate_is_shown() -> None:
    plain = figures()
    del plain["retrieval/recall@1"]
    for key in [key for key in plain if "tar@far" in key]:
        plain[key]["supported"] = False
    names = [row.name for row in first_rows({"val": plain})]
    assert names == ["MAP@R", "P@1", "R@5", "R@10", "AUC", "EER", "balanced accuracy"]


def test_the_accuracy_of_test_is_at_the_threshold_of_validation(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(Shown("triplet", REPORT))
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith(" balanced accuracy"))
    assert line.split()[2:] == ["0.5900", "0.2500"]


def test_baselines_and_what_the_splits_are_stand_in_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    both = {"raw pixels": {"val": figures(), "test": figures(0.2)}, "untrained": {"val": figures(), "test": figures()}}
    print_report(Shown("triplet", REPORT, both, JUDGED, ("at step 9 all are alike; lower it",)))
    out = capsys.readouterr().out.splitlines()
    assert out[1].split() == ["validation", "test", "95", "%", "interval", "raw", "pixels", "untrained"]
    row = next(line for line in out if line.startswith(" MAP@R"))
    assert row.split() == ["MAP@R", "0.5500", "0.6500", "0.1000", "to", "0.9877", "0.7500", "0.5500"]
    assert max(len(line.rstrip()) for line in out[:10]) <= 80 and len(out) <= 13
    assert out[-2] == f"{JUDGED}; raw pixels and untrained: on test"
    assert out[-1] == "health: at step 9 all are alike"
    print_report(Shown("triplet", {"val": figures()}, {"untrained": {"val": figures()}}, JUDGED, begins_trained=True))
    said = capsys.readouterr().out
    assert "step 0" in said and "untrained" not in said and "step 0: on validation" in said


def test_every_figure_is_shown_where_it_is_asked_for_and_none_twice(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(Shown("triplet", REPORT), every=True)
    out = capsys.readouterr().out
    for name in ("R-precision", "MRR", "d'", "TAR@FAR=1e-3", "queries without a match", "balanced accuracy@validation"):
        assert f" {name} " in out
    assert "unsupported" in out and "P@1" not in out and "retrieval/" not in out


def test_few_identities_stand_in_the_place_of_an_interval(capsys: pytest.CaptureFixture[str]) -> None:
    few = {key: entry | {"identities": 2} for key, entry in figures().items()}
    print_report(Shown("triplet", {"val": few}))
    out = capsys.readouterr().out
    assert "2 identities" in out and "0.9877" not in out
    assert "an interval by so few identities would say little, so it is not shown" in out


def test_every_figure_fits_80_columns_and_a_long_name_is_parted_where_one_reads_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = {split: {k: v for k, v in of.items() if v.get("supported") is not False} for split, of in REPORT.items()}
    both = {"raw pixels": {"test": report["test"]}, "untrained": {"test": report["test"]}}
    print_report(Shown("triplet", report, both), every=True)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    place = next(k for k, line in enumerate(lines) if line.startswith(" @validation"))
    assert lines[place - 1].startswith(" balanced accuracy ") and lines[place].split() == ["@validation"]
    assert lines[place - 1].split()[2:4] == ["0.2500", "0.2500"]  # test and raw pixels; validation has none


def test_episodes_that_were_asked_for_are_shown_with_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    drawn: Figures = {
        f"fewshot/accuracy@{task}": {"value": 0.75, "low": 0.7, "high": 0.8, "n": 1000, "queries": 15, "classes": 40}
        for task in ("5-way-1-shot", "20-way-5-shot")
    }
    names = [row.name for row in first_rows({"val": figures(), "test": figures() | drawn})]
    assert names[3:5] == ["5-way 1-shot accuracy", "20-way 5-shot accuracy"]
    both = {"raw pixels": {"test": figures() | drawn}, "untrained": {"test": figures() | drawn}}
    print_report(Shown("triplet", {"val": figures(), "test": figures() | drawn}, both))
    out = capsys.readouterr().out.splitlines()
    row = next(line for line in out if line.startswith(" 20-way"))
    assert row.split() == ["20-way", "5-shot", "0.7500", "0.7000", "to", "0.8000", "0.7500", "0.7500"]
    assert max(len(line.rstrip()) for line in out[:-1]) <= 80
    assert out[-1] == (
        "5-way 1-shot, 20-way 5-shot accuracy: 1,000 episodes of 15 queries a class, drawn from 40 classes; their "
        "interval is over episodes, and says nothing of other classes"
    )
