"""The ledger of a table: what is written is read back whole, and what was changed is refused by its line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec, OptimizerSpec, Recipe, digest
from sandbox.reporting.records import ledger
from sandbox.reporting.records.closed import closed_set
from sandbox.reporting.records.read import read_runs
from sandbox.reporting.records.run import Run
from sandbox.reporting.records.spent import spent_before
from sandbox.runs.embeddings import KeptSet, write_embeddings
from sandbox.runs.folder import RunFolder, create

from fuzz import FUZZ, changed, read_or_refused

TEST = {
    "retrieval/map@r": {"value": 0.1 + 0.2, "low": 0.25, "high": 0.375, "n": 10},
    "retrieval/unmatched": {"value": 0, "low": 0, "high": 0, "n": 10},
    "verification/tar@far=1e-4": {"value": 0.5, "n": 45, "far": 9.3e-05, "supported": False},
}
VAL = {"retrieval/map@r": {"value": 1.0, "low": 0.15811388300841903, "high": 1.0, "n": 4}}
TYPED = "python experiments/run.py --from STUDY --seeds 2"
FACTS = {"parameters": {"backbone": 388320}, "steps": 40, "health": ["all images have nearly one embedding, 5 %"]}


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    for seed in range(2):
        recipe = Recipe(seed=seed, loss="triplet_margin(margin=0.1)", data=DataSpec(name="digits", root='a "b", c'))
        folder = create(tmp_path / "runs", recipe, TYPED)
        folder.write_json("report.json", {"val": VAL, "test": TEST})
        folder.write_json("baselines.json", {"raw pixels": {"test": TEST}, "untrained": {"val": VAL}})
        folder.update(status="done", split="abc", tags=["small", "a, b"], **FACTS, versions={"torch": "2.14.1"})
    return read_runs([tmp_path / "runs"])[0]


def test_a_run_comes_back_with_every_figure_to_the_last_bit(tmp_path: Path, runs: list[Run]) -> None:
    ledger.write(tmp_path / "a.csv", runs, "python experiments/table.py\n2026-11-26")
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[:3] == ["# python experiments/table.py", "# 2026-11-26", "# 2 of 2 runs with torch 2.14.1"]
    assert lines[3].startswith("digest,seed,objective,split,steps,tags,after,run,test/retrieval/map@r,")
    assert len(lines) == 6
    back, notes = read_runs([tmp_path / "a.csv"])
    assert not notes
    for run, other in zip(runs, back, strict=True):
        for name in ("digest", "seed", "recipe", "report", "split", "tags", "baselines", "figures"):
            assert getattr(other, name) == getattr(run, name), name
        assert {name: other.facts[name] for name in FACTS} == FACTS
        assert other.command == run.command == TYPED


@pytest.mark.parametrize("closed", [True, False])
def test_what_stands_beside_run_json_is_kept_for_captions(tmp_path: Path, runs: list[Run], closed: bool) -> None:
    kept = KeptSet(np.eye(2, dtype=np.float32), np.arange(2), None)
    write_embeddings(RunFolder(runs[0].path), {"test": kept}, closed_set=closed)
    ledger.write(tmp_path / "a.csv", [runs[0]])
    ledger.write(tmp_path / "b.csv", ledger.read(tmp_path / "a.csv"))  # and from there to the next
    (back,) = ledger.read(tmp_path / "b.csv")
    assert closed_set(back) is closed_set(runs[0]) is closed
    assert spent_before(back) == spent_before(runs[0]) == ("STUDY", None)


def test_the_trials_of_a_studys_winner_are_kept(tmp_path: Path, runs: list[Run]) -> None:
    study = tmp_path / "study"
    for folder in (study / "final" / "tuned-1", *(study / "runs" / f"trial-{n}-of" for n in range(3))):
        folder.mkdir(parents=True)
    (study / "study.json").write_text("{}")
    won = study / "final" / "tuned-1" / "run"
    runs[1].path.rename(won)
    (run,), _ = read_runs([won])
    ledger.write(tmp_path / "a.csv", [run])
    assert spent_before(ledger.read(tmp_path / "a.csv")[0]) == spent_before(run) == ("study", 3)


def test_a_run_that_went_on_from_another_keeps_its_digest(tmp_path: Path, runs: list[Run]) -> None:
    recipe = replace(runs[0].recipe, resume_from="gone", after="0123456789ab", optimizer=OptimizerSpec(lr=1e-5))
    ledger.write(tmp_path / "a.csv", [replace(runs[0], recipe=recipe, digest=digest(recipe))])
    (back,) = ledger.read(tmp_path / "a.csv")
    assert back.recipe == recipe and "--after" not in (tmp_path / "a.csv").read_text()


def test_runs_of_different_figures_share_a_ledger(tmp_path: Path, runs: list[Run]) -> None:
    other = replace(runs[1], report={"test": {"classification/top@1": {"value": 0.5, "n": 3}}}, baselines={}, facts={})
    ledger.write(tmp_path / "a.csv", [runs[0], other])
    assert [run.report for run in ledger.read(tmp_path / "a.csv")] == [runs[0].report, other.report]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: text.replace("0.375", "0.475", 1), r"a\.csv, line 3 was changed or cut"),
        (lambda text: text.replace("--seed 1", "--seed 2"), r"a\.csv, line 4 was changed or cut"),
        (lambda text: text[: text.rindex(",")], r"a\.csv, line 4 is broken: it has \d+ cells, where the head has \d+"),
        (lambda text: text.replace(',"', ',x"', 1), r"a\.csv, line 3"),
        (lambda text: text.replace("digest,", "name,"), "is no ledger of runs"),
        (lambda text: text.replace("test/retrieval/map@r low", "test/retrieval/map@r"), "has a column twice"),
        (lambda text: "", "is empty"),
        (lambda text: text + "\0", "line 5"),
    ],
    ids=range(8),
)
def test_a_changed_line_is_refused_by_its_number(
    tmp_path: Path, runs: list[Run], change: Callable[[str], str], sentence: str
) -> None:
    ledger.write(tmp_path / "a.csv", runs)
    path = tmp_path / "a.csv"
    path.write_text(change(path.read_text()))
    with pytest.raises(SandboxError, match=sentence):
        read_runs([path])


def test_a_line_whose_digest_and_recipe_differ_is_refused(tmp_path: Path, runs: list[Run]) -> None:
    ledger.write(tmp_path / "a.csv", [replace(runs[0], digest="0" * 12)])
    with pytest.raises(SandboxError, match=r"names the digest 000000000000 and seed 0, but its run.py line makes"):
        ledger.read(tmp_path / "a.csv")


def test_a_file_that_is_not_there_and_one_that_is_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"there is no ledger .*a\.csv"):
        read_runs([tmp_path / "a.csv"])
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SandboxError, match="cannot read the ledger"):
        read_runs([tmp_path / "a.csv"])


def test_the_place_beside_a_table(tmp_path: Path, runs: list[Run]) -> None:
    assert ledger.beside(Path("results/tables/a.md")) == Path("results/tables/a.csv")
    assert ledger.beside(Path("results/tables/a.csv")) == Path("results/tables/a.runs.csv")
    ledger.write(tmp_path / "a.csv", runs, "made so")
    (tmp_path / "b.csv").write_text("# made so\nobjective,n\narcface,3\n")
    found: list[Any] = [ledger.is_ledger(tmp_path / name) for name in ("a.csv", "b.csv", "none.csv")]
    assert found == [True, False, False]
    with pytest.raises(SandboxError, match=r"a\.csv holds the runs of a table, .*name another file"):
        ledger.check_place(tmp_path / "a.csv")
    with pytest.raises(SandboxError, match=r"b\.md would go to b\.csv beside it, which holds something else"):
        ledger.check_place(tmp_path / "b.md")
    for free in ("a.md", "a.tex", "b.csv", "c.md", "c.csv"):
        ledger.check_place(tmp_path / free)


def test_an_editor_s_byte_order_mark_is_no_part_of_a_ledger(tmp_path: Path, runs: list[Run]) -> None:
    path = tmp_path / "a.csv"
    ledger.write(path, runs)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert ledger.is_ledger(path) and [run.figures for run in ledger.read(path)] == [run.figures for run in runs]


@FUZZ
@given(data=st.data())
def test_a_ledger_with_bytes_turned_holds_the_runs_that_were_written_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    place = tmp_path_factory.getbasetemp() / "turned-ledger"
    if not place.exists():
        recipe = Recipe()
        run = Run(place, digest(recipe), 0, recipe, {"val": VAL, "test": TEST}, "abc", "typed", facts=FACTS)
        ledger.write(place / "whole.csv", [run], "made so")
    path = place / "turned.csv"
    path.write_bytes(data.draw(changed((place / "whole.csv").read_bytes())))
    for found in read_or_refused(lambda: ledger.read(path)) or []:
        assert found.report == {"val": VAL, "test": TEST} and found.recipe == Recipe()
