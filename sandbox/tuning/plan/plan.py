"""`Plan`: what a study searches, by what means, and what it reaches for, as plain data that goes to any process."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from optuna.study import StudyDirection

from sandbox.data.catalog import in_all_folds
from sandbox.errors import SandboxError, near, unknown
from sandbox.evaluation.figures import lower_is_better, validation_keys
from sandbox.recipe.episodes import parse_tasks
from sandbox.recipe.extra import parse_extra
from sandbox.recipe.specs import Recipe, digest, replace
from sandbox.recipe.text import to_toml
from sandbox.tuning.plan.constraints import Constraint, read_constraint
from sandbox.tuning.plan.draw import SAMPLERS, check_sampler
from sandbox.tuning.plan.protocol import JUDGE, VALIDATION, check_protocol, tuning_recipe
from sandbox.tuning.plan.prune import PRUNERS, check_pruner
from sandbox.tuning.plan.space import Space, read_space

_LONGEST_NAME = 100
MOST_RUNS = 100
"""Of one trial."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What defines a study; two plans of one `name` are one search."""

    recipe: Recipe
    """Its objective holds marks."""
    search: tuple[str, ...] = ()
    """Settings that are searched beside, such as ``optimizer.lr=tune()``."""
    monitors: tuple[str, ...] = ()
    """Report keys of validation to reach for; the recipe's own monitor where empty. The first decides on pruning."""
    constraints: tuple[str, ...] = ()
    """What a trial must keep to (`sandbox.tuning.plan.constraints`)."""
    sampler: str = "tpe"
    pruner: str = "median"
    trial_seeds: int = 1
    """Seeds of each trial, whose figures are averaged."""
    folds: int = 0
    """Class-disjoint folds of training and validation, each validation once; 0 takes the split as it is."""
    protocol: str = ""
    """A comparison of the literature that is kept to (`sandbox.tuning.plan.protocol`): the fold after that of
    validation judges its trials."""
    baseline: bool = True
    """Whether the default values are trained first."""
    tags: tuple[str, ...] = ()
    """What its runs are called by; two plans that differ in nothing else are one."""

    @cached_property
    def space(self) -> Space:
        """What is searched."""
        return read_space(self.judged, self.search)

    @cached_property
    def limits(self) -> tuple[Constraint, ...]:
        """The constraints, read."""
        spec = self.recipe.evaluate
        keys = validation_keys(spec.recall_at, spec.far, parse_tasks(spec.episodes), parse_extra(spec.figures))
        return tuple(read_constraint(text, keys) for text in self.constraints)

    @property
    def goals(self) -> tuple[str, ...]:
        """The report keys that are reached for."""
        return self.monitors or (self.recipe.evaluate.monitor,)

    @property
    def judged(self) -> Recipe:
        """The recipe, whose weights are chosen by the first goal."""
        return replace(self.recipe, "evaluate.monitor", self.goals[0])

    @property
    def judge(self) -> str:
        """What the figures of a trial are of."""
        return JUDGE if self.protocol else VALIDATION

    @property
    def lower(self) -> tuple[bool, ...]:
        """Of each goal, whether less is better."""
        return tuple(map(lower_is_better, self.goals))

    @property
    def directions(self) -> tuple[StudyDirection, ...]:
        """As Optuna has it."""
        return tuple(StudyDirection.MINIMIZE if low else StudyDirection.MAXIMIZE for low in self.lower)

    @property
    def runs(self) -> int:
        """Runs of each trial."""
        return max(1, self.folds) * self.trial_seeds

    def plain(self) -> Plan:
        """The same without what was worked out, for another process."""
        return dataclasses.replace(self)

    def recipes(self, recipe: Recipe) -> list[tuple[str, Recipe]]:
        """Every run of a trial: what is put behind the name of its folder, and its recipe."""
        runs = []
        for fold in range(1, self.folds + 1) if self.folds else (0,):
            of_fold = recipe
            if fold and self.protocol:
                of_fold = tuning_recipe(recipe, fold, self.folds)
            elif fold:
                of_fold = replace(recipe, "data.val_fold", f"{fold}/{self.folds}")
            for seed in range(self.trial_seeds):
                suffix = (f"-f{fold}" if fold else "") + (f"-s{seed}" if self.trial_seeds > 1 else "")
                runs.append((suffix, dataclasses.replace(of_fold, seed=recipe.seed + seed)))
        return runs

    @property
    def identity(self) -> str:
        """The digest of everything but the marks; equal in two plans where one may be the wider one of the other."""
        rest = {name: value for name, value in self._options().items() if value != _OPTIONS[name]}
        return digest(dataclasses.replace(self.judged, loss="", miner="none")) + json.dumps(rest, sort_keys=True)

    @property
    def name(self) -> str:
        """The name that the same search always has: what is searched, and the digest of everything else."""
        space = self.space
        marks = json.dumps({name: str(mark) for name, mark in space.marks.items()}, sort_keys=True)
        options = {name: value for name, value in self._options().items() if value != _OPTIONS[name]}
        marks += json.dumps(options, sort_keys=True) if options else ""
        recipe = dataclasses.replace(space.recipe, loss=str(space.expression) + marks, miner="none")
        label = "-".join(term.loss.entry.name for term in space.expression.terms)
        return f"{label[:_LONGEST_NAME].rstrip('-')}-{digest(recipe)[:8]}"

    def facts(self, command: str) -> dict[str, Any]:
        """What a study keeps of its plan."""
        space = self.space
        return {
            "command": command,
            "name": self.name,
            "monitor": self.goals[0],
            "monitors": list(self.goals),
            "search": {name: str(mark) for name, mark in space.marks.items()},
            "objective": str(space.expression),
            "identity": self.identity,
            "recipe": to_toml(self.recipe),
            "settings": list(self.search),
            "constraints": [str(limit) for limit in self.limits],
            "sampler": self.sampler,
            "pruner": self.pruner,
            "trial_seeds": self.trial_seeds,
            "folds": self.folds,
            "seed": self.recipe.seed,
        } | ({"protocol": self.protocol} if self.protocol else {})

    def _options(self) -> dict[str, Any]:
        limits = [str(limit) for limit in self.limits]
        return {"monitors": list(self.goals[1:]), "constraints": limits} | {
            name: getattr(self, name) for name in ("sampler", "pruner", "trial_seeds", "folds", "protocol")
        }


