"""CSV holds everything, unrounded."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from sandbox.recipe.specs import DataSpec, Recipe
from sandbox.reporting.tables.written.render import render
from sandbox.runs.folder import RunFolder

from table_runs import METRIC, finish, runs_of, seeds_of, table_of


def test_every_number_is_there_by_its_report_key(tmp_path: Path) -> None:
    for loss, values in (("arcface", (0.5, 0.51, 0.53)), ("contrastive", (0.3, 0.32, 0.29))):
        seeds_of(tmp_path, Recipe(loss=loss), dict(enumerate(values)))
    text = render(table_of(tmp_path, percent=True), "csv", header="made so\n% and so")
    lines = text.splitlines()
    assert lines[:3] == ["# made so", "# % and so", "# MAP@R on the test images of glyphs."]
    rows = list(csv.DictReader(io.StringIO("\n".join(line for line in lines if not line.startswith("#")))))
    first = rows[0]
    assert float(first[METRIC]) == pytest.approx(1.54 / 3) and first["loss"] == "arcface"
    assert float(first[f"{METRIC} low"]) + float(first[f"{METRIC} high"]) == pytest.approx(2 * 1.54 / 3)
    assert (first[f"{METRIC} n"], first[f"{METRIC} seeds"], first[f"{METRIC} letters"]) == ("3", "0 1 2", "a")
    assert first["digests"] == runs_of(tmp_path)[0].digest and rows[1][f"{METRIC} letters"] == "b"


def test_blocks_stand_before_their_keys_and_one_seed_has_no_ends(tmp_path: Path) -> None:
    for name in ("digits", "glyphs"):
        finish(tmp_path, Recipe(data=DataSpec(name=name)), 0.5, split=name)
    text = render(table_of(tmp_path, columns=("data.name",)), "csv")
    rows = list(csv.DictReader(io.StringIO("\n".join(line for line in text.splitlines() if not line.startswith("#")))))
    assert rows[0][f"digits: {METRIC}"] == "0.5" and rows[0][f"glyphs: {METRIC} low"] == ""
    names = {RunFolder(path).read_json("run.json")["digest"] for path in tmp_path.iterdir()}
    assert set(rows[0]["digests"].split()) == names
