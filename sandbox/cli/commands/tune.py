"""Search what a recipe marks: python experiments/tune.py --loss "triplet(margin=tune(0.05, 0.5))" --trials 20."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from sandbox.called import RECIPES, called, results, started_by
from sandbox.cli import flags
from sandbox.cli.outputs import file_named, from_here
from sandbox.cli.say import say
from sandbox.cli.study.commands import LOOKS, name_of, run_look
from sandbox.data.catalog import data_kinds
from sandbox.errors import Interrupted, SandboxError
from sandbox.recipe.specs import Recipe
from sandbox.recipe.text import load
from sandbox.runs.tags import checked_tags
from sandbox.training.stopping import listen

if TYPE_CHECKING:
    from sandbox.tuning.plan.plan import Plan
    from sandbox.tuning.study.study import Study

MOST_SEEDS = 1000
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
    """A recipe by name (sandbox/recipes/NAME.toml) or FILE.toml; other flags go over it."""
    search: tuple[str, ...] = ()
    """Settings to search beside the objective, such as "optimizer.lr=tune(1e-4, 1e-2, log=True)"."""
    compare: str = ""
    """Objectives with marks, separated by ; and searched in turn, each in a study of its own; in place of --loss."""
    final: int = 0
    """After the search, train winner and default on so many fresh seeds, and score test then and only then."""
    table: str = ""
    """Markdown file for what --final gives (tuning.md in the first study where not given)."""
    trials: int = 20
    """Trials in all, complete or pruned, those of an earlier call counted."""
    workers: int = 1
    """Processes that train trials side by side; they share the machine's threads, and take its GPUs in turn."""
    per_gpu: int = 1
    """Workers on each GPU."""
    launcher: str = ""
    """submitit: hand the workers to the cluster as jobs of their own, and end."""
    launch: str = ""
    """Options of the launcher, such as "timeout_min=240 gpus_per_node=1"."""
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
    protocol: str = ""
    """reality_check: compare as Musgrave et al. (2020) ask, with its gaps closed: --folds 4, of which one stops a run
    and the next one judges it, --trials 50, --final 10, embeddings of 128, batches of 8 x 4; flags go over these."""
    folds: int = 0
    """Class-disjoint folds of the training and validation classes, averaged; 0 takes the split as it is."""
    baseline: bool = True
    """Train the default values first; that counts as no trial."""
    pictures: bool = True
    """Draw each trial for the dashboard."""
    study: str = ""
    """Name of the study; made from what is searched where not given."""
    tag: tuple[str, ...] = ()
    """What its runs are called by, those of --final too; table.py --tag chooses them by it."""
    out: str = ""
    """Folder that studies go into (results/studies where not given)."""
    storage: str = ""
    """Where trials are kept: postgresql://... or sqlite:///FILE; a journal in the study's folder where not given."""


def main(argv: Sequence[str]) -> None:
    """Read the flags and do what they say."""
    if argv and argv[0] in LOOKS:
        return run_look(argv[0], list(argv[1:]), studies_here())
    named = flags.value(argv, "--recipe")
    base = load(named, RECIPES, data_kinds()) if named else Recipe()
    command = flags.parse(Command, argv, prog=called("tune"), description=WHAT, default=Command(settings=base))
    if command.protocol:
        command = under_protocol(command, flags.given(argv))
    check(command)
    flags.quiet_libraries()
    with listen():
        if command.launcher:
            return hand_over(command, argv)
        tune(command)


def under_protocol(command: Command, given: set[str]) -> Command:
    """The command with what its protocol sets beside the flags that were given; what is set is said."""
    from sandbox.tuning.plan.protocol import laid_down

    recipe, options, told = laid_down(command.protocol, command.settings, given)
    say(told)
    return dataclasses.replace(
        command,
        settings=recipe,
        folds=options.get("folds", command.folds),
        trials=options.get("trials", command.trials),
        final=options.get("final", command.final),
    )


