"""The trials of a study as CSV, JSON and rows of texts."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from sandbox.tuning.report.trials_table import csv_text, json_text, trial_rows
from sandbox.tuning.study.record import StudyRecord
from sandbox.tuning.study.spelling import spell_figure, spell_parameter, spell_seconds

from study_records import dozen, drawn, study, trial


def read_csv(record: StudyRecord) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_text(record), newline="")))


def test_the_csv_has_every_trial_in_full_precision() -> None:
    record = dozen()
    assert csv_text(record).splitlines()[0] == "trial,state,value,seconds,arcface.margin,optimizer.lr,kind"
    rows = read_csv(record)
    assert [row["state"] for row in rows] == ["default", *(t.state for t in record.trials[1:])]
    for row, made in zip(rows, record.trials, strict=True):
        assert int(row["trial"]) == made.number and row["kind"] == made.kind
        assert row["value"] == (repr(made.values[0]) if made.values else "")
        assert row["seconds"] == ("" if made.seconds is None else repr(made.seconds))
        assert {name: float(row[name]) for name in record.search} == made.params


@pytest.mark.parametrize("text", ['a,"b"', "two\nlines", "", " blank ", "二", "=1+1", "None"])
def test_any_text_survives_the_csv(text: str) -> None:
    record = study([trial(0, value=0.5, params={"optimizer.name": text, "flag": True, "nothing": None})], names=0)
    (row,) = read_csv(record)
    assert (row["optimizer.name"], row["flag"], row["nothing"]) == (text, "True", "None")


def test_what_a_trial_lacks_is_an_empty_cell_and_a_name_of_ours_is_told_apart() -> None:
    trials = [trial(0, value=0.5, params={"value": 3}), trial(1, "waiting", params={"only.here": 0.1 + 0.2})]
    rows = read_csv(study(trials, names=0))
    assert [row["parameter:value"] for row in rows] == ["3", ""]
    assert [row["only.here"] for row in rows] == ["", "0.30000000000000004"]
    assert [row["value"] for row in rows] == ["0.5", ""]


def two_monitors() -> StudyRecord:
    trials = [
        replace(trial(0), values=(0.5, 0.2)),
        replace(trial(1), values=(0.4, 0.1)),
        replace(trial(2), values=(0.4, 0.3)),
        trial(3, "pruned"),
    ]
    return study(trials, monitors=("retrieval/map@r", "verification/eer"), lower=(False, True))


def test_further_monitors_have_a_column_each() -> None:
    head, *lines = csv_text(two_monitors()).splitlines()
    assert head.startswith("trial,state,value,seconds,value:verification/eer,arcface.margin")
    assert [line.split(",")[4] for line in lines] == ["0.2", "0.1", "0.3", ""]
    names, rows, right = trial_rows(two_monitors())
    assert names[2:5] == ("retrieval/map@r", "verification/eer", "best so far") and right == (2, 3, 4, 6)
    assert [row[2:5] for row in rows][1] == ("0.4000", "0.1000", "0.5000")


def no_constant(name: str) -> Any:
    raise AssertionError(f"{name} is no JSON")


def test_the_json_is_strict_and_says_what_the_record_says() -> None:
    odd = replace(trial(12, value=0.1), figures={"a": math.nan, "b": math.inf}, curve={5: math.nan})
    record = replace(dozen(), trials=[*dozen().trials, odd])
    read = json.loads(json_text(record), parse_constant=no_constant)
    assert (read["best"], read["default"], read["front"]) == (3, 0, [])
    assert read["search"] == record.search and read["protocol"] == record.protocol
    assert read["trials"][3]["values"] == {"retrieval/map@r": 0.6123} and read["trials"][3]["curve"] == [
        [10, 0.2],
        [20, 0.31],
    ]
    assert read["trials"][7]["feasible"] is False and read["trials"][4]["why"] == "out of memory at step 3"
    assert read["trials"][12]["figures"] == {"a": None, "b": None} and read["trials"][12]["curve"] == [[5, None]]
    assert datetime.fromisoformat(read["trials"][1]["started"]) == record.trials[1].started
    assert json.loads(json_text(two_monitors()))["front"] == [0, 1]


def test_the_rows_have_the_best_so_far_and_the_reason() -> None:
    names, rows, _ = trial_rows(dozen())
    assert names == ("trial", "state", "retrieval/map@r", "best so far", "parameters", "time", "why")
    assert rows[0][:4] == ("0 (default)", "complete", "0.5000", "")
    assert [row[3] for row in rows[1:]] == ["0.4500"] * 2 + ["0.6123"] * 9
    assert rows[3][4:] == ("arcface.margin 17.5, optimizer.lr 0.000491", "13.0 s", "")
    assert rows[7][6] == "breaks images_per_second >= 500 by 12.5"
    assert rows[9][2:] == ("", "0.6123", "arcface.margin 32.5, optimizer.lr 0.0119", "", "")


def test_less_is_better_where_the_monitor_says_so() -> None:
    record = replace(dozen(), monitors=("verification/eer",), lower=(True,))
    assert [row[3] for row in trial_rows(record)[1]][1:] == ["0.4500"] * 11


def test_a_study_without_trials_has_a_head() -> None:
    record = study([])
    assert csv_text(record) == "trial,state,value,seconds,arcface.margin,optimizer.lr,kind\n"
    assert json.loads(json_text(record))["trials"] == [] and trial_rows(record)[1] == []


def test_many_trials_are_quick_to_write_and_all_there() -> None:
    assert len(read_csv(drawn(500, 8))) == 500


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.000123456, "0.000123"),
        (31.4159, "31.4"),
        (12345.6, "12,346"),
        (1e-5, "1e-5"),
        (2.5e8, "2.5e8"),
        (128, "128"),
        ("adam", "adam"),
        (True, "True"),
        (None, "None"),
        (math.inf, "inf"),
        (0.0, "0"),
        (-0.05, "-0.05"),
    ],
)
def test_a_parameter_has_three_digits(value: object, text: str) -> None:
    assert spell_parameter(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3.21, "3.2 s"),
        (59.97, "1 min 0 s"),
        (75, "1 min 15 s"),
        (3599.7, "1 h 0 min"),
        (7384, "2 h 3 min"),
        (86_390, "1 d 0 h"),
        (200_000, "2 d 8 h"),
        (None, ""),
    ],
)
def test_time_has_two_units(seconds: float | None, text: str) -> None:
    assert spell_seconds(seconds) == text


@pytest.mark.parametrize(("value", "text"), [(0.61234, "0.6123"), (0.0, "0.0000"), (1e-5, "1e-05"), (None, "")])
def test_a_figure_has_four_decimals(value: float | None, text: str) -> None:
    assert spell_figure(value) == text