_OPTIONS = {"monitors": [], "constraints": [], "sampler": "tpe", "pruner": "median", "trial_seeds": 1, "folds": 0}
_OPTIONS |= {"protocol": ""}
"""What the first studies had, whose names hold none of it."""


def check_plan(plan: Plan) -> None:
    """Refuse a plan that no study could follow.

    Raises:
        SandboxError: says what is wrong with it.
    """
    if in_all_folds(plan.recipe.data):
        raise SandboxError(
            "data.fold is all, but a study looks at no test: choose without those folds (data.view=view1), then train "
            "them by run.py"
        )
    _check_steps(plan.recipe)
    spec = plan.recipe.evaluate
    keys = validation_keys(spec.recall_at, spec.far, parse_tasks(spec.episodes), parse_extra(spec.figures))
    for name in plan.goals:
        if name not in keys:
            raise SandboxError(f"--monitors: '{name}' is no report key{near(name, keys)}; there are {', '.join(keys)}")
    if len(set(plan.goals)) < len(plan.goals):
        raise SandboxError(f"--monitors names a figure twice: {' '.join(plan.goals)}")
    if plan.sampler not in SAMPLERS:
        raise unknown("sampler", plan.sampler, SAMPLERS)
    if plan.pruner not in PRUNERS:
        raise unknown("pruner", plan.pruner, PRUNERS)
    if plan.trial_seeds < 1:
        raise SandboxError(f"--trial_seeds is {plan.trial_seeds}, but is at least 1")
    if plan.folds < 0 or plan.folds == 1:
        raise SandboxError(f"--folds is {plan.folds}, but is 2 or more, or 0 for the split as it is")
    check_protocol(plan.protocol, plan.folds, plan.recipe)
    if plan.runs > MOST_RUNS:
        raise SandboxError(f"--folds x --trial_seeds makes {plan.runs:,} runs of each trial; at most {MOST_RUNS} do")
    check_sampler(plan.sampler, plan.space, len(plan.goals))
    check_pruner(plan.pruner, plan.runs)
    _ = plan.limits


def _check_steps(recipe: Recipe) -> None:
    """Trials are compared, and cut, at steps that all of them take."""
    if recipe.max_seconds is not None:
        raise SandboxError(
            f"max_seconds is {recipe.max_seconds:g}, but a study compares its trials at the same steps: give max_steps"
        )
    if recipe.max_steps == 0:
        raise SandboxError("max_steps is 0, which trains nothing, so that there is nothing to search")
