"""Search what a recipe marks: python experiments/tune.py --loss "triplet(margin=tune(0.05, 0.5))" --trials 20."""

from __future__ import annotations

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while modules load ends without their traces

import dataclasses
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from sandbox.cli import flags
from sandbox.cli.say import say
from sandbox.cli.study_commands import LOOKS, name_of, run_look
from sandbox.data.catalog import data_kinds
from sandbox.errors import Interrupted, SandboxError, exit_on_error
from sandbox.recipe.specs import Recipe
from sandbox.recipe.text import load
from sandbox.training.stopping import listen

if TYPE_CHECKING:
    from sandbox.tuning.plan import Plan

HERE = Path(__file__).resolve().parent
STUDIES = HERE.parent / "results" / "studies"
WHAT = (
    "Search the values that --loss and --search mark with tune(...), judged by validation alone. The same command "
    "again goes on with its study, from here or from another machine. 'tune.py show STUDY' prints the trials and the "
    "winner, 'tune.py report STUDY' writes a page, 'tune.py dashboard STUDY' serves Optuna's dashboard, 'tune.py sweep "
    "STUDY' removes pictures; each has a --help."
)


@dataclass(frozen=True, kw_only=True)
class Command:
    """What tune.py takes beside the recipe's own settings."""

    settings: Annotated[Recipe, tyro.conf.arg(name="")] = Recipe()
    recipe: str = ""
    """A recipe by name (experiments/recipes/NAME.toml) or FILE.toml; other flags go over it."""
    search: tuple[str, ...] = ()
    """Settings to search beside the objective, such as "optimizer.lr=tune(1e-4, 1e-2, log=True)"."""
    trials: int = 20
    """Trials in all, complete or pruned, those of an earlier call counted."""
    workers: int = 1
    """Processes that train trials side by side; they share the machine's threads, and take its GPUs in turn."""
    per_gpu: int = 1
    """Workers on each GPU."""
    timeout: str = ""
    """A time such as 2h or 45m after which no trial begins."""
    patience: int = 0
    """Trials in a row without a better value after which the study ends; 0 never ends it."""
    sampler: str = "tpe"
    """What draws the points: tpe, random, gp, cmaes, qmc or grid."""
    pruner: str = "median"
    """What cuts trials short: median, none, hyperband, patient or wilcoxon."""
    monitors: tuple[str, ...] = ()
    """Report keys to reach for, in place of --evaluate.monitor; the first decides on pruning."""
    constraint: tuple[str, ...] = ()
    """What a trial must keep to, such as "images_per_second >= 500"."""
    trial_seeds: int = 1
    """Seeds of each trial, averaged."""
    folds: int = 0
    """Class-disjoint folds of the training and validation classes, averaged; 0 takes the split as it is."""
    baseline: bool = True
    """Train the default values first; that counts as no trial."""
    pictures: bool = True
    """Draw each trial for the dashboard."""
    study: str = ""
    """Name of the study; made from what is searched where not given."""
    out: str = ""
    """Folder that studies go into (results/studies where not given)."""
    storage: str = ""
    """Where trials are kept: postgresql://... or sqlite:///FILE; a journal in the study's folder where not given."""


def main() -> None:
    """Read the flags and do what they say."""
    argv = sys.argv[1:]
    if argv and argv[0] in LOOKS:
        return run_look(argv[0], argv[1:], STUDIES)
    named = flags.value(argv, "--recipe")
    base = load(named, HERE / "recipes", data_kinds()) if named else Recipe()
    prog = "python experiments/tune.py"
    command = flags.parse(Command, argv, prog=prog, description=WHAT, default=Command(settings=base))
    check(command)
    flags.quiet_libraries()
    with listen():
        tune(command)


def check(command: Command) -> None:
    """Refuse numbers and names that no study has."""
    for name in ("trials", "workers", "per_gpu"):
        if getattr(command, name) < 1:
            raise SandboxError(f"--{name} is {getattr(command, name)}, but is at least 1")
    if command.patience < 0:
        raise SandboxError(f"--patience is {command.patience}, but is a number of trials, or 0")
    if command.workers > command.trials:
        raise SandboxError(f"--workers is {command.workers}, but --trials is {command.trials}: some had nothing to do")
    plain = command.study.replace("-", "").replace("_", "").replace(".", "")
    if command.study and (not plain.isalnum() or not plain.isascii() or len(command.study) > 150):
        shown = command.study if len(command.study) <= 60 else f"{command.study[:60]}..."
        raise SandboxError(f"--study '{shown}' is no plain name: up to 150 letters, digits, - _ and . make one")


def tune(command: Command) -> None:
    """Run the study, and say what won."""
    from sandbox.cli.study_progress import watch_study
    from sandbox.cli.study_words import read_duration, say_plan, say_standing, say_winner
    from sandbox.tuning.claims import Goal
    from sandbox.tuning.cost import try_out
    from sandbox.tuning.plan import check_plan
    from sandbox.tuning.read import read_study, record_study
    from sandbox.tuning.storage import check_workers
    from sandbox.tuning.study import make_study
    from sandbox.tuning.worker import search
    from sandbox.tuning.workers import Job, deal_gpus, search_with, visible_gpus

    plan, gpus = planned(command), [""]
    check_plan(plan)
    check_workers(command.storage, command.workers)
    if command.workers > 1:
        gpus = deal_gpus(command.workers, visible_gpus() if plan.recipe.device == "auto" else [], command.per_gpu)
    until = time.time() + read_duration("--timeout", command.timeout) if command.timeout else float("inf")
    goal = Goal(command.trials, until, command.patience)
    folder = (Path(command.out) if command.out else STUDIES) / (command.study or plan.name)
    cost = try_out(plan)
    typed = flags.program()
    study = make_study(plan, folder, url=command.storage, command=typed)
    for note in study.notes:
        say(note)
    say_plan(plan, cost, folder, command.workers)
    say_standing(record_study(study), command.trials)
    try:
        job = Job(plan, goal, folder, command.storage, typed, command.pictures)
        alone = search(plan, goal, folder=folder, study=study, pictures=command.pictures)
        events = search_with(job, gpus=gpus) if command.workers > 1 else alone
        if why := watch_study(events, trials=command.trials, workers=command.workers):
            say(f"the study ends here: {why}")
    except KeyboardInterrupt as stop:
        say("interrupted; the same command goes on", flush=True)
        if isinstance(stop, Interrupted):
            stop.said = True
        raise
    say_winner(read_study(folder, command.storage), name_of(folder, STUDIES))


def planned(command: Command) -> Plan:
    """The plan that the flags make; workers share the threads of the machine."""
    from sandbox.tuning.plan import Plan
    from sandbox.tuning.workers import share_threads

    recipe = command.settings
    if command.workers > 1 and not recipe.threads:
        recipe = dataclasses.replace(recipe, threads=share_threads(command.workers))
    return Plan(
        recipe=recipe,
        search=command.search,
        monitors=command.monitors,
        constraints=command.constraint,
        sampler=command.sampler,
        pruner=command.pruner,
        trial_seeds=command.trial_seeds,
        folds=command.folds,
        baseline=command.baseline,
    )


if __name__ == "__main__":
    exit_on_error(main)
