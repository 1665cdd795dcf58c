"""`study`: a search of the values that are marked with tune()."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sandbox.api.given import place, text, texts, whole
from sandbox.api.settings import recipes_of
from sandbox.called import called
from sandbox.errors import SandboxError
from sandbox.recipe.specs import Recipe
from sandbox.recipe.text import quoted, to_flags
from sandbox.training.stopping import listen
from sandbox.tuning.plan.plan import Plan, check_plan
from sandbox.tuning.search.claims import Goal
from sandbox.tuning.search.cost import try_out
from sandbox.tuning.search.events import TrialOver
from sandbox.tuning.search.workers import Job, studies_of, work
from sandbox.tuning.study.read import read_study, recipe_of
from sandbox.tuning.study.record import StudyRecord, TrialRecord
from sandbox.tuning.study.study import open_study


@dataclass(frozen=True)
class Study:
    """A study: its trials, and the best of them by validation."""

    folder: Path

    @cached_property
    def record(self) -> StudyRecord:
        """What was searched, and every trial."""
        return read_study(self.folder)

    @property
    def trials(self) -> Sequence[TrialRecord]:
        """All trials in their order, that of the default values first."""
        return self.record.trials

    @property
    def best(self) -> TrialRecord:
        """The best complete trial.

        Raises:
            SandboxError: there is none.
        """
        found = self.record.best()
        if found is None:
            raise SandboxError(f"no trial of {self.folder} is complete and meets every constraint")
        return found

    def recipe(self, number: int | None = None) -> Recipe:
        """The recipe of a trial, for `train`; of the best where no number is given."""
        return recipe_of(open_study(self.folder), number)


def study(
    loss: str,
    *,
    trials: int = 20,
    search: Sequence[str] = (),
    recipe: Recipe | str | Path | None = None,
    sampler: str = "tpe",
    pruner: str = "median",
    monitors: Sequence[str] = (),
    constraints: Sequence[str] = (),
    name: str = "",
    out: str | Path = "results/studies",
    pictures: bool = False,
    watch: Callable[[Any], object] | None = None,
    **settings: Any,
) -> Study:
    """Search marked values by validation alone; the same call again goes on with its study.

    Args:
        loss: the objective with marks, such as ``"triplet(margin=tune(0.05, 0.5))"``.
        trials: in all, complete or pruned, those of an earlier call counted.
        search: settings beside it, such as ``"optimizer.lr=tune(1e-4, 1e-2, log=True)"``.
        recipe: what the settings go over, as for `train`.
        sampler: tpe, random, gp, cmaes, qmc or grid.
        pruner: median, none, hyperband, patient or wilcoxon.
        monitors: report keys to reach for, in place of evaluate.monitor.
        constraints: what a trial must keep to, such as ``"images_per_second >= 500"``.
        name: of the study; by what is searched where not given.
        out: folder that the study's folder is made in.
        pictures: draw each trial for the dashboard.
        watch: called with what happens (`sandbox.tuning.search.events`); where not given, a line is printed for each
            trial that is over.
        settings: as for `train`.

    Raises:
        SandboxError: nothing is marked, a setting or value that does not exist, or data that cannot be read.
    """
    wanted = whole("trials", trials, 1)
    named = recipes_of(recipe, {"loss": loss, **settings})
    if len(named) > 1:
        raise SandboxError(f"a recipe with stages ({', '.join(stage for stage, _ in named)}) cannot be searched")
    plan = Plan(
        recipe=named[0][1],
        search=texts("search", search),
        monitors=texts("monitors", monitors),
        constraints=texts("constraints", constraints),
        sampler=text("sampler", sampler),
        pruner=text("pruner", pruner),
    )
    check_plan(plan)
    folder = place("out", out) / (text("name", name) or plan.name)
    try_out(plan)  # a recipe that is refused makes no study of failed trials
    job = Job((plan,), (folder,), Goal(wanted, float("inf"), 0), "", _typed(plan, wanted), pictures, 0)
    with listen():
        for event in work(job, studies_of(job)):
            (watch or _told)(event)
    return Study(folder)


def _typed(plan: Plan, trials: int) -> str:
    """The command that makes the same study."""
    words = [*to_flags(plan.recipe), "--trials", str(trials), "--sampler", plan.sampler, "--pruner", plan.pruner]
    several = {"--search": plan.search, "--monitors": plan.monitors, "--constraint": plan.constraints}
    words += [word for flag, given in several.items() if given for word in (flag, *map(quoted, given))]
    return " ".join([called("tune"), *words])


def _told(event: Any) -> None:
    if isinstance(event, TrialOver):
        trial = event.trial
        value = f"{trial.values[0]:.4f}" if trial.values else trial.state
        print(f"trial {trial.number}: {value}  {trial.params}")