def check(command: Command) -> None:
    """Refuse numbers and names that no study has."""
    for name in ("trials", "workers", "per_gpu"):
        if getattr(command, name) < 1:
            raise SandboxError(f"--{name} is {getattr(command, name)}, but is at least 1")
    if not 0 <= command.final <= MOST_SEEDS:
        raise SandboxError(f"--final is {command.final}, but is a number of seeds up to {MOST_SEEDS}, or 0")
    if command.protocol and not command.final:
        raise SandboxError(
            f"--final is 0, but --protocol {command.protocol} compares what is trained on fresh seeds; say how many, "
            "or leave --final out for 10"
        )
    if command.table:
        file_named("--table", command.table, ".md")
        if not command.final:
            raise SandboxError("--table holds what --final gives; say how many seeds, such as --final 6")
    if command.launcher not in ("", "submitit"):
        raise SandboxError(f"--launcher is '{command.launcher}', but is submitit, or nothing")
    if command.launch and not command.launcher:
        raise SandboxError("--launch holds options of a launcher; say which by --launcher submitit")
    if command.patience < 0:
        raise SandboxError(f"--patience is {command.patience}, but is a number of trials, or 0")
    if command.workers > command.trials:
        raise SandboxError(f"--workers is {command.workers}, but --trials is {command.trials}: some had nothing to do")
    checked_tags(command.tag)
    plain = command.study.replace("-", "").replace("_", "").replace(".", "")
    if command.study and (not plain.isalnum() or not plain.isascii() or len(command.study) > 150):
        shown = command.study if len(command.study) <= 60 else f"{command.study[:60]}..."
        raise SandboxError(f"--study '{shown}' is no plain name: up to 150 letters, digits, - _ and . make one")


def tune(command: Command) -> None:
    """Run the study, or those of --compare, and say what won."""
    from sandbox.cli.study.progress import watch_study
    from sandbox.cli.study.words import read_duration, say_plan, say_standing, say_winner
    from sandbox.tuning.dashboard.shown import show_missing
    from sandbox.tuning.plan.plan import check_plan
    from sandbox.tuning.search.claims import Goal
    from sandbox.tuning.search.cost import try_out
    from sandbox.tuning.search.final import check_default
    from sandbox.tuning.search.workers import Job, deal_gpus, search_with, studies_of, visible_gpus, work
    from sandbox.tuning.storage.store import check_workers
    from sandbox.tuning.study.read import read_study, record_study

    plans = planned(command)
    for plan in plans:
        check_plan(plan)
        if command.final:
            check_default(plan)
    check_workers(command.storage, command.workers)
    gpus = visible_gpus() if command.workers > 1 and command.settings.device == "auto" else []
    dealt = deal_gpus(command.workers, gpus, command.per_gpu)
    until = time.time() + read_duration("--timeout", command.timeout) if command.timeout else float("inf")
    folders = tuple(folders_of(command, plans))
    costs = [try_out(plan) for plan in plans]
    goal = Goal(command.trials, until, command.patience)
    job = Job(plans, folders, goal, command.storage, flags.program(), command.pictures, command.final)
    studies = studies_of(job)
    for (plan, study), cost in zip(studies, costs, strict=True):
        for note in study.notes:
            say(note)
        say_plan(plan, cost, study.folder, command.workers)
        say_standing(record_study(study), command.trials)
        show_missing(study, pictures=command.pictures)
    try:
        events = search_with(job, gpus=dealt) if command.workers > 1 else work(job, studies)
        if why := watch_study(events, trials=command.trials, workers=command.workers, studies=len(plans)):
            say(f"the search ends here: {why}")
    except KeyboardInterrupt as stop:
        say("interrupted; the same command goes on", flush=True)
        if isinstance(stop, Interrupted):
            stop.said = True
        raise
    for folder in folders:
        say_winner(read_study(folder, command.storage), name_of(folder, studies_here()))
    if command.final:
        write_results(command, studies)


