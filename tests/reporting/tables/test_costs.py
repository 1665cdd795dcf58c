"""What the runs of a row cost, as columns of a table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sandbox.recipe.specs import BackboneSpec, Recipe
from sandbox.reporting.tables.layout import COSTS

from table_runs import column, finish, table_of


def test_costs_are_columns_by_choice(tmp_path: Path) -> None:
    facts = {"parameters": {"backbone": 1000, "head": 234, "objective": 9}, "images_per_second": 2000.4}
    facts["input"] = {"image_size": 16, "channels": 1}
    conv4 = Recipe(backbone=BackboneSpec(name="conv4"))
    for seed in range(2):
        held = {"resident": (seed + 1) * 10**9, "device": None}
        seconds = {"total": 3600.0 * (seed + 1)}
        finish(tmp_path, replace(conv4, seed=seed), 0.5, seconds=seconds, peak_memory=held, **facts)
    finish(tmp_path, replace(conv4, loss="arcface"), 0.4)
    table = table_of(tmp_path, cost=COSTS)
    # 3x3 convolutions to 32, 64, 128 and 256 channels, of maps of 16, 8, 4 and 2 pixels
    by_hand = 9 * (256 * 1 * 32 + 64 * 32 * 64 + 16 * 64 * 128 + 4 * 128 * 256)
    assert [[c.text for c in column(table, key)] for key in COSTS] == [
        ["1,234", ""],
        [f"{by_hand:,}", ""],
        ["2,000", ""],
        ["2", ""],
        ["3", ""],
    ]
    on_a_gpu = {"resident": 3 * 10**9, "device": 5 * 10**8}
    finish(tmp_path, replace(conv4, loss="hadsell"), 0.3, peak_memory=on_a_gpu)
    assert column(table_of(tmp_path, cost=("memory",)), "memory")[-1].text == "0.5"
