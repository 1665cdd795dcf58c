"""What `tune.py show`, `dashboard`, `report` and `sweep` take and do."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from sandbox.called import called
from sandbox.cli import flags
from sandbox.cli.outputs import from_here
from sandbox.cli.say import say
from sandbox.errors import SandboxError
from sandbox.wording import counted

STUDY = "Name of the study (a folder of results/studies), or its path."


@dataclass(frozen=True)
class Look:
    """What all of them take."""

    study: Annotated[str, tyro.conf.Positional, tyro.conf.arg(help=STUDY)]
    storage: str = ""
    """Where its trials are kept, if study.json does not say so: postgresql://... or sqlite:///FILE."""


@dataclass(frozen=True)
class Show:
    """The trials of a study and its winner; without a name, the studies that there are."""

    study: Annotated[str, tyro.conf.Positional, tyro.conf.arg(help=STUDY)] = ""
    storage: str = ""
    """Where its trials are kept, if study.json does not say so."""
    format: Literal["terminal", "csv", "json"] = "terminal"
    """csv: trial, state, value, seconds and the parameters, and nothing else on stdout; json: all that is known."""


@dataclass(frozen=True)
class Report(Look):
    """A study as one page without a server, as Markdown and as CSV."""

    out: str = ""
    """Folder they go into (that of the study where not given)."""


@dataclass(frozen=True)
class Sweep(Look):
    """Take away the pictures of trials far from the best."""

    keep: int = 10
    """How many of the best keep theirs."""
    weights: bool = False
    """Also remove the weights and embeddings of the others; each can be trained again by its line."""


@dataclass(frozen=True)
class Dashboard:
    """Optuna's dashboard with notes and pictures of each trial."""

    studies: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Names of studies (folders of results/studies), or their paths; all of results/studies where none is given."""
    storage: str = ""
    """Where their trials are kept, if study.json does not say so."""
    host: str = "127.0.0.1"
    """Address to listen on; there is no log-in."""
    port: int = 8080
    """Port to listen on."""
    edit: bool = False
    """Let whoever opens it change notes and delete studies."""


def run_look(what: str, argv: list[str], studies: Path) -> None:
    """Do what `tune.py WHAT ...` asks for.

    Args:
        what: one of `LOOKS`.
        argv: the words after it.
        studies: folder that names are looked for in.
    """
    kind, act = LOOKS[what]
    command: Any = flags.parse(kind, argv, prog=f"{called('tune')} {what}", description=kind.__doc__ or "")
    flags.quiet_libraries()
    act(command, studies)


def _show(command: Show, studies: Path) -> None:
    from sandbox.cli.study.words import say_winner
    from sandbox.cli.tables import print_rows
    from sandbox.tuning.report.trials_table import csv_text, json_text, trial_rows
    from sandbox.tuning.study.read import read_study

    if not command.study:
        return _list(studies)
    folder = _folder(command.study, studies)
    record = read_study(folder, command.storage)
    if command.format == "csv":
        sys.stdout.write(csv_text(record))
    elif command.format == "json":
        sys.stdout.write(json_text(record))
    else:
        print_rows(*trial_rows(record))
        say_winner(record, name_of(folder, studies))


def _list(studies: Path) -> None:
    """The studies of a folder, and where each stands."""
    from sandbox.cli.tables import print_rows
    from sandbox.tuning.study.read import read_study

    rows = []
    for path in sorted(studies.glob("*/study.json")):
        try:
            record = read_study(path.parent)
        except SandboxError as error:
            rows.append((path.parent.name, "", "", str(error)))
            continue
        best = record.best()
        over = sum(trial.counts for trial in record.trials)
        rows.append((record.name, str(over), f"{best.values[0]:.4f}" if best else "", record.objective))
    if not rows:
        raise SandboxError(f"there is no study in {studies}")
    print_rows(("study", "trials", "best", "objective"), rows, right=(1, 2))


def _dashboard(command: Dashboard, studies: Path) -> None:
    from sandbox.tuning.dashboard.serve import Served, serve
    from sandbox.tuning.study.study import open_study

    folders = [_folder(name, studies) for name in command.studies]
    if not folders:
        folders = sorted(path.parent for path in studies.glob("*/study.json"))
        if not folders:
            raise SandboxError(f"there is no study in {studies} to be shown; name one, or its path")
    found = [open_study(folder, command.storage) for folder in folders]
    served = [Served(study.name, study.store.storage, study.folder) for study in found]
    serve(served, host=command.host, port=command.port, edit=command.edit)


def _report(command: Report, studies: Path) -> None:
    from sandbox.tuning.report import write_report
    from sandbox.tuning.study.read import read_study

    folder = _folder(command.study, studies)
    record = read_study(folder, command.storage)
    for path in write_report(record, Path(command.out) if command.out else folder):
        say(f"wrote {from_here(path)}")


def _sweep(command: Sweep, studies: Path) -> None:
    from sandbox.tuning.dashboard.sweep import sweep
    from sandbox.tuning.study.read import record_study
    from sandbox.tuning.study.study import open_study

    study = open_study(_folder(command.study, studies), command.storage)
    done = sweep(record_study(study), study.store.storage, command.keep, name=study.name, weights=command.weights)
    weights = f" and the weights of {counted(done.weights, 'run', 'runs')}" if command.weights else ""
    of = counted(done.trials, "trial", "trials")
    say(f"took away {counted(done.pictures, 'picture', 'pictures')}{weights} of {of}, {done.bytes / 1e6:,.1f} MB")


def _folder(name: str, studies: Path) -> Path:
    folder = Path(name)
    return studies / name if folder.parent == Path(".") and not folder.is_dir() else folder


def name_of(folder: Path, studies: Path) -> str:
    """A study as other commands take it: its name where it lies among the others, else its path."""
    return folder.name if folder.parent == studies else from_here(folder)


LOOKS: dict[str, tuple[type, Callable[[Any, Path], None]]] = {
    "show": (Show, _show),
    "dashboard": (Dashboard, _dashboard),
    "report": (Report, _report),
    "sweep": (Sweep, _sweep),
}
"""What each takes, and what it does."""
