"""A study that is kept: made, found, widened.

results/studies/<name>/   journal.log (Optuna's, unless the trials are in a database)   study.json   recipe.toml
                          runs/ (a run folder for each run of a trial)   artifacts/ (its pictures)
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from sandbox.errors import SandboxError, near
from sandbox.recipe.text import to_toml
from sandbox.runs.folder import RunFolder
from sandbox.tuning.plan import Plan
from sandbox.tuning.storage import Store, open_store
from sandbox.wording import reason

FACTS = "sandbox:facts"
"""System attribute of a study: what its plan was."""


@dataclass(frozen=True)
class Study:
    """A study in its storage, and the folder of its runs."""

    store: Store
    id: int
    name: str
    folder: Path
    notes: tuple[str, ...] = ()
    """What a person should know of how it was opened."""

    def trials(self) -> list[FrozenTrial]:
        """All trials by number, as they are now."""
        found = self.store.storage.get_all_trials(self.id, deepcopy=False)
        return sorted(found, key=lambda trial: trial.number)

    def facts(self) -> dict[str, Any]:
        """What its plan was; of a study from before it was kept with the trials, what study.json says."""
        kept = self.store.storage.get_study_system_attrs(self.id).get(FACTS)
        if isinstance(kept, dict):
            return kept
        said = RunFolder(self.folder).read_json("study.json") if (self.folder / "study.json").is_file() else {}
        return said if isinstance(said, dict) else {}

    @property
    def directions(self) -> tuple[StudyDirection, ...]:
        """Of each figure that is reached for."""
        return tuple(self.store.storage.get_study_directions(self.id))


def make_study(plan: Plan, folder: Path, *, url: str = "", command: str = "") -> Study:
    """The study of a plan, begun or gone on with; several processes may ask at once.

    Raises:
        SandboxError: it cannot be kept there, or another search has its name.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    store = open_store(folder, url, make=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SandboxError(f"cannot write a study into {folder}: {reason(error)}") from None
    with store.exclusive(), readable(store, folder):
        found = _find(store, folder)
        if found is None:
            study_id = store.storage.create_new_study(plan.directions, study_name=folder.name)
            found = Study(store, study_id, folder.name, folder, store.notes)
            _name_figures(found, plan)
        _look_through(found)
        return _keep_facts(found, plan, command)


def open_study(folder: Path, url: str = "") -> Study:
    """An existing study.

    Raises:
        SandboxError: there is none; the nearest beside it is named.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    url = url or _kept_url(folder)
    if not url and not (folder / "journal.log").is_file():
        others = [path.parent.name for path in folder.parent.glob("*/study.json")]
        others += [path.parent.name for path in folder.parent.glob("*/journal.log")]
        names = sorted(set(others))
        listed = f"; there are {', '.join(names)}" if 0 < len(names) <= 8 else ""
        raise SandboxError(f"no study at {folder}{near(folder.name, names) or listed}")
    store = open_store(folder, url)
    with readable(store, folder):
        found = _find(store, folder)
        if found is None:
            raise SandboxError(f"{store.url or folder / 'journal.log'} holds no study named {folder.name}")
        _look_through(found)
    return found


def _kept_url(folder: Path) -> str:
    """Where study.json says that the trials are; empty for the journal."""
    if not (folder / "study.json").is_file():
        return ""
    said = RunFolder(folder).read_json("study.json")
    url = said.get("storage", "") if isinstance(said, dict) else ""
    return url if isinstance(url, str) else ""


def _find(store: Store, folder: Path) -> Study | None:
    """The newest of the folder's name: one that was widened goes on under a name with a number behind it.

    Raises:
        SandboxError: a journal holds several, and none has the folder's name.
    """
    studies = {study.study_name: study._study_id for study in store.storage.get_all_studies()}
    bases = {name.partition(" ~")[0] for name in studies}
    base = folder.name
    if base not in bases and not store.url and bases:  # a folder may have been renamed
        if len(bases) > 1:
            listed = ", ".join(sorted(bases))
            raise SandboxError(f"{folder / 'journal.log'} is damaged: it holds several studies, {listed}")
        (base,) = bases
    names = [name for name in studies if name == base or name.startswith(f"{base} ~")]
    whole = [n for n in names if n == base or store.storage.get_study_system_attrs(studies[n]).get(FACTS)]
    if not whole:
        return None
    newest = max(whole, key=lambda name: int(name.rpartition(" ~")[2]) if " ~" in name else 1)
    return Study(store, studies[newest], newest, folder, store.notes)


def _keep_facts(study: Study, plan: Plan, command: str) -> Study:
    """Note what is searched; a wider search goes on with the trials that lie in it, any other is refused."""
    before = study.facts()
    if before.get("name") not in (None, plan.name):
        from sandbox.tuning.widen import widened

        study = widened(study, plan, before)
    facts = plan.facts(command or str(before.get("command", "")))
    if before.get("name") == plan.name:
        facts["command"] = before.get("command", facts["command"])
    storage = study.store.storage
    if storage.get_study_system_attrs(study.id).get(FACTS) != facts:
        storage.set_study_system_attr(study.id, FACTS, facts)
    kept = RunFolder(study.folder)
    kept.write_json("study.json", {**facts, "storage": study.store.url})
    kept.write_text("recipe.toml", to_toml(plan.space.recipe, f"searched by: {facts['command']}"))
    return study


def _name_figures(study: Study, plan: Plan) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # so named since 2023
        named = optuna.load_study(study_name=study.name, storage=study.store.storage)
        named.set_metric_names([f"{plan.judge} {goal}" for goal in plan.goals])


@contextmanager
def readable(store: Store, folder: Path) -> Iterator[None]:
    """Say in a sentence that what is kept makes no study."""
    try:
        yield
    except (SandboxError, KeyboardInterrupt):
        raise
    except Exception as error:  # Optuna's own, and KeyError, TypeError ... by what is missing
        raise SandboxError(f"{store.url or folder / 'journal.log'} is damaged: {reason(error)}") from None


def _look_through(study: Study) -> None:
    """Ask for what is asked for later, so that a study that cannot tell it fails here.

    Raises:
        Exception: of any kind.
    """
    for trial in study.trials():
        if trial.state == TrialState.COMPLETE:
            for value in trial.values:
                float(value)
