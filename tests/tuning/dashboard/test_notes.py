"""Notes of trials and studies: what they say, and that the dashboard reads them."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.storages import InMemoryStorage
from optuna_dashboard import get_note

from sandbox.errors import SandboxError
from sandbox.runs.folder import RunFolder
from sandbox.tuning.dashboard.notes import (
    keep_facts,
    keep_note,
    picture_note,
    read_note,
    study_note,
    trial_note,
    without_pictures,
)
from sandbox.tuning.study.record import DEFAULT

from dashboards import begun, digits_run, study_record, trial_record, tried

MONITOR = "verification/eer"


def code_of(note: str) -> str:
    """The only code block."""
    (block,) = re.findall(r"^(`{3,})\n(.*?)\n\1$", note, re.DOTALL | re.MULTILINE)
    return block[1]


def words_of(code: str) -> list[str]:
    """The words of a command as a shell takes them."""
    found = subprocess.run(["sh", "-c", f"printf '%s\\0' {code}"], capture_output=True, check=True).stdout
    return found.decode().split("\0")[:-1]


def rows_of(note: str) -> list[list[str]]:
    lines = [line for line in note.splitlines() if line.startswith("|")]
    return [[cell.strip("* `\u00a0") for cell in line.strip("|").split("|")] for line in lines]


def test_a_complete_trial_says_each_figure_with_interval_and_n() -> None:
    run = digits_run()
    line = "python experiments/run.py --loss 'triplet_margin(margin=0.11)' --seed 0"
    note = trial_note(trial_record(1, seconds=21.4, line=line, runs=("trial-0001",)), [MONITOR], [run])
    assert "**Trial 1**: complete in 21.4 s" in note and "`trial-0001`" in note
    report = run.read_json("report.json")["val"]
    rows = [row for row in rows_of(note) if row[0] in report]
    assert rows[0][0] == MONITOR and {row[0] for row in rows} == report.keys()
    for key, value, interval, n in rows:
        entry = report[key]
        assert n == f"{entry['n']:,}"
        spelt = f"{entry['value']:.4f}" if isinstance(entry["value"], float) else str(entry["value"])
        assert value == ("unsupported" if entry.get("supported") is False else spelt)
        assert not interval or interval == f"{entry['low']:.4f} to {entry['high']:.4f}"
    assert words_of(code_of(note)) == shlex.split(line)


def test_of_several_runs_it_says_the_mean_and_the_ends(tmp_path: Path) -> None:
    folders = []
    for number, value in enumerate((0.25, 0.5, 0.9)):
        folders.append(RunFolder(tmp_path / str(number)))
        folders[-1].path.mkdir()
        entry = {"value": value, "low": 0.1, "high": 0.9, "n": 30}
        thin = {"value": value, "n": 5, "supported": number > 0}
        folders[-1].write_json("report.json", {"val": {"retrieval/mrr": entry, "verification/tar@far=1e-3": thin}})
    note = trial_note(trial_record(2, runs=("a", "b", "c")), ["retrieval/mrr"], folders)
    head, _, *rows = rows_of(note)
    assert head == ["figure", "mean of 3 runs", "least to most", "n"] and "3 runs" in note
    assert rows == [
        ["retrieval/mrr", "0.5500", "0.2500 to 0.9000", "30 + 30 + 30"],
        ["verification/tar@far=1e-3", "unsupported in 1 of 3", "", "5 + 5 + 5"],
    ]


def test_a_trial_without_a_report_says_why() -> None:
    why = "step 12: 0.41 is below the median | 0.55 of *5* trials"
    note = trial_note(trial_record(3, "pruned", why=why, constraints={"images_per_second >= 500": 130.0}), [], [])
    assert r"**Why:** step 12: 0.41 is below the median \| 0.55 of \*5\* trials" in note
    assert "`a|b`" in trial_note(trial_record(3, objective="a|b"), [], [])
    assert "**infeasible**" in note and rows_of(note)[-1] == ["images_per_second >= 500", "broken** by 130"]
    default = trial_note(trial_record(0, kind=DEFAULT, figures={MONITOR: 0.25}, constraints={"a": -2.0}), [MONITOR], [])
    assert "counted as no trial" in default and "infeasible" not in default
    assert rows_of(default)[-1] == [MONITOR, "0.2500"] and ["a", "met by 2"] in rows_of(default)


@pytest.mark.parametrize("content", [{"test": {}}, [], {"val": {"a": 5}}, {"val": {"a": {"value": "x"}}}])
def test_a_damaged_report_is_said(tmp_path: Path, content: object) -> None:
    (tmp_path / "report.json").write_text(json.dumps(content))
    with pytest.raises(SandboxError, match=r"report\.json is damaged"):
        trial_note(trial_record(1), [], [RunFolder(tmp_path)])


@given(
    st.lists(st.text(st.characters(exclude_characters="\0\n\r", exclude_categories=["Cs"]), max_size=150), max_size=6)
)
def test_a_command_of_any_words_is_the_same_over_several_lines(words: list[str]) -> None:
    line = shlex.join(["python", "run.py", *words])
    note = trial_note(trial_record(1, line=line), [], [])
    assert words_of(code_of(note)) == shlex.split(line)


def test_no_line_of_a_note_is_wide() -> None:
    loss = (
        "triplet_margin(margin=0.2139569380699943, miner=triplet_margin(type_of_triplets='semihard')) + 0.00177*center"
    )
    line = shlex.join(["python", "experiments/run.py", "--loss", loss, *"--data.name digits --seed 0".split()])
    code = code_of(trial_note(trial_record(1, line=line), [], []))
    assert max(map(len, code.splitlines())) <= 92 and words_of(code)[3] == loss
    assert "--data.name digits" in code  # a flag stays beside its value


def test_the_dashboard_reads_what_is_kept_and_a_second_time_writes_nothing() -> None:
    study = begun(InMemoryStorage(), "mine")
    trial = tried(study, 0.5)
    for text in ("x" * 2045 * 3 + "y", "short", "", "öß" * 3000):
        keep_note(study._storage, study._study_id, text, trial)
        keep_note(study._storage, study._study_id, text[::-1])
        assert get_note(study) == text[::-1] and read_note(study._storage, 0, trial) == text
        before = study._storage.get_study_system_attrs(0)
        keep_note(study._storage, study._study_id, text, trial)
        assert study._storage.get_study_system_attrs(0) == before


def test_pictures_stand_behind_a_note_and_can_be_taken_away() -> None:
    note = trial_note(trial_record(1, line="python run.py"), [], [])
    shown = picture_note(4, 7, {"0a-1b": "curves.png", "0c": "scores.png"})
    assert "![curves.png](/artifacts/4/7/0a-1b)" in shown and shown.index("0a-1b") < shown.index("0c")
    assert without_pictures(note + shown) == note == without_pictures(note)
    assert picture_note(4, 7, {}) == ""


def test_a_study_says_what_it_searches_and_what_its_figures_are(tmp_path: Path) -> None:
    record = study_record(
        tmp_path / "mine",
        [],
        monitors=("retrieval/map@r", "verification/eer"),
        lower=(False, True),
        protocol={"split": {"train": 5, "val": 2}, "folds": [], "constraints": ["a | b <= 3"]},
    )
    note = study_note(record)
    for said in (
        "`retrieval/map@r`, more is better; `verification/eer`, less is better",
        "`tune(0.1, 0.5)`",
        "`train 5, val 2`",
        "`none`",
        r"`a \| b <= 3`",
        "is no result",
        f"tune.py report {tmp_path / 'mine'}",
        "the front",
    ):
        assert said in note
    usual = study_note(study_record(tmp_path / "results" / "studies" / "mine", []))
    assert "tune.py report mine\n" in usual and "run.py --from mine --seeds 5\n" in usual
    assert "front" not in study_note(study_record(tmp_path / "mine", []))
    study = begun(InMemoryStorage(), "mine")
    keep_facts(study._storage, 0, record)
    assert study.user_attrs["split"] == "train 5, val 2" and study.user_attrs["objective"] == record.objective
