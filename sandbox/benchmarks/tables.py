"""A thousand run folders put into a table, against reading the same files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sandbox.benchmarks.timing import Ratio, alternate
from sandbox.recipe.specs import BackboneSpec, OptimizerSpec, Recipe

RECIPES, SEEDS = 20, 50


def tables_against_reading(rounds: int) -> Iterator[Ratio]:
    """1,000 finished runs, 20 recipes of 50 seeds, as Markdown; against parsing their JSON files alone."""
    from sandbox.reporting.records.read import read_runs
    from sandbox.reporting.tables.build import build_table
    from sandbox.reporting.tables.layout import Layout
    from sandbox.reporting.tables.written.render import render

    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        make_runs(place)

        def table() -> str:
            return render(build_table(read_runs([place])[0], Layout()), "markdown")

        def files() -> None:
            for path in place.glob("*/*.json"):
                json.loads(path.read_bytes())

        ours, other = alternate(table, files, rounds)
    yield Ratio("a table of 1,000 run folders against parsing their JSON files", ours, other, 10)


def make_runs(place: Path) -> None:
    """Run folders with reports of usual size, whose figures are drawn."""
    from sandbox.runs.folder import create

    rng = np.random.default_rng(0)
    names = ["retrieval/" + name for name in ("map@r", "r_precision", "mrr", "precision@1", "recall@1", "recall@5")]
    names += ["verification/" + name for name in ("auc", "eer", "tar@far=1e-1", "tar@far=1e-2", "tar@far=1e-3")]
    names += ["verification/balanced_accuracy", "verification/d_prime"]
    for recipe in range(RECIPES):
        loss = ("triplet_margin(miner=batch_hard)", "contrastive", "multi_similarity", "arcface")[recipe % 4]
        backbone, optimizer = BackboneSpec(embedding_dim=64 + recipe), OptimizerSpec(lr=1e-3)
        for seed in range(SEEDS):
            made = Recipe(loss=loss, backbone=backbone, optimizer=optimizer, seed=seed)
            folder = create(place, made, f"python experiments/run.py --seed {seed}", f"run-{recipe}-{seed}")
            report = {
                split: {key: {"value": v, "low": v - 0.01, "high": v + 0.01, "n": 5459} for key, v in drawn}
                for split in ("val", "test")
                for drawn in (tuple(zip(names, rng.random(len(names)).tolist(), strict=True)),)
            }
            folder.write_json("report.json", report)
            folder.write_json("baselines.json", {"raw pixels": report, "untrained": report})
            data = {"train": {"images": 12643, "classes": 931}, "test": {"images": 5459, "classes": 432}}
            folder.update(status="done", split="c8486117f69c", data=data, steps=1000, seconds={"total": 140.0})
