"""Search what a recipe marks: python experiments/tune.py --loss "triplet(margin=tune(0.05, 0.5))" --trials 20."""

from __future__ import annotations

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while modules load ends without their traces

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from sandbox.cli import flags
from sandbox.cli.say import say
from sandbox.data.catalog import data_kinds
from sandbox.errors import Interrupted, SandboxError, exit_on_error
from sandbox.recipe.specs import Recipe
from sandbox.recipe.text import load
from sandbox.training.stopping import listen

HERE = Path(__file__).resolve().parent
STUDIES = HERE.parent / "results" / "studies"
WHAT = (
    "Search the values that --loss and --search mark with tune(...), judged by validation alone. The same command "
    "again goes on with its study. 'tune.py dashboard STUDY' serves Optuna's dashboard, 'tune.py show STUDY' prints "
    "the trials and the winner."
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
    """Trials in all, those of an earlier call counted."""
    study: str = ""
    """Name of the study; made from what is searched where not given."""
    out: str = ""
    """Folder that studies go into (results/studies where not given)."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What `dashboard` and `show` take."""

    study: Annotated[str, tyro.conf.Positional]
    """Name of the study (a folder of results/studies), or its path."""
    host: str = "127.0.0.1"
    """dashboard: address to listen on; there is no log-in."""
    port: int = 8080
    """dashboard: port to listen on."""


def main() -> None:
    """Read the flags and do what they say."""
    argv = sys.argv[1:]
    if argv and argv[0] in ("dashboard", "show"):
        return look(argv[0], argv[1:])
    named = flags.value(argv, "--recipe")
    base = load(named, HERE / "recipes", data_kinds()) if named else Recipe()
    prog = "python experiments/tune.py"
    command = flags.parse(Command, argv, prog=prog, description=WHAT, default=Command(settings=base))
    if command.trials < 1:
        raise SandboxError(f"--trials is {command.trials}, but is at least 1")
    if command.study and not command.study.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise SandboxError(f"--study '{command.study}' is no plain name: letters, digits, - _ and . make one")
    flags.quiet_libraries()
    with listen():
        tune(command)


def tune(command: Command) -> None:
    """Run the study, and say what won."""
    from sandbox.pipeline.prepare import prepare
    from sandbox.tuning.space import read_space
    from sandbox.tuning.study import TrialDone, search, study_name

    space = read_space(command.settings, command.search)
    prepare(space.fill({name: mark.choices[0] if mark.choices else mark.low for name, mark in space.marks.items()}))
    folder = (Path(command.out) if command.out else STUDIES) / (command.study or study_name(space))
    say(f"study {folder.name}: {', '.join(f'{name} in {mark}' for name, mark in space.marks.items())}")
    try:
        for event in search(space, folder=folder, trials=command.trials, command=flags.program()):
            if isinstance(event, TrialDone):
                values = ", ".join(f"{name} {flags.short(value)}" for name, value in event.values.items())
                value = event.state if event.value is None else f"{event.value:.4f}"
                best = "" if event.best is None else f"   best {event.best:.4f}"
                say(f"{event.number:>4}/{event.trials}  {value:>9}   {values}{best}", flush=True)
    except KeyboardInterrupt as stop:
        say("interrupted; the same command goes on", flush=True)
        if isinstance(stop, Interrupted):
            stop.said = True
        raise
    say_winner(folder)


def say_winner(folder: Path) -> None:
    """Print the best trial as a run.py line."""
    from sandbox.tuning.study import winner

    found = winner(folder)
    if found is None:
        say("no trial is complete yet")
        return
    value, line, _ = found
    say(f"best on validation: {value:.4f} (chosen as the best of many, so no result: train it on fresh seeds)")
    say(f"next: {line} --seed 1 --seeds 5")
    say(f"      python experiments/tune.py dashboard {folder.name if folder.parent == STUDIES else folder}")


def look(what: str, argv: list[str]) -> None:
    """Show a study that exists."""
    command = flags.parse(Look, argv, prog=f"python experiments/tune.py {what}", description=WHAT)
    folder = Path(command.study)
    if folder.parent == Path("."):
        folder = STUDIES / command.study
    flags.quiet_libraries()
    if what == "dashboard":
        from sandbox.tuning.dashboard import Store, serve
        from sandbox.tuning.study import open_storage, open_study

        open_study(folder)
        return serve([Store(folder.name, open_storage(folder), folder)], host=command.host, port=command.port)
    from sandbox.tuning.study import trial_rows

    for row in trial_rows(folder):
        say("  ".join(f"{key} {flags.short(value)}" for key, value in row.items()))
    say_winner(folder)


if __name__ == "__main__":
    exit_on_error(main)
