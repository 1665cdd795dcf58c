"""A study that is kept, and how it is found.

results/studies/<name>/   journal.log (Optuna's, unless the trials are in a database)   study.json   recipe.toml
                          runs/ (a run folder for each run of a trial)   artifacts/ (its pictures)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from sandbox.errors import SandboxError, near
from sandbox.runs.folder import RunFolder
from sandbox.tuning.storage.store import Store, open_store
from sandbox.tuning.study.attributes import FACTS
from sandbox.wording import reason


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
        found = find(store, folder)
        if found is None:
            raise SandboxError(f"{store.url or folder / 'journal.log'} holds no study named {folder.name}")
        look_through(found)
    return found


def _kept_url(folder: Path) -> str:
    """Where study.json says that the trials are; empty for the journal."""
    if not (folder / "study.json").is_file():
        return ""
    said = RunFolder(folder).read_json("study.json")
    url = said.get("storage", "") if isinstance(said, dict) else ""
    return url if isinstance(url, str) else ""


def find(store: Store, folder: Path) -> Study | None:
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


@contextmanager
def readable(store: Store, folder: Path) -> Iterator[None]:
    """Say in a sentence that what is kept makes no study."""
    try:
        yield
    except (SandboxError, KeyboardInterrupt):
        raise
    except Exception as error:  # Optuna's own, and KeyError, TypeError ... by what is missing
        raise SandboxError(f"{store.url or folder / 'journal.log'} is damaged: {reason(error)}") from None


def look_through(study: Study) -> None:
    """Ask for what is asked for later, so that a study that cannot tell it fails here.

    Raises:
        Exception: of any kind.
    """
    for trial in study.trials():
        if trial.state == TrialState.COMPLETE:
            for value in trial.values:
                float(value)
