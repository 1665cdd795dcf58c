"""Train one recipe, evaluate it, record it: python experiments/run.py --loss triplet --miner hard."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from sandbox.called import RECIPES, called, prefix, results
from sandbox.cli import flags, folds
from sandbox.cli.help import asked
from sandbox.cli.say import say
from sandbox.cli.sweep import asked as sweep
from sandbox.cli.table.against import announce, check_alone, compare_runs, rival
from sandbox.cli.training import finish, launcher, train, typed_here
from sandbox.data.catalog import data_kinds, in_all_folds
from sandbox.errors import SandboxError, unknown
from sandbox.recipe.moved import moved
from sandbox.recipe.specs import Recipe
from sandbox.recipe.text import Stage, load_staged
from sandbox.tracking.tracker import check as check_programs
from sandbox.training.stopping import listen

if TYPE_CHECKING:
    pass

MOST_SEEDS = 10_000
_BESIDE_RESUME = (
    "--resume",
    "--max_steps",
    "--max-steps",
    "--keep_checkpoint",
    "--keep-checkpoint",
    "--no_pic",
    "--pic",
    "--no-pic",
    "--save_every",
    "--save-every",
    "--log",
    "--all",
    "--no_all",
    "--no-all",
)
WHAT = "Train a metric-learning recipe, evaluate it by retrieval and verification, and record it in a run folder."


@dataclass(frozen=True, kw_only=True)
class Command:
    """What run.py takes beside the recipe's own settings."""

    settings: Annotated[Recipe, tyro.conf.arg(name="")] = Recipe()
    recipe: str = ""
    """A recipe by name (sandbox/recipes/NAME.toml) or FILE.toml; other flags go over it."""
    from_: Annotated[str, tyro.conf.arg(name="from")] = ""
    """The best trial of a study (STUDY, a name or a path), or another one of its trials (STUDY:TRIAL); other flags go
    over it."""
    list: Annotated[tuple[str, ...], tyro.conf.arg(metavar="WHAT [NAME ...]")] = ()
    """Print names and stop (losses, miners, distances, reducers, regularizers, data, backbones or recipes), or all that
    is known of one; matrix prints which losses go with which miners."""
    seeds: int = 1
    """Run this many seeds, from --seed upwards."""
    against: str = ""
    """Another objective, as --loss takes it, to train on the same seeds with all else the same (--miner goes to it too,
    where it takes pairs or triplets), and to compare at the end. Both are trained anew, whatever there is."""
    sweep: str = ""
    """Settings with several values, such as "loss = triplet | arcface; optimizer.lr = 0.001 | 0.01": run every
    combination with --seeds, but for what is finished in --out; the same line goes on after a stop. "(loss, miner) =
    (triplet, hard) | (arcface, none)" varies two together; a value that holds | or ; stands in quotes."""
    stage: str = ""
    """Run this one of the recipe's stages alone; without it they run one after the other, each from the one before."""
    tag: tuple[str, ...] = ()
    """What the runs are called by, such as "pilot"; table.py --tag chooses them by it."""
    out: str = ""
    """Folder that run folders go into (results/runs where not given)."""
    resume: str = ""
    """Go on with the interrupted run in this folder. With --max_steps it gets more steps than it planned, and may be
    finished if it kept its checkpoint: from the step that it reached, the learning rate is that of a run of as many."""
    keep_checkpoint: bool = False
    """Keep the last training state once the run is over, so that --resume can give it more steps (with --max_steps)."""
    log: tuple[str, ...] = ()
    """Programs that follow the run: tensorboard, trackio, wandb, mlflow. Each must be installed; nothing goes anywhere
    else."""
    pictures: bool = True
    """Draw figures and page.html."""
    all: bool = False
    """Print every figure of the report, not only those that matter first."""
    save_every: int = 0
    """Steps between two checkpoints; they are written at validations, and at least every minute, in any case."""


