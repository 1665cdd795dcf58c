"""Finished runs as plain data and as folders, made in a moment: nothing is trained."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.evaluation.report import Labelled, Options, evaluate
from sandbox.objectives.resolve import resolve
from sandbox.recipe.specs import DataSpec, EvaluateSpec, OptimizerSpec, Recipe, digest
from sandbox.reporting.records.groups import Group, group
from sandbox.reporting.records.run import Run
from sandbox.runs.embeddings import KeptSet, write_embeddings
from sandbox.runs.folder import RunFolder

KEY = "test/retrieval/map@r"


def made_run(loss: str, seed: int, value: float, *, lr: float = 0.003, split: str = "a" * 12, **facts: Any) -> Run:
    """A run whose MAP@R and EER on test are given; no folder stands behind it."""
    recipe = Recipe(
        loss=str(resolve(loss)),
        data=DataSpec(name=facts.pop("data", "digits")),
        optimizer=OptimizerSpec(lr=lr),
        seed=seed,
    )
    report = {"test": {"retrieval/map@r": {"value": value}, "verification/eer": {"value": 1 - value}}}
    return Run(Path("nowhere"), digest(recipe), seed, recipe, report, split, "made by a test", facts=facts)


def made_groups(values: Mapping[str, Sequence[float]], **more: Any) -> list[Group]:
    """A recipe for each objective, with a seed for each of its values."""
    return group([made_run(loss, seed, v, **more) for loss, many in values.items() for seed, v in enumerate(many)])[0]


def made_folder(root: Path, loss: str, seed: int, *, noise: float = 0.8, embeddings: bool = True, **more: Any) -> Path:
    """A run folder as training leaves it: 12 people of 6 images, whose report is of the embeddings that it keeps."""
    recipe = Recipe(
        loss=str(resolve(loss)), data=DataSpec(name="digits"), seed=seed,
        evaluate=EvaluateSpec(recall_at=(1, 5)), optimizer=OptimizerSpec(**more),
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(12), 6)
    x = np.random.default_rng(99).normal(size=(12, 8))[y] + noise * rng.normal(size=(len(y), 8))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    found = evaluate(Labelled(x, y), Options(recall_at=(1, 5))).figures
    name = "".join(c if c.isalnum() else "-" for c in loss)
    folder = RunFolder(root / f"20260101-00000{seed}-{name}-{len(list(root.glob('*')))}-s{seed}")
    folder.path.mkdir(parents=True)
    from sandbox.recipe.text import to_toml

    facts = {
        "id": folder.path.name, "status": "done", "command": "made by a test", "digest": digest(recipe), "seed": seed,
        "objective": recipe.loss, "split": "b" * 12, "parameters": {"backbone": 1000, "head": 24},
        "images_per_second": 100.0, "seconds": {"training": 36.0}, "device": "cpu",
    }  # fmt: skip
    (folder.path / "recipe.toml").write_text(to_toml(recipe), encoding="utf-8")
    (folder.path / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    (folder.path / "report.json").write_text(json.dumps({"val": found, "test": found}), encoding="utf-8")
    rows = [
        {"step": step, "loss": 1 / step + seed, "effective_rank": 3.0 + seed, "lr": 0.01}
        | ({"val": {"retrieval/map@r": 0.1 * step - 0.01 * step**2 + 0.01 * seed}} if step % 2 == 0 else {})
        for step in range(1, 11)
    ]
    (folder.path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    if embeddings:
        write_embeddings(folder, {"val": KeptSet(x.copy(), y), "test": KeptSet(x, y)}, closed_set=False)
    return folder.path
