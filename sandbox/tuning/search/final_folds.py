"""The K models of one repeat of a protocol as two figures of test: the mean of theirs, and that of all as one."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.ensemble import side_by_side
from sandbox.evaluation.figures import CONCATENATED, SEPARATED, Figures
from sandbox.evaluation.report import Labelled, Options, evaluate
from sandbox.files import write_whole
from sandbox.pipeline.judging.few_shot import asked
from sandbox.recipe.extra import parse_extra
from sandbox.runs.embeddings import KeptSet, one_shot_figures, read_embeddings
from sandbox.runs.folder import RunFolder

COMBINED = "combined.json"
"""Beside the runs of a repeat, written when the last of them is over."""


def combine(folder: Path, runs: Sequence[RunFolder]) -> None:
    """Write the figures of all models of a repeat, ``separated/KEY`` and ``concatenated/KEY``, to `COMBINED`.

    Args:
        folder: of the repeat.
        runs: of its models, all done.

    Raises:
        SandboxError: they were not tested on the same images, or one of them is damaged.
    """
    _check_same_test(runs)
    reports = [run.read_json("report.json")["test"] for run in runs]
    found = {
        f"{SEPARATED}/{key}": statistics.fmean(float(report[key]["value"]) for report in reports)
        for key in reports[0]
        if all(key in report for report in reports)
    }
    kept = [read_embeddings(run) for run in runs]
    there = [name for name in ("test", "test/verify", "test/oneshot") if name in kept[0]]
    sets = {name: concatenated([one.take(name) for one in kept]) for name in there}
    spec = runs[0].recipe().evaluate
    test, apart = sets.get("test"), sets.get("test/verify")
    figures: Figures = {}
    if test is not None:
        figures |= evaluate(
            Labelled(test.x, test.labels),
            Options(
                recall_at=spec.recall_at,
                far=spec.far,
                episodes=asked(spec),
                extra=parse_extra(spec.figures),
                roles=test.roles,
            ),
            pairs=test.pairs if apart is None else apart.pairs,
            verified=None if apart is None else Labelled(apart.x, apart.labels),
        ).figures
    figures |= one_shot_figures(sets, "test")
    found |= {f"{CONCATENATED}/{key}": float(entry["value"]) for key, entry in figures.items()}
    text = json.dumps({"runs": [run.path.name for run in runs], "test": found}, indent=1)
    write_whole(folder / COMBINED, text + "\n")


def concatenated(kept: Sequence[KeptSet]) -> KeptSet:
    """The embeddings of several models side by side, (N, D1 + D2 + ...) float32 unit rows.

    Args:
        kept: of each model, (N, D) unit rows of the same images in the same order.

    Raises:
        SandboxError: their labels differ, so that they are of other images.
    """
    first = kept[0]
    if any(not np.array_equal(one.labels, first.labels) for one in kept[1:]):
        raise SandboxError("models of several folds have embedded other test images, or in another order")
    return KeptSet(side_by_side([one.x for one in kept]), first.labels, first.pairs, first.trials, first.roles)


def read_combined(folder: Path) -> dict[str, float]:
    """The figures of a repeat; none where it came to nothing.

    Raises:
        SandboxError: the file is damaged.
    """
    if not (folder / COMBINED).is_file():
        return {}
    match RunFolder(folder).read_json(COMBINED):
        case {"test": {**figures}}:
            kept = {str(key): float(value) for key, value in figures.items() if isinstance(value, int | float)}
            if len(kept) == len(figures):
                return kept
    raise SandboxError(f"{folder / COMBINED} is damaged: it has no figures of test")


def shown_key(key: str) -> str:
    """The key of the figure that is told of a repeat while it is trained."""
    return f"{SEPARATED}/{key}"


def both_keys(keys: Sequence[str]) -> list[str]:
    """Of each figure the two of several models."""
    return [f"{models}/{key}" for key in keys for models in (SEPARATED, CONCATENATED)]


def folds_said(data: Mapping[str, Mapping[str, int]], folds: int) -> str:
    """Which images are cut into folds and which are tested, by what run.json says of one of the runs."""
    images, classes = (data["train"][what] + data["val"][what] for what in ("images", "classes"))
    test = data["test"]
    return (
        f"{folds} folds of {images:,} images of {classes:,} classes, test {test['images']:,} images of "
        f"{test['classes']:,} classes"
    )


def _check_same_test(runs: Sequence[RunFolder]) -> None:
    """By the names of the images, which tell more than their labels do."""
    seen: list[Any] = [run.read_json("run.json").get("test_images") for run in runs]
    if None in seen or len(set(seen)) > 1:
        raise SandboxError(
            f"the {len(runs)} models of {runs[0].path.parent} were not tested on the same images: the data has changed "
            "between their runs; take that folder away to train them anew"
        )
