"""A study begun, or gone on with, by the plan of a command."""

from __future__ import annotations

import warnings
from pathlib import Path

import optuna

from sandbox.errors import SandboxError
from sandbox.recipe.text import to_toml
from sandbox.runs.folder import RunFolder
from sandbox.tuning.plan.plan import Plan
from sandbox.tuning.storage.store import open_store
from sandbox.tuning.study.attributes import FACTS
from sandbox.tuning.study.study import Study, find, look_through, readable
from sandbox.tuning.study.widen import widened
from sandbox.wording import reason


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
        found = find(store, folder)
        if found is None:
            study_id = store.storage.create_new_study(plan.directions, study_name=folder.name)
            found = Study(store, study_id, folder.name, folder, store.notes)
            _name_figures(found, plan)
        look_through(found)
        return _keep_facts(found, plan, command)


def _keep_facts(study: Study, plan: Plan, command: str) -> Study:
    """Note what is searched; a wider search goes on with the trials that lie in it, any other is refused."""
    before = study.facts()
    if before.get("name") not in (None, plan.name):
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
