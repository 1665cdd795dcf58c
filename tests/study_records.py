"""Studies as plain data, made by hand: a dozen trials of every state, and any number of drawn ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.tuning.study.record import DEFAULT, StudyRecord, TrialRecord

SEARCH = {
    "arcface.margin": "tune(10, 40)",
    "optimizer.lr": "tune(0.0001, 0.1, log=True)",
    "optimizer.name": "tune(['adam', 'sgd'])",
    "backbone.embedding_dim": "tune([64, 128])",
    "center.weight": "tune(0.0001, 1, log=True)",
    "arcface.scale": "tune(8.0, 64.0)",
    "optimizer.weight_decay": "tune(1e-05, 0.3, log=True)",
    "batch.images": "tune(2, 8)",
}
BEGUN = datetime(2026, 3, 1, 12)


def trial(number: int, state: str = "complete", value: float | None = None, **more: Any) -> TrialRecord:
    """A trial of arcface whose margin and learning rate follow from its number."""
    params = {"arcface.margin": 10.0 + 2.5 * number, "optimizer.lr": 1e-4 * 1.7**number}
    facts: dict[str, Any] = {
        "params": params,
        "seconds": 10.0 + number,
        "line": f"python experiments/run.py --loss 'arcface(margin={params['arcface.margin']})' --seed 7",
        "runs": (f"trial-{number:04d}",),
        "started": BEGUN + timedelta(minutes=number),
        "ended": BEGUN + timedelta(minutes=number, seconds=10),
    }
    values = () if value is None else (value,)
    return TrialRecord(number, state, values, **{**facts, **more})


def study(trials: Sequence[TrialRecord], names: int = 2, **more: Any) -> StudyRecord:
    """A study of the first few parameters of `SEARCH`."""
    facts: dict[str, Any] = {
        "name": "arcface",
        "folder": Path("results/studies/arcface"),
        "command": "python experiments/tune.py --loss 'arcface(margin=tune(10, 40))' --trials 9",
        "objective": "arcface(margin=tune(10, 40))",
        "search": dict(list(SEARCH.items())[:names]),
        "monitors": ("retrieval/map@r",),
        "lower": (False,),
        "protocol": {"data": "digits", "seed": 7, "trial_seeds": 1, "sampler": "tpe", "pruner": "median", "trials": 9},
    }
    return StudyRecord(trials=list(trials), **{**facts, **more})


def dozen() -> StudyRecord:
    """Twelve trials of every state; the best is 3, the default 0."""
    curve = {10: 0.2, 20: 0.31}
    return study(
        [
            trial(0, value=0.5, kind=DEFAULT, curve=curve, figures={"retrieval/map@r": 0.5, "verification/eer": 0.2}),
            trial(1, value=0.45, curve=curve),
            trial(2, "pruned", curve={10: 0.12}, why="pruned at step 10: below the median"),
            trial(3, value=0.6123, curve=curve, figures={"retrieval/map@r": 0.6123, "verification/eer": 0.15}),
            trial(4, "failed", why="out of memory at step 3", seconds=None),
            trial(5, value=0.55, curve=curve),
            trial(6, "pruned", curve={10: 0.02}, why="diverged at step 10: the loss is NaN"),
            trial(7, value=0.7, constraints={"images_per_second >= 500": 12.5}),
            trial(8, "interrupted", curve={10: 0.2}, why="its worker is gone", seconds=None),
            trial(9, "running", seconds=None),
            trial(10, "waiting", seconds=None),
            trial(11, value=0.52, curve=curve),
        ]
    )


def drawn(count: int, names: int = 2, *, seed: int = 0, **more: Any) -> StudyRecord:
    """Complete trials whose figure depends on the learning rate alone, or on the first of two choices where names is 0.

    Args:
        count: trials.
        names: parameters, those of `SEARCH` in their order; of 0 the two choices.
        seed: draws them.
        more: fields of the study.
    """
    random = np.random.default_rng(seed)
    trials = []
    for number in range(count):
        rate, noise = float(10 ** random.uniform(-4, -1)), 0.005 * random.normal()
        params: dict[str, Any] = {
            "arcface.margin": float(random.uniform(10, 40)),
            "optimizer.lr": rate,
            "optimizer.name": ["adam", "sgd"][int(random.integers(2))],
            "backbone.embedding_dim": [64, 128][int(random.integers(2))],
            "center.weight": float(10 ** random.uniform(-4, 0)),
            "arcface.scale": float(random.uniform(8, 64)),
            "optimizer.weight_decay": float(10 ** random.uniform(-5, -0.6)),
            "batch.images": int(random.integers(2, 9)),
        }
        value = 0.6 - 0.1 * (np.log10(rate) + 2.5) ** 2 + noise
        kept = list(SEARCH)[:names] if names else ["optimizer.name", "backbone.embedding_dim"]
        made = trial(number, value=float(value), curve={10: value / 2, 20: value})
        trials.append(replace(made, params={name: params[name] for name in kept}))
    search = {name: SEARCH[name] for name in (trials[0].params if trials else SEARCH)}
    return study(trials, **{"search": search, **more})
