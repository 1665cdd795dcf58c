"""After the search: winner and default of each study trained again on fresh seeds, and test scored, once.

STUDY/final/KIND-DIGEST-sSEED/run   a run folder each; KIND is default or tuned
                             /run-f1 ... run-fK, combined.json   under a protocol (`sandbox.tuning.search.final_folds`)
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
from sandbox.pipeline.events import Note, Progress
from sandbox.recipe.specs import Recipe, digest, replace
from sandbox.reporting.tuning_table import DEFAULT, TUNED, Tuned
from sandbox.runs.folder import RunFolder
from sandbox.runs.lock import holder, locked
from sandbox.training.loop import Diverged
from sandbox.tuning.plan.plan import Plan
from sandbox.tuning.plan.protocol import final_recipes, repeat_fold_seed
from sandbox.tuning.search.events import Event, Retrained, Retraining, Waiting
from sandbox.tuning.search.final_folds import COMBINED, both_keys, combine, folds_said, read_combined, shown_key
from sandbox.tuning.search.trial_run import Failed, run_events
from sandbox.tuning.study.heartbeat import Watcher
from sandbox.tuning.study.read import recipe_of, record_study, trials_of
from sandbox.tuning.study.study import Study

_SHOWN = ("retrieval/map@r", "retrieval/recall@1", "verification/auc", "oneshot/accuracy")
_POLL = 1.0


@dataclass(frozen=True)
class Fresh:
    """The winner or the default values on one seed: a run, or under a protocol one for each fold."""

    study: Study
    goal: str
    """Report key that the study reaches for first."""
    kind: str
    seed: int
    recipe: Recipe
    folds: int = 0
    """Of a protocol; 0 trains once, on the split as it is."""
    tags: tuple[str, ...] = ()

    @property
    def recipes(self) -> list[tuple[str, Recipe]]:
        """Name of the folder and recipe of each of its runs."""
        return final_recipes(self.recipe, self.folds) if self.folds else [("run", self.recipe)]

    @property
    def folder(self) -> Path:
        """Where the runs lie, and whoever is at them says so."""
        return self.study.folder / "final" / f"{self.kind}-{digest(self.recipes[0][1])[:6]}-s{self.seed}"

    @property
    def runs(self) -> list[RunFolder]:
        """Its run folders, which may not be there yet."""
        return [RunFolder(self.folder / name) for name, _ in self.recipes]

    @property
    def over(self) -> bool:
        """Whether it was trained, or came to nothing."""
        if (self.folder / "failed.json").is_file():
            return True
        if self.folds:
            return (self.folder / COMBINED).is_file()
        (run,) = self.runs
        return (run.path / "run.json").is_file() and run.status() == "done"

    @property
    def figures(self) -> dict[str, float]:
        """Of test, by report key; none where it came to nothing."""
        if self.folds:
            return read_combined(self.folder)
        (run,) = self.runs
        if not (run.path / "report.json").is_file():
            return {}
        report: dict[str, Any] = run.read_json("report.json")
        return {key: float(entry["value"]) for key, entry in report.get("test", {}).items()}


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
            kinds.append((study, plan, kind, recipe))
    return [
        _fresh(study, plan, kind, recipe, repeat, seed)
        for repeat, seed in enumerate(fresh_seeds(searches[0][0], count))
        for study, plan, kind, recipe in kinds
    ]


def _fresh(study: Study, plan: Plan, kind: str, recipe: Recipe, repeat: int, seed: int) -> Fresh:
    seeded = dataclasses.replace(recipe, seed=seed)
    if not plan.protocol:
        return Fresh(study, plan.goals[0], kind, seed, seeded, tags=plan.tags)
    # Not the recipe's own fold_seed, which may be searched: all rows of a repeat share theirs.
    seeded = replace(seeded, "data.fold_seed", repeat_fold_seed(plan.recipe, repeat))
    return Fresh(study, shown_key(plan.goals[0]), kind, seed, seeded, plan.folds, plan.tags)


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
    began, name, figure, runs_of = time.monotonic(), fresh.study.folder.name, None, fresh.recipes
    spent = trials_of(fresh.study) if fresh.kind == TUNED else 0
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(fresh.folder))
        except SandboxError:
            return
        if fresh.over:
            return
        try:
            for place, (run, recipe) in enumerate(runs_of):
                for event in run_events(fresh.folder, run, recipe, test=True, tags=fresh.tags, trials=spent):
                    if isinstance(event, Progress):
                        done, total = place * event.total + event.done, len(runs_of) * event.total
                        yield Retraining(name, fresh.kind, fresh.seed, done, total)
                    elif isinstance(event, Note):
                        yield event
            if fresh.folds:
                combine(fresh.folder, fresh.runs)
            figure = fresh.figures.get(fresh.goal)
        except (Failed, Diverged) as error:
            write_whole(fresh.folder / "failed.json", json.dumps({"why": str(error)}) + "\n")
            yield Note(f"{name}, {fresh.kind} values on seed {fresh.seed}: {error}")
    over = sum(one.over for one in runs)
    yield Retrained(name, fresh.kind, fresh.seed, figure, time.monotonic() - began, over, len(runs))


def _flying(study: Study) -> bool:
    """Whether a trial of a study is being trained by someone who lives."""
    watcher = Watcher()
    return any(trial.state == TrialState.RUNNING and not watcher.gone(trial) for trial in study.trials())


def results(searches: Sequence[tuple[Plan, Study]], count: int) -> list[Tuned]:
    """What was measured, for tables; figures of test that every run has, the goals first."""
    runs = fresh_runs(searches, count)
    reports = {(fresh.study.folder, fresh.kind, fresh.seed): fresh.figures for fresh in runs}
    wanted = list(dict.fromkeys((*searches[0][0].goals, *_SHOWN)))
    if searches[0][0].protocol:
        wanted = both_keys(wanted)
    keys = [key for key in wanted if all(key in r for r in reports.values() if r)]
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
        defaults = check_default(plan)
        found.append(
            Tuned(
                name=name,
                default=_spelt(plan, plan.space.fill(defaults).loss, defaults),
                winner=_spelt(plan, best.objective, best.params),
                trials=trials_of(study),
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
        run = fresh.runs[0]
        if fresh.over and (run.path / "run.json").is_file():
            facts = run.read_json("run.json")
            if fresh.folds:
                data = folds_said(facts["data"], fresh.folds)
                return f"{fresh.recipe.data.name}, {data}, {facts['steps']:,} steps of {facts['batch']:,} images"
            parts = (
                f"{name} {row['images']:,} images of {row['classes']:,} classes" for name, row in facts["data"].items()
            )
            return f"{fresh.recipe.data.name}, split {facts['split']} ({', '.join(parts)}), {facts['steps']:,} steps"
    return searches[0][0].recipe.data.name


def _spelt(plan: Plan, objective: str, values: dict[str, Any]) -> str:
    """An objective with the settings that were searched beside it."""
    return ", ".join([objective, *(f"{name} {values[name]}" for name in plan.space.settings)])


def labels(plans: Sequence[Plan]) -> list[str]:
    """A short name for each objective, such as arcface+center; one that stands twice is numbered."""
    names = ["+".join(term.loss.entry.name for term in plan.space.expression.terms) for plan in plans]
    return [name if names.count(name) == 1 else f"{name}-{names[: i + 1].count(name)}" for i, name in enumerate(names)]