def planned(command: Command) -> tuple[Plan, ...]:
    """The plan of each objective that the flags name; workers share the threads of the machine."""
    from sandbox.tuning.plan.plan import Plan
    from sandbox.tuning.search.workers import share_threads

    recipe = command.settings
    if command.workers > 1 and not command.launcher and not recipe.threads:
        recipe = dataclasses.replace(recipe, threads=share_threads(command.workers))
    losses = [recipe.loss]
    if command.compare:
        losses = [loss.strip() for loss in command.compare.split(";") if loss.strip()]
        if recipe.loss != Recipe().loss:
            raise SandboxError("--compare names the objectives, so --loss has no place beside it")
        if len(losses) < 2 or len(set(losses)) < len(losses):
            raise SandboxError(f"--compare '{command.compare}' names no two objectives: write 'LOSS; LOSS'")
    return tuple(
        Plan(
            recipe=dataclasses.replace(recipe, loss=loss),
            search=command.search,
            monitors=command.monitors,
            constraints=command.constraint,
            sampler=command.sampler,
            pruner=command.pruner,
            trial_seeds=command.trial_seeds,
            folds=command.folds,
            protocol=command.protocol,
            baseline=command.baseline,
            tags=command.tag,
        )
        for loss in losses
    )


def folders_of(command: Command, plans: tuple[Plan, ...]) -> list[Path]:
    """Where the study of each plan lies; those of --compare are named after --study and their objective."""
    from sandbox.tuning.search.final import labels

    out = Path(command.out) if command.out else studies_here()
    if len(plans) == 1:
        return [out / (command.study or plans[0].name)]
    names = labels(plans)
    own = [f"{command.study}-{name}" if command.study else p.name for name, p in zip(names, plans, strict=True)]
    return [out / name for name in own]


def studies_here() -> Path:
    """The folder that studies go into by themselves, and that their names are looked for in."""
    return results() / "studies"


def hand_over(command: Command, argv: Sequence[str]) -> None:
    """Make the studies here, so that mistakes are said here, and hand their workers to the cluster."""
    from sandbox.tuning.plan.plan import check_plan
    from sandbox.tuning.search.launch import launch, read_options
    from sandbox.tuning.storage.store import check_workers
    from sandbox.tuning.study.making import make_study

    options = read_options(command.launch)
    check_workers(command.storage, command.workers)
    plans = planned(command)
    folders = folders_of(command, plans)
    for plan, folder in zip(plans, folders, strict=True):
        check_plan(plan)
        make_study(plan, folder, url=command.storage, command=flags.program())
    words = [*started_by("tune"), *flags.without(argv, ("--workers", "--launcher", "--launch"))]
    said = folders[0] / "jobs"
    jobs = launch(words, command.workers, folder=said, options=options)
    say(f"handed over {len(jobs)} workers as jobs {', '.join(jobs)}; what they print is in {from_here(said)}")
    for folder in folders:
        say(f"next: {called('tune')} show {name_of(folder, studies_here())}")


def write_results(command: Command, studies: list[tuple[Plan, Study]]) -> None:
    """The table of what was trained on fresh seeds, to a file and to the terminal."""
    from sandbox.files import write_whole
    from sandbox.reporting.tuning_text import to_markdown
    from sandbox.tuning.plan.protocol import said_of
    from sandbox.tuning.search.final import results, split_of
    from sandbox.tuning.search.final_ledger import write_ledger

    plan, study = studies[0]
    tuned = results(studies, command.final)
    place = Path(command.table) if command.table else study.folder / "tuning.md"
    notes = said_of(plan.recipe, plan.folds, command.trials, command.final) if plan.protocol else []
    split = split_of(studies, command.final)
    text = to_markdown(tuned, monitor=plan.goals[0], split=split, header=flags.program(), notes=notes, judge=plan.judge)
    write_whole(place, text, make_folder=True)
    for sentence in write_ledger(place, studies, command.final, flags.program()):
        say(f"note: not among the runs beside the table: {sentence}", file=sys.stderr)
    say()
    say(text)
    say(f"wrote {from_here(place)}")
