"""After the search: winner and default of each study trained again on fresh seeds, and test scored, once.

STUDY/final/KIND-DIGEST-sSEED/run   a run folder each; KIND is default or tuned
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from sandbox.errors import SandboxError
from sandbox.files import write_whole
from sandbox.pipeline.events import Done, Note, Progress
from sandbox.recipe.specs import Recipe, digest
from sandbox.reporting.tuning_table import DEFAULT, TUNED, Tuned
from sandbox.runs.folder import RunFolder
from sandbox.runs.lock import holder, locked
from sandbox.training.loop import Diverged
from sandbox.tuning.events import Event, Retrained, Retraining, Waiting
from sandbox.tuning.heartbeat import Watcher
from sandbox.tuning.plan import Plan
from sandbox.tuning.read import recipe_of, record_study
from sandbox.tuning.study import Study
from sandbox.tuning.trial_run import Failed, run_events

_SHOWN = ("retrieval/map@r", "retrieval/recall@1", "verification/auc")
_POLL = 1.0


@dataclass(frozen=True)
class Fresh:
    """One run of the winner or of the default values."""

    study: Study
    goal: str
    """Report key that the study reaches for first."""
    kind: str
    seed: int
    recipe: Recipe

    @property
    def folder(self) -> Path:
        """Where the run lies, and whoever is at it says so."""
        return self.study.folder / "final" / f"{self.kind}-{digest(self.recipe)[:6]}-s{self.seed}"

    @property
    def run(self) -> RunFolder:
        """Its run folder, which may not be there yet."""
        return RunFolder(self.folder / "run")

    @property
    def over(self) -> bool:
        """Whether it was trained, or came to nothing."""
        return (self.folder / "failed.json").is_file() or (
            (self.run.path / "run.json").is_file() and self.run.status() == "done"
        )


def fresh_seeds(plan: Plan, count: int) -> list[int]:
    """Seeds that no trial of the study has seen."""
    first = plan.recipe.seed + plan.trial_seeds
    return list(range(first, first + count))


def retrain(searches: Sequence[tuple[Plan, Study]], count: int) -> Generator[Event, None, None]:
    """Train the winner and the default values of each study on so many fresh seeds; several processes may do so.

    Args:
        searches: each plan with its study; trials that run are waited for.
        count: seeds; all studies have the same.

    Raises:
        SandboxError: a study has no winner, or no default values.
    """
    while any(_flying(study) for _, study in searches):
        yield Waiting()
        time.sleep(_POLL)
    runs = fresh_runs(searches, count)
    while left := [fresh for fresh in runs if not fresh.over]:
        free = [fresh for fresh in left if not holder(fresh.folder)]
        if not free:
            yield Waiting()
            time.sleep(_POLL)
            continue
        yield from _train(free[0], runs)


def fresh_runs(searches: Sequence[tuple[Plan, Study]], count: int) -> list[Fresh]:
    """Every run that is to be trained, in the order to be trained: all studies on the first seed, then on the next.

    Raises:
        SandboxError: a study has no winner, or no default values.
    """
    kinds = []
    for plan, study in searches:
        defaults = check_default(plan)
        for kind, recipe in ((DEFAULT, plan.space.fill(defaults)), (TUNED, recipe_of(study))):
            kinds.append((study, plan.goals[0], kind, recipe))
    return [
        Fresh(study, goal, kind, seed, dataclasses.replace(recipe, seed=seed))
        for seed in fresh_seeds(searches[0][0], count)
        for study, goal, kind, recipe in kinds
    ]


def check_default(plan: Plan) -> dict[str, Any]:
    """The default values of what is searched, which the winner is compared with.

    Raises:
        SandboxError: something searched has none.
    """
    defaults = plan.space.defaults()
    if defaults is None:
        raise SandboxError(f"--final compares with the default values, which {plan.space.expression} lacks")
    return defaults


def _train(fresh: Fresh, runs: Sequence[Fresh]) -> Iterator[Event]:
    """Train one, unless another process was quicker to begin."""
    fresh.folder.mkdir(parents=True, exist_ok=True)
    began, name, figure = time.monotonic(), fresh.study.folder.name, None
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(fresh.folder))
        except SandboxError:
            return
        if fresh.over:
            return
        try:
            for event in run_events(fresh.folder, "run", fresh.recipe, test=True):
                if isinstance(event, Progress):
                    yield Retraining(name, fresh.kind, fresh.seed, event.done, event.total)
                elif isinstance(event, Note):
                    yield event
                elif isinstance(event, Done):
                    figure = event.report["test"].get(fresh.goal, {}).get("value")
        except (Failed, Diverged) as error:
            write_whole(fresh.folder / "failed.json", json.dumps({"why": str(error)}) + "\n")
    over = sum(one.over for one in runs)
    yield Retrained(name, fresh.kind, fresh.seed, figure, time.monotonic() - began, over, len(runs))


def _flying(study: Study) -> bool:
    """Whether a trial of a study is being trained by someone who lives."""
    watcher = Watcher()
    return any(trial.state == TrialState.RUNNING and not watcher.gone(trial) for trial in study.trials())


def results(searches: Sequence[tuple[Plan, Study]], count: int) -> list[Tuned]:
    """What was measured, for tables; figures of test that every run has, the goals first."""
    runs = fresh_runs(searches, count)
    reports = {(fresh.study.folder, fresh.kind, fresh.seed): _report(fresh) for fresh in runs}
    keys = [
        key for key in dict.fromkeys((*searches[0][0].goals, *_SHOWN)) if all(key in r for r in reports.values() if r)
    ]
    seeds = fresh_seeds(searches[0][0], count)
    found = []
    for (plan, study), name in zip(searches, labels([plan for plan, _ in searches]), strict=True):
        record = record_study(study)
        best, default = record.best(), record.default()
        assert best is not None  # or `fresh_runs` had refused it
        figures = {
            kind: {key: [reports[study.folder, kind, seed].get(key, float("nan")) for seed in seeds] for key in keys}
            for kind in (DEFAULT, TUNED)
        }
        defaults = plan.space.defaults()
        found.append(
            Tuned(
                name=name,
                default=plan.space.fill(defaults or {}).loss,
                winner=best.objective,
                trials=sum(trial.counts for trial in record.trials),
                default_value=default.values[0] if default else None,
                winner_value=best.values[0],
                seeds=tuple(seeds),
                default_figures=figures[DEFAULT],
                winner_figures=figures[TUNED],
            )
        )
    return found


def split_of(searches: Sequence[tuple[Plan, Study]], count: int) -> str:
    """Which images were trained on, chosen on and tested, for a table's text."""
    for fresh in fresh_runs(searches, count):
        if fresh.over and (fresh.run.path / "run.json").is_file():
            facts = fresh.run.read_json("run.json")
            parts = (
                f"{name} {row['images']:,} images of {row['classes']:,} classes" for name, row in facts["data"].items()
            )
            return f"{fresh.recipe.data.name}, split {facts['split']} ({', '.join(parts)}), {facts['steps']:,} steps"
    return searches[0][0].recipe.data.name


def labels(plans: Sequence[Plan]) -> list[str]:
    """A short name for each objective, such as arcface+center; one that stands twice is numbered."""
    names = ["+".join(term.loss.entry.name for term in plan.space.expression.terms) for plan in plans]
    return [name if names.count(name) == 1 else f"{name}-{names[: i + 1].count(name)}" for i, name in enumerate(names)]


def _report(fresh: Fresh) -> dict[str, float]:
    """The figures of test; none of a run that came to nothing."""
    if not (fresh.run.path / "report.json").is_file():
        return {}
    report: dict[str, Any] = fresh.run.read_json("report.json")
    return {key: float(entry["value"]) for key, entry in report.get("test", {}).items()}