def main(argv: list[str]) -> None:
    """Do what the flags say, as one process or as one of those that torchrun started."""
    if not all(name in os.environ for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")):
        with listen():
            return obey(argv)
    flags.quiet_libraries()
    from sandbox.training.distributed import joined

    with listen(together=5), joined():
        obey(argv)


def obey(argv: list[str]) -> None:
    """Read the flags and do what they say."""
    if "list" in flags.given(argv) and not asked(argv):
        return print_catalogue(argv)
    named = flags.value(argv, "--recipe")
    base, stages = load_staged(named, RECIPES, data_kinds()) if named else (Recipe(), ())
    base, stages, left_out = moved(base, stages, flags.value(argv, "--data.name"), data_kinds())
    trials = 0
    if study := flags.value(argv, "--from"):
        if named:
            raise SandboxError("--recipe and --from each give the recipe that other flags go over; give one of them")
        base, trials = from_study(study)
    swept = [] if asked(argv) else sweep.asked(argv)
    command = read(list(swept[0].words) if swept else argv, base)
    if command.save_every < 0:
        raise SandboxError(f"--save_every is {command.save_every}, but is a number of steps, or 0")
    if command.seeds < 1:
        raise SandboxError(f"--seeds is {command.seeds}, but is at least 1")
    if command.seeds > MOST_SEEDS:
        raise SandboxError(f"--seeds is {command.seeds:,}, but at most {MOST_SEEDS:,} runs are made, a run for each")
    flags.quiet_libraries()
    check_programs(command.log)
    for flag in ("--resume", "--out", "--stage", "--against"):
        flags.value(argv, flag)  # an empty one is refused
    chosen = choose_stages(command.stage, stages)
    check_alone(command.against, stages=len(chosen), resume=command.resume)
    if swept:
        sweep.check_alone(against=command.against, resume=command.resume, stages=len(chosen))
    for note in left_out:
        say(note, file=sys.stderr)
    if swept:
        return train_sweep(swept, base, command, trials=trials)
    if command.resume:
        besides = [w for w in argv if w.startswith("--") and not w.startswith(_BESIDE_RESUME)]
        if besides:
            raise SandboxError(f"{besides[0]} has no place beside --resume, which goes on with the run's own recipe")
        return go_on(command)
    seeds = range(command.settings.seed, command.settings.seed + command.seeds)
    if in_all_folds(command.settings.data):
        folds.check_alone(command.against, stages=len(chosen), log=command.log, keep=command.keep_checkpoint)
        manner, out = folds_manner(command), Path(command.out) if command.out else results() / "runs"
        return folds.train_folds(
            command.settings, seeds, manner, out=out, command=typed_here(), tags=command.tag, trials=trials
        )
    if command.against:
        return train_both(command, seeds)
    commands = [read(argv, stage.over(base)) for stage in chosen] or [command]
    for seed in seeds:
        train(commands, [stage.name for stage in chosen], seed, trials=trials)


def go_on(command: Command) -> None:
    """Go on with the run, or the runs of folds, that --resume names."""
    from sandbox.pipeline.run import resume
    from sandbox.runs.folder import RunFolder
    from sandbox.runs.folds import folds_in

    folder = RunFolder(Path(command.resume))
    if folds_in(folder.path):
        if command.settings.max_steps is not None or command.keep_checkpoint:
            raise SandboxError(f"{folder.path} holds the runs of folds, which go on as they were planned alone")
        folds.check_alone("", stages=0, log=command.log)
        return folds.resume_folds(folder, folds_manner(command))
    events = resume(
        folder.path,
        pictures=command.pictures,
        save_every=command.save_every,
        max_steps=command.settings.max_steps,
        keep_checkpoint=command.keep_checkpoint,
    )
    finish(events, command)


def folds_manner(command: Command) -> folds.Manner:
    """How the runs of folds are made."""
    return folds.Manner(command.pictures, command.save_every, command.all, launcher())


def train_both(command: Command, seeds: range) -> None:
    """The objective and the one it is held against, seed by seed, and what shared seeds say of them."""
    from dataclasses import replace

    recipes = (command.settings, rival(command.settings, command.against))
    made: tuple[list[Path], list[Path]] = ([], [])
    for seed in seeds:
        for recipe, folders in zip(recipes, made, strict=True):
            announce(replace(recipe, seed=seed))
            done = train([replace(command, settings=recipe)], [], seed, hint=False)
            folders += [done.folder.path] if done else []
    if made[0]:  # of several processes the first alone has what was made
        compare_runs(*made)


def train_sweep(swept: Sequence[sweep.Asked], base: Recipe, command: Command, *, trials: int) -> None:
    """Every combination of --sweep, each with all seeds, but for what is finished."""
    from sandbox.cli.sweep.work import Hands, run_sweep
    from sandbox.pipeline.run import resume

    def train_one(words: Sequence[str], seed: int) -> None:
        typed = shlex.join([*prefix(), *words])
        train([read(list(words), base)], [], seed, hint=False, trials=trials, typed=typed, again=typed_here())

    def go_on_with(folder: Path) -> None:
        events = resume(folder, pictures=command.pictures, save_every=command.save_every)
        finish(events, command, hint=False, again=typed_here())

    hands = Hands(lambda words: read(list(words), base).settings, train_one, go_on_with, typed_here())
    seeds = range(command.settings.seed, command.settings.seed + command.seeds)
    out = Path(command.out) if command.out else results() / "runs"
    run_sweep(swept, hands, seeds=seeds, out=out, usual=results() / "runs", tags=command.tag)


def from_study(text: str) -> tuple[Recipe, int]:
    """The recipe of a study's trial, and how many trials the study spent."""
    from sandbox.tuning.study.read import recipe_of, trials_of
    from sandbox.tuning.study.study import open_study

    name, _, number = text.rpartition(":") if ":" in text else (text, "", "")
    if number and not number.isdecimal():
        raise SandboxError(f"--from '{text}': after the colon stands the number of a trial")
    folder = Path(name)
    if folder.parent == Path(".") and not folder.is_dir():
        folder = results() / "studies" / name
    study = open_study(folder)
    return recipe_of(study, int(number) if number else None), trials_of(study)


def read(argv: list[str], base: Recipe) -> Command:
    """The flags over a recipe."""
    return flags.parse(Command, argv, prog=called("run"), description=WHAT, default=Command(settings=base))


def choose_stages(wanted: str, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """The stage that --stage names, or all."""
    if not wanted:
        return stages
    if not stages:
        raise SandboxError(f"--stage {wanted} names a stage of a recipe, but no recipe with stages is given (--recipe)")
    found = tuple(stage for stage in stages if stage.name == wanted)
    if not found:
        raise unknown("stage", wanted, [stage.name for stage in stages])
    return found


def print_catalogue(argv: list[str]) -> None:
    """Print what --list asks for."""
    from sandbox.cli.listing import listing

    say(listing(argv, RECIPES))
