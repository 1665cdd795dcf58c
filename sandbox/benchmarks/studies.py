"""A search by one worker of many threads, and by many workers of one."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sandbox.called import started_by
from sandbox.recipe.specs import Recipe


def workers_against_threads(recipe: Recipe, rounds: int) -> Iterator[str]:
    """Trials an hour of one worker with all processors against one worker a processor; and what a trial costs beside.

    Trials of equal length: nothing is pruned. A process's start and its first trial are not counted.
    """
    processors = os.cpu_count() or 1
    paces: dict[int, list[float]] = {1: [], processors: []}
    beside: list[float] = []
    for turn in range(rounds):
        for workers in sorted(paces, reverse=bool(turn % 2)):
            pace, rest = _search_pace(recipe, workers, processors // workers)
            paces[workers].append(pace)
            beside += rest if workers == 1 else []
    many, one = (statistics.median(paces[workers]) for workers in (processors, 1))
    yield (
        f"trials an hour: {many:,.0f} by {processors} workers of one thread, {one:,.0f} by one worker of {processors}, "
        f"ratio {many / one:.2f}"
    )
    yield f"a trial beside training and evaluation: {statistics.median(beside):.2f} s (at most 0.6 wanted)"


def _search_pace(recipe: Recipe, workers: int, threads: int) -> tuple[float, list[float]]:
    """Trials an hour of a search, and the seconds of each trial that were neither training nor evaluation."""
    from sandbox.recipe.text import to_flags
    from sandbox.runs.folder import RunFolder
    from sandbox.tuning.study.read import read_study

    given = to_flags(replace(recipe, loss="triplet(margin=tune(0.05, 0.5))", threads=threads))
    with tempfile.TemporaryDirectory() as out:
        words = f"--trials {4 * workers} --workers {workers} --sampler random --pruner none --no_baseline --no_pictures"
        line = " ".join([*started_by("tune"), *given, *words.split(), "--study mine --out", out])
        subprocess.run(line, shell=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        trials = list(read_study(Path(out) / "mine").trials)[workers:]
        began = [trial.started.timestamp() for trial in trials if trial.started]
        ended = [trial.ended.timestamp() for trial in trials if trial.ended]
        runs = [RunFolder(Path(out) / "mine" / "runs" / trial.runs[0]).read_json("run.json") for trial in trials]
    inside = [run["seconds"]["total"] for run in runs]
    beside = [end - begin - own for begin, end, own in zip(began, ended, inside, strict=True)]
    between = [later - earlier for earlier, later in zip(ended, began[1:], strict=False)] if workers == 1 else [0.0]
    beside = [seconds + statistics.fmean(between) for seconds in beside]
    return 3600 * len(trials) / (max(ended) - min(began)), beside
