"""Studies in turn, and what is trained on fresh seeds after them."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.errors import SandboxError
from sandbox.reporting.tuning_text import to_markdown
from sandbox.runs.folder import RunFolder
from sandbox.runs.lock import locked
from sandbox.tuning.plan.plan import Plan
from sandbox.tuning.search.claims import Goal
from sandbox.tuning.search.events import Ended, Retrained, TrialBegun, TrialOver
from sandbox.tuning.search.final import fresh_runs, labels, results, retrain, split_of
from sandbox.tuning.search.workers import Job, studies_of, work
from sandbox.tuning.study.study import Study

from studies import plan

Searched = tuple[list[tuple[Plan, Study]], list[Any]]
LOSSES = ("triplet(margin=tune(0.05, 0.5))", "contrastive(neg_margin=tune())")


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    """Two objectives, two trials each, then two fresh seeds; and what happened."""
    out = tmp_path_factory.mktemp("studies")
    plans = tuple(plan(loss, steps=2, tags=("pilot",)) for loss in LOSSES)
    job = Job(plans, tuple(out / name for name in "ab"), Goal(2), command="a test", pictures=False, final=2)
    studies = studies_of(job)
    return studies, list(work(job, studies))


def test_studies_take_turns(searched: Searched) -> None:
    begun = [(event.study, event.number) for event in searched[1] if isinstance(event, TrialBegun)]
    assert begun == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    assert isinstance(searched[1][-1], Ended)


def test_test_is_scored_on_fresh_seeds_after_the_choice_and_nowhere_else(searched: Searched) -> None:
    studies, events = searched
    places = {type(event): place for place, event in enumerate(events)}
    first = next(place for place, event in enumerate(events) if isinstance(event, Retrained))
    assert places[TrialOver] < first
    again = [event for event in events if isinstance(event, Retrained)]
    assert [(e.study, e.kind, e.seed) for e in again] == [
        (study, kind, seed) for seed in (1, 2) for study in "ab" for kind in ("default", "tuned")
    ]
    for _, study in studies:
        for path in study.folder.glob("runs/*/report.json"):
            assert RunFolder(path.parent).read_json("report.json").keys() == {"val"}
        finals = list(study.folder.glob("final/*/run/report.json"))
        assert len(finals) == 4 and all("test" in RunFolder(p.parent).read_json("report.json") for p in finals)


def test_the_table_holds_what_the_runs_say(searched: Searched) -> None:
    studies, events = searched
    tuned = results(studies, 2)
    assert [one.name for one in tuned] == ["triplet_margin", "contrastive"] and tuned[0].seeds == (1, 2)
    of = {(e.study, e.kind, e.seed): e.figure for e in events if isinstance(e, Retrained)}
    for one, study in zip(tuned, "ab", strict=True):
        assert one.trials == 2
        assert list(one.default_figures["retrieval/map@r"]) == [of[study, "default", seed] for seed in (1, 2)]
        assert list(one.winner_figures["retrieval/map@r"]) == [of[study, "tuned", seed] for seed in (1, 2)]
    text = to_markdown(tuned, monitor="retrieval/map@r", split=split_of(studies, 2))
    assert "best of 2 trials" in text and "digits, split " in text and "on seeds 1" in text


def test_every_run_of_a_study_has_its_tags_and_its_name_none_of_them(searched: Searched) -> None:
    for planned, study in searched[0]:
        runs = [RunFolder(path.parent) for path in study.folder.glob("**/run.json")]
        assert len(runs) == 3 + 4 and all(run.read_json("run.json")["tags"] == ["pilot"] for run in runs)
        other = replace(planned, tags=())
        assert (other.name, other.identity) == (planned.name, planned.identity)


def test_what_was_trained_is_not_trained_again_and_what_another_does_is_left_to_it(searched: Searched) -> None:
    studies, _ = searched
    assert not [event for event in retrain(studies, 2) if isinstance(event, Retrained)]
    runs = fresh_runs(studies, 3)
    assert [one.over for one in runs] == [True] * 8 + [False] * 4
    held = runs[8]
    held.folder.mkdir(parents=True)
    events = retrain(studies, 3)
    with locked(held.folder):
        done = [next(e for e in events if isinstance(e, Retrained)) for _ in range(3)]
    assert [(e.study, e.kind, e.seed) for e in done] == [("a", "tuned", 3), ("b", "default", 3), ("b", "tuned", 3)]
    assert [(e.study, e.kind, e.over) for e in events if isinstance(e, Retrained)] == [("a", "default", 12)]


def test_a_run_that_comes_to_nothing_is_a_hole_in_the_table(searched: Searched) -> None:
    studies, _ = searched
    (lost,) = [
        one for one in fresh_runs(studies, 4) if (one.study.folder.name, one.kind, one.seed) == ("b", "tuned", 4)
    ]
    lost.folder.mkdir(parents=True)
    (lost.folder / "failed.json").write_text('{"why": "diverged"}')
    list(retrain(studies, 4))
    tuned = results(studies, 4)
    assert tuned[1].lost() == ["contrastive tuned seed 4"] and not tuned[0].lost()


def test_what_lacks_a_winner_or_a_default_is_refused(tmp_path: Path) -> None:
    job = Job((plan(search=("epochs=tune(1, 2)",)),), (tmp_path / "mine",), Goal(1))
    with pytest.raises(SandboxError, match=r"--final compares with the default values, which triplet.* lacks"):
        fresh_runs(studies_of(job), 2)
    plain = Job((plan(),), (tmp_path / "other",), Goal(1))
    with pytest.raises(SandboxError, match="no trial of the study other is complete"):
        fresh_runs(studies_of(plain), 2)


def test_labels_tell_objectives_apart() -> None:
    plans = [
        plan("triplet(margin=tune())"),
        plan("arcface(margin=tune()) + 0.1*center"),
        plan("triplet(swap=True, margin=tune())"),
    ]
    assert labels(plans) == ["triplet_margin-1", "arcface+center", "triplet_margin-2"]
    assert len({one.name for one in plans}) == 3


def test_names_fit_on_every_disk() -> None:
    terms = " + ".join(f"tune({weight}, 1)*contrastive(neg_margin={weight})" for weight in (0.1, 0.2, 0.3))
    many = plan(" + ".join([terms] * 1 + [f"0.{n}*multi_similarity(alpha={n})" for n in range(1, 20)]))
    assert len(many.name) < 120 and len(plan().name) < 40
    assert replace(many, sampler="random").name != many.name


def test_the_csv_counts_the_trials_that_were_asked_for(searched: Searched) -> None:
    from sandbox.tuning.report.trials_table import csv_text
    from sandbox.tuning.study.read import record_study

    rows = list(csv.DictReader(csv_text(record_study(searched[0][0][1])).splitlines()))
    assert [row["state"] for row in rows] == ["default", "complete", "complete"]
    assert list(rows[0])[:5] == ["trial", "state", "value", "seconds", "triplet_margin.margin"]
