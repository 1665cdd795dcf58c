"""Rows of raw pixels and untrained networks, and differences to one objective."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.errors import SandboxError
from sandbox.evaluation.intervals.paired import paired
from sandbox.recipe.specs import BackboneSpec, OptimizerSpec, Recipe

from table_runs import MAP, METRIC, column, finish, seeds_of, table_of


def based(place: Path, recipe: Recipe, value: float, *, raw: float = 0.75, untrained: float = 0.25) -> None:
    finish(place, recipe, value, baselines={"raw pixels": {MAP: raw}, "untrained": {MAP: untrained}})


def test_baselines_stand_at_the_foot_where_all_runs_have_them(tmp_path: Path) -> None:
    for loss in ("arcface", "contrastive"):
        for seed in range(2):
            based(tmp_path, Recipe(loss=loss, seed=seed), 0.5, untrained=0.25 + 0.02 * seed)
    table = table_of(tmp_path)
    assert [(row.cells[0].text, row.foot) for row in table.rows[2:]] == [("raw pixels", True), ("untrained", True)]
    raw, untrained = column(table, METRIC)[2:]
    assert raw.plain == "0.750" and untrained.value == pytest.approx(0.26) and untrained.seeds == (0, 1)
    assert not raw.letters and len(table_of(tmp_path, baselines=False).rows) == 2


def test_where_a_run_has_none_they_are_rows_by_request_alone(tmp_path: Path) -> None:
    finish(tmp_path, Recipe(), 0.5)
    with pytest.raises(SandboxError, match="none of 1 run has their figures"):
        table_of(tmp_path, baselines=True)
    based(tmp_path, Recipe(loss="arcface"), 0.4)
    assert len(table_of(tmp_path).rows) == 2 and len(table_of(tmp_path, baselines=True).rows) == 4


def test_each_network_has_its_own_untrained_row_and_raw_pixels_may_be_a_range(tmp_path: Path) -> None:
    for name, raw, untrained in (("conv4", 0.7, 0.2), ("conv6", 0.72, 0.3)):
        based(tmp_path, Recipe(backbone=BackboneSpec(name=name)), 0.5, raw=raw, untrained=untrained)
    table = table_of(tmp_path)
    foot = [[cell.text for cell in row.cells] for row in table.rows if row.foot]
    assert foot == [
        ["raw pixels", "", "0.700 to 0.720"],
        ["untrained", "conv4", "0.200"],
        ["untrained", "conv6", "0.300"],
    ]
    assert "Raw pixels are a range where rows see the images in several sizes or colours." in table.caption.notes


def test_the_difference_to_an_objective_is_paired_by_seed(tmp_path: Path) -> None:
    one, other = {0: 0.5, 1: 0.54, 2: 0.53}, {1: 0.4, 2: 0.43, 3: 0.9}
    seeds_of(tmp_path, Recipe(loss="triplet_margin(miner=batch_hard)"), one)
    seeds_of(tmp_path, Recipe(loss="contrastive"), other)
    table = table_of(tmp_path, baseline="contrastive")
    cells = dict(zip((c.text for c in column(table, "loss")), column(table, METRIC, kind="difference"), strict=True))
    expected = paired([0.54, 0.53], [0.4, 0.43])
    found = cells["triplet_margin(miner=batch_hard)"]
    assert (found.value, found.half, found.seeds) == (expected.difference, expected.half, (1, 2))
    assert found.text.startswith("+") and cells["contrastive"].plain == ""
    assert table_of(tmp_path, baseline="triplet(miner=hard)").columns[-1].kind == "difference"
    with pytest.raises(
        SandboxError, match=r"--baseline 'contrastiv' is the objective of no row; did you mean 'contrast"
    ):
        table_of(tmp_path, baseline="contrastiv")


def test_of_several_rows_the_one_with_the_same_settings_is_the_baseline(tmp_path: Path) -> None:
    for lr, luck in ((0.1, 0.0), (0.2, 0.1)):
        for loss, value in (("arcface", 0.5), ("contrastive", 0.4)):
            finish(tmp_path, Recipe(loss=loss, optimizer=OptimizerSpec(lr=lr)), value + luck * (loss == "arcface"))
    finish(tmp_path, Recipe(loss="arcface", optimizer=OptimizerSpec(lr=0.3)), 0.9)
    table = table_of(tmp_path, baseline="contrastive")
    rates = [cell.text for cell in column(table, "optimizer.lr")]
    found = [cell.text for cell in column(table, METRIC, kind="difference")]
    assert dict(zip(rates[:3], found[:3], strict=True)) == {"0.3": "", "0.2": "+0.200", "0.1": "+0.100"}


def test_the_command_asks_for_baselines_or_against_them(command: Callable[..., Any], tmp_path: Path) -> None:
    based(tmp_path / "with", Recipe(), 0.5)
    finish(tmp_path / "without", Recipe(), 0.5)
    assert "untrained" in command("table.py", str(tmp_path / "with")).out
    assert "untrained" not in command("table.py", str(tmp_path / "with"), "--no_baselines").out
    asked = command("table.py", str(tmp_path / "without"), "--baselines")
    assert asked.code == 2 and "none of 1 run has their figures" in asked.err
    assert command("table.py", str(tmp_path / "without")).code == 0
