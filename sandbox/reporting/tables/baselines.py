"""Rows of what any network should be above, and columns of how far rows are from one of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from statistics import fmean

from sandbox.errors import SandboxError, near
from sandbox.evaluation.figures import lower_is_better
from sandbox.evaluation.intervals.paired import paired
from sandbox.reporting.records.groups import Group
from sandbox.reporting.records.run import HAUSDORFF, RAW_PIXELS, ROWS, UNTRAINED, Run
from sandbox.reporting.records.spelling import short_objective
from sandbox.reporting.tables.arrange import Arranged
from sandbox.reporting.tables.mixed import judged_by
from sandbox.reporting.tables.numbers import figure_cell, written
from sandbox.reporting.tables.table import Cell
from sandbox.wording import counted, first_names

Foot = tuple[tuple[str, ...], dict[tuple[int, str], Cell]]
"""Labels of a baseline's row, and (block, report key) -> its cell."""


def wanted(asked: bool | None, runs: Sequence[Run]) -> bool:
    """Whether baselines are rows.

    Raises:
        SandboxError: they are asked for, and no run has any.
    """
    if asked and not any(run.baselines for run in runs):
        count = counted(len(runs), "run", "runs")
        raise SandboxError(
            f"--baselines asks for raw pixels and untrained networks, but none of {count} has their figures; runs that "
            "are trained from now on do"
        )
    return all(run.baselines for run in runs) if asked is None else asked


def baseline_rows(arranged: Arranged, keys: Sequence[str], percent: bool) -> list[Foot]:
    """A row of raw pixels, of what else has no network, and of each untrained network that a setting tells apart."""
    blocks = range(len(arranged.blocks))
    width = len(arranged.keys)
    rows: list[Foot] = []
    for which in (RAW_PIXELS, ROWS, HAUSDORFF):
        cells = {(b, key): _of_images(which, arranged.of_block(b), key, percent) for b in blocks for key in keys}
        rows.append(((which, *[""] * (width - 1)), cells))
    of_network = [k for k, name in enumerate(arranged.keys) if name.startswith("backbone.")]
    networks = dict.fromkeys(tuple(label[k] for k in of_network) for label in arranged.labels)
    for network in networks:
        inside = [tuple(label[k] for k in of_network) == network for label in arranged.labels]
        cells = {}
        for b in blocks:
            groups = [row[b] for row, here in zip(arranged.groups, inside, strict=True) if here and row[b] is not None]
            for key in keys:
                cells[b, key] = figure_cell(key, _untrained([g for g in groups if g is not None], key), percent)
        labels = [""] * width
        for k, text in zip(of_network, network, strict=True):
            labels[k] = text
        if 0 not in of_network:
            labels[0] = UNTRAINED
        else:
            labels[0] = f"{UNTRAINED}, {labels[0]}"
        rows.append((tuple(labels), cells))
    return [row for row in rows if any(cell.text for cell in row[1].values())]


def _values(run: Run, which: str, key: str) -> list[float]:
    split, _, plain = key.partition("/")
    entry = run.baselines.get(which, {}).get(split, {}).get(plain)
    return [] if entry is None else [float(entry["value"])]


def _of_images(which: str, groups: Sequence[Group], key: str, percent: bool) -> Cell:
    """A figure of the images themselves: one for a split, unless rows see the images in several sizes."""
    found = [value for one in groups for run in one.runs for value in _values(run, which, key)]
    if not found:
        return Cell()
    low, high = (written(key, value, math.nan, (), percent) for value in (min(found), max(found)))
    return high if high.text == low.text else Cell(f"{low.text} to {high.text}")


def _untrained(groups: Sequence[Group], key: str) -> dict[int, float]:
    """Seed -> the figure at step 0; the mean where rows share a seed, as heads and folds differ."""
    found: dict[int, list[float]] = {}
    for run in (run for one in groups for run in one.runs):
        for value in _values(run, UNTRAINED, key):
            found.setdefault(run.seed, []).append(value)
    return {seed: fmean(found[seed]) for seed in sorted(found)}


def reference_rows(arranged: Arranged, objective: str) -> list[int | None]:
    """For each row the row that it is compared with: of that objective, with the other settings alike.

    Raises:
        SandboxError: no row, or no single row, is of that objective.
    """
    objectives = [next(g.objective for g in row if g is not None) for row in arranged.groups]
    if "miner" in (*arranged.keys, *arranged.across):
        from sandbox.reporting.records.objective_parts import parts_of

        objectives = [parts_of(text).without_miners for text in objectives]
    names = {name: text for text in objectives for name in (short_objective(text), text)}
    if objective not in names:
        from sandbox.objectives.resolve import resolve

        with suppress(SandboxError):
            objective = str(resolve(objective))
    text = names.get(objective)
    rows = [place for place, other in enumerate(objectives) if other == text]
    if not rows:
        there = list(dict.fromkeys(map(short_objective, objectives)))
        close = near(objective, names) or f"; there are {first_names(there)}"
        raise SandboxError(f"--baseline '{objective}' is the objective of no row{close}")
    if len(rows) == 1:
        return [rows[0]] * len(objectives)
    beside = [k for k, name in enumerate(arranged.keys) if name != "loss"]
    others = [tuple(label[k] for k in beside) for label in arranged.labels]
    alike = [[row for row in rows if others[row] == other] for other in others]
    return [found[0] if len(found) == 1 else None for found in alike]


def difference_cell(one: Group | None, other: Group | None, key: str, percent: bool) -> Cell:
    """The mean difference on the seeds that both have, and half of its 95 % t-interval.

    Empty without such a seed, and where the two do not compare.
    """
    if one is None or other is None or judged_by(one) != judged_by(other):
        return Cell()
    mine, theirs = one.by_seed(key), other.by_seed(key)
    shared = sorted(mine.keys() & theirs.keys())
    if not shared:
        return Cell()
    found = paired([mine[s] for s in shared], [theirs[s] for s in shared], lower=lower_is_better(key))
    return written(key, found.difference, found.half, shared, percent, signed=True)
