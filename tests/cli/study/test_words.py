"""What the terminal says of a search."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.cli.study.progress import retrained_line, short_values, trial_line, watch_study
from sandbox.cli.study.words import read_duration, say_plan, say_standing, say_winner
from sandbox.errors import SandboxError
from sandbox.pipeline.events import Note
from sandbox.recipe.specs import Recipe
from sandbox.tuning.plan.plan import Plan
from sandbox.tuning.search.cost import Cost
from sandbox.tuning.search.events import Ended, Retrained, TrialBegun, TrialOver, TrialStep, Waiting
from sandbox.tuning.study.record import DEFAULT, StudyRecord, TrialRecord

DONE = TrialRecord(3, "complete", (0.71234,), {"arcface.margin": 23.456, "center.weight": 0.0013249}, seconds=31.4)
CUT = TrialRecord(4, "pruned", (), {"arcface.margin": 10.0}, why="pruned at step 90 of 300 (0.512)", seconds=9.0)
FAILED = TrialRecord(5, "failed", (), {"arcface.margin": 11.0}, why="the disk is full")
FIRST = TrialRecord(0, "complete", (0.7,), {"arcface.margin": 28.6}, kind=DEFAULT, line="python experiments/run.py")


def test_a_line_says_value_parameters_seconds_best_and_why() -> None:
    line = trial_line(TrialOver("mine", DONE, 12, (2, 0.74)), 50)
    assert (
        line == "trial    3  0.7123    margin 23.5, center.weight 0.00132   31.4 s   best 0.7400 (trial 2)   12 of 50"
    )
    assert "pruned at step 90 of 300 (0.512)" in trial_line(TrialOver("mine", CUT, 13, None), 50)
    assert "failed: the disk is full" in trial_line(TrialOver("mine", FAILED, 13, (3, 0.7)), 50)
    assert trial_line(TrialOver("mine", FIRST, 0, None), 50).startswith("default   ")
    two = TrialRecord(1, "complete", (0.5, 0.25), {}, constraints={"memory <= 2": 0.5})
    assert "0.5000 0.2500 (breaks memory <= 2)" in trial_line(TrialOver("mine", two, 1, None), 2)
    assert retrained_line(Retrained("mine", "tuned", 3, None, 61.0, 4, 12)) == (
        "tuned    seed 3   came to nothing   1 min 1 s   4 of 12"
    )


def test_a_search_is_told_in_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    events = [
        TrialBegun("mine", 3, "trial", DONE.params, 300, True),
        TrialStep("mine", 3, 30, 300, 0.5),
        Note("batches are small"),
        Note("batches are small"),
        TrialOver("mine", DONE, 1, (3, 0.7123)),
        Waiting(),
        Ended("its time is up"),
    ]
    assert watch_study(events, trials=3, workers=2) == "its time is up"
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "trial 3 goes on where it was cut off",
        "trial    3  0.7123    margin 23.5, center.weight 0.00132   31.4 s   best 0.7123 (this)   1 of 3   31.4 s left",
        "other workers are at what is left; waiting for them",
    ]
    assert err.count("batches are small") == 1
    watch_study(events[:1], trials=3, studies=2)
    assert capsys.readouterr().out == "mine: trial 3 goes on where it was cut off\n"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2h", 7200), ("1h30m", 5400), ("45m", 2700), ("45min", 2700), ("90s", 90), ("1.5h", 5400), ("30", 30)],
)
def test_times_are_read(text: str, seconds: float) -> None:
    assert read_duration("--timeout", text) == seconds


@pytest.mark.parametrize("text", ["soon", "0", "-2h", "2 hours", "h", "1h1h", "", "2m1h", "nan"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(SandboxError, match="such as 2h"):
        read_duration("--timeout", text)


def test_names_are_as_short_as_tells_them_apart() -> None:
    assert short_values({"a.margin": 1, "b.margin": 0.012345, "c.scale": 3}) == ("a.margin 1, b.margin 0.0123, scale 3")


def record(*trials: TrialRecord) -> StudyRecord:
    return StudyRecord("mine", Path("mine"), "", "", {}, ("retrieval/map@r",), (False,), {}, trials)


def test_the_winner_stands_beside_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    won = TrialRecord(3, "complete", (0.71,), {"a.b": 1.0}, line="python experiments/run.py --loss 'a' --seed 7")
    say_winner(record(FIRST, won, CUT), "mine")
    out = capsys.readouterr().out
    assert "best on validation: 0.7100, trial 3 (b 1); it is the best of 2, so no result" in out
    assert "the default: 0.7000 on validation" in out
    assert "next: python experiments/run.py --loss 'a' --seed 1 --seeds 5\n" in out and "--from mine" in out
    say_winner(record(FIRST), "mine")
    assert capsys.readouterr().out == "no trial is complete yet\n"
    say_winner(record(TrialRecord(1, "complete", (0.5,), {}, constraints={"memory <= 2": 1.0})), "mine")
    assert capsys.readouterr().out == "no trial meets every constraint\n"
    with pytest.raises(SandboxError, match="its command is gone"):
        say_winner(record(DONE), "mine")


def test_figures_are_called_by_their_printed_names(capsys: pytest.CaptureFixture[str]) -> None:
    won = TrialRecord(3, "complete", (0.71, 0.1), {"a.b": 1.0}, line="python experiments/run.py --loss a")
    several = replace(record(won), monitors=("retrieval/map@r", "verification/eer"), lower=(False, True))
    say_winner(several, "mine")
    assert "the front, by MAP@R and EER:" in capsys.readouterr().out
    plan = Plan(recipe=Recipe(loss="triplet(margin=tune(0.1, 0.5))"), monitors=("retrieval/map@r", "verification/auc"))
    say_plan(plan, Cost(2, 16, 1, 1, 0, 1.0), Path("mine"), 1)
    assert "reaching for MAP@R and AUC of validation; sampler" in capsys.readouterr().out


def test_going_on_says_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    say_standing(record(), 5)
    assert capsys.readouterr().out == ""
    say_standing(record(FIRST, DONE, CUT, FAILED), 5)
    assert capsys.readouterr().out == (
        "going on: 2 of 5 trials are over (1 complete, 1 pruned, 1 failed); best 0.7123 (trial 3)\n"
    )
