"""A run that is given more steps than it planned: what its rate does, what its record says, and when it is refused."""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_runs import SMALL

from sandbox.errors import Interrupted, SandboxError
from sandbox.pipeline.events import Note, Progress
from sandbox.pipeline.run import resume, run
from sandbox.recipe.specs import Recipe, digest
from sandbox.reporting.page.written.made import how_made
from sandbox.reporting.records.read import read_run
from sandbox.runs.checkpoints import BEFORE, NEWEST
from sandbox.runs.folder import RunFolder
from sandbox.training.optimizer import factor
from sandbox.training.stopping import listen

from killed import digests

RECIPE = replace(SMALL, max_steps=6, evaluate=replace(SMALL.evaluate, every=3))


def trained(recipe: Recipe, out: Path, **settings: Any) -> RunFolder:
    for _ in run(recipe, out=out, command="run.py as typed", pictures=False, **settings):
        pass
    (path,) = (folder for folder in out.iterdir() if not folder.name.startswith("."))
    return RunFolder(path)


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A finished run of six steps that kept its last state."""
    return trained(RECIPE, tmp_path_factory.mktemp("short"), keep_checkpoint=True)


@pytest.fixture
def copy(short: RunFolder, tmp_path: Path) -> RunFolder:
    shutil.copytree(short.path, tmp_path / "copies" / "one")
    return RunFolder(tmp_path / "copies" / "one")


@pytest.fixture(scope="module")
def longer(short: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, list[str]]:
    """The same after twelve, and what was said."""
    folder = RunFolder(tmp_path_factory.mktemp("longer") / "one")
    shutil.copytree(short.path, folder.path)
    said = [event.text for event in resume(folder.path, pictures=False, max_steps=12) if isinstance(event, Note)]
    return folder, said


def test_only_the_last_state_is_kept_and_only_where_asked_for(short: RunFolder, tmp_path: Path) -> None:
    assert (short.path / NEWEST).is_file() and not (short.path / BEFORE).exists()
    assert short.read_json("run.json")["keep_checkpoint"] is True
    plain = trained(replace(RECIPE, max_steps=1), tmp_path)
    assert not (plain.path / NEWEST).exists() and "keep_checkpoint" not in plain.read_json("run.json")


def test_the_rate_is_that_of_the_new_total_from_the_step_reached(longer: tuple[RunFolder, list[str]]) -> None:
    folder, said = longer
    rates = {row["step"]: row["lr"] / RECIPE.optimizer.lr for row in folder.read_log() if "lr" in row}
    wanted = {step + 1: factor(step, 6 if step < 6 else 12, 1, RECIPE.schedule) for step in range(12)}
    assert rates == pytest.approx(wanted)
    assert "going on from step 6 of 12" in said
    assert any("at step 6: from there on the learning rate is that of a run of 12 steps" in text for text in said)


def test_the_record_says_so(longer: tuple[RunFolder, list[str]], short: RunFolder) -> None:
    folder, _ = longer
    facts, recipe = folder.read_json("run.json"), folder.recipe()
    assert (recipe.max_steps, recipe.went_on, facts["status"], facts["steps"]) == (12, "6", "done", 12)
    assert facts["went_on"] == [{"at": 6, "planned": 6, "to": 12}] and facts["planned_steps"] == 12
    assert facts["test_evaluations"] == 2  # the test split was looked at after six steps as well
    assert facts["digest"] == digest(recipe) != digest(replace(recipe, went_on=""))
    assert "again: run.py as typed; then, at step 6:" in (folder.path / "recipe.toml").read_text()
    assert ("more steps were planned at step", "6") in how_made(read_run(folder)).facts
    assert (folder.path / NEWEST).is_file()  # and it may be given more again


def test_with_a_rate_that_never_changes_it_is_the_run_of_as_many_steps(tmp_path: Path) -> None:
    steady = replace(RECIPE, schedule=replace(RECIPE.schedule, name="constant", warmup=0.0))
    trained(replace(steady, max_steps=12), tmp_path / "whole")
    folder = trained(steady, tmp_path / "short", keep_checkpoint=True)
    for _ in resume(folder.path, pictures=False, max_steps=12):
        pass
    assert digests(tmp_path / "short") == digests(tmp_path / "whole")


def test_cut_off_it_ends_in_the_same_weights(longer: tuple[RunFolder, list[str]], copy: RunFolder) -> None:
    with pytest.raises(Interrupted), listen():
        for event in resume(copy.path, pictures=False, max_steps=12):
            if isinstance(event, Progress) and event.done == 8:
                os.kill(os.getpid(), signal.SIGTERM)
    for _ in resume(copy.path, pictures=False):
        pass
    assert digests(copy.path.parent) == digests(longer[0].path.parent)


def test_killed_between_its_two_records_the_same_command_goes_on(
    longer: tuple[RunFolder, list[str]], copy: RunFolder
) -> None:
    copy.update(digest=longer[0].read_json("run.json")["digest"], status="running")  # recipe.toml is still the old one
    with pytest.raises(SandboxError, match="was changed since the run began"):
        list(resume(copy.path, pictures=False))
    for _ in resume(copy.path, pictures=False, max_steps=12):
        pass
    assert digests(copy.path.parent) == digests(longer[0].path.parent)


def test_one_that_stopped_early_trains_again(tmp_path: Path) -> None:
    patient = replace(RECIPE, evaluate=replace(RECIPE.evaluate, every=1, patience=1), max_steps=30)
    folder = trained(patient, tmp_path, keep_checkpoint=True)
    stopped = folder.read_json("run.json")["steps"]
    assert stopped < 30
    for _ in resume(folder.path, pictures=False, max_steps=31):
        pass
    assert folder.read_json("run.json")["steps"] > stopped and folder.recipe().went_on == str(stopped)


def test_a_recipe_of_such_a_run_begins_anew(longer: tuple[RunFolder, list[str]], tmp_path: Path) -> None:
    events = list(run(replace(longer[0].recipe(), max_steps=1), out=tmp_path, command="a test", pictures=False))
    assert any(isinstance(event, Note) and "this one begins at 0" in event.text for event in events)
    (path,) = (folder for folder in tmp_path.iterdir() if not folder.name.startswith("."))
    assert RunFolder(path).recipe().went_on == ""


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (4, "--max_steps is 4, but the run .* has taken 6 steps: give more"),
        (6, "--max_steps is 6, but the run .* has taken 6 steps: give more"),
        (None, "is finished; there is nothing to resume, unless --max_steps gives it more steps"),
    ],
)
def test_fewer_steps_are_refused(short: RunFolder, steps: int | None, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        list(resume(short.path, pictures=False, max_steps=steps))
    assert short.status() == "done" and (short.path / NEWEST).is_file()


def test_what_cannot_be_lengthened_is_refused(copy: RunFolder, tmp_path: Path) -> None:
    (copy.path / NEWEST).unlink()
    with pytest.raises(SandboxError, match=r"kept no training state to go on from \(--keep_checkpoint keeps it\)"):
        list(resume(copy.path, pictures=False, max_steps=12))
    clocked = trained(replace(RECIPE, max_steps=None, max_seconds=0.05), tmp_path / "clock", keep_checkpoint=True)
    with pytest.raises(SandboxError, match=r"ends after 0.05 seconds of training \(max_seconds\)"):
        list(resume(clocked.path, pictures=False, max_steps=1000))


def test_an_unfinished_run_is_given_more(tmp_path: Path) -> None:
    with pytest.raises(Interrupted), listen():
        for event in run(RECIPE, out=tmp_path, command="a test", pictures=False):
            if isinstance(event, Progress) and event.done == 2:
                os.kill(os.getpid(), signal.SIGTERM)
    (path,) = tmp_path.iterdir()
    with pytest.raises(SandboxError, match=r"but the run .* plans 6: give more, or leave it out"):
        list(resume(path, pictures=False, max_steps=5))
    for _ in resume(path, pictures=False, max_steps=9):
        pass
    folder = RunFolder(path)
    assert (folder.recipe().went_on, folder.read_json("run.json")["steps"]) == ("3", 9)
    assert folder.read_json("run.json")["test_evaluations"] == 1
