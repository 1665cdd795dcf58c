"""Run folders in and out: the only writer of them. A folder whose status is not "done" counts as no result.

results/runs/<id>/   recipe.toml  run.json  log.jsonl  report.json  model.safetensors  embeddings.safetensors
                     baselines.json  page.html  figures/
                     while it trains .lock and two checkpoints (`sandbox.runs.checkpoints`)

baselines.json is ``{"raw pixels": {"val": Figures, "test": Figures}, "untrained": ...}``: what the images themselves
give, and the network at step 0, on the splits of report.json and with its entries; one that could not be scored is not
there, and a note of run.json says why.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.data.catalog import data_kinds
from sandbox.errors import SandboxError
from sandbox.evaluation.figures import threshold_for_test
from sandbox.files import parse_json, read_json, sync_folder, write_whole
from sandbox.recipe.specs import Recipe, digest
from sandbox.recipe.text import from_toml, read_recipe, to_toml
from sandbox.runs.lock import LOCK, holder
from sandbox.runs.plugins import require
from sandbox.wording import reason

if TYPE_CHECKING:
    import torch

TELLS_APART = ("verification/accuracy", "verification/balanced_accuracy")
"""Figures whose score tells same from different: of given pairs, and of runs from before there was the other, accuracy;
of all pairs balanced accuracy."""
_LONGEST_LINE = 2**20  # bytes of a line of log.jsonl; a validation's has some thousand


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run, and the only way its files are written."""

    path: Path

    def write_text(self, name: str, text: str) -> None:
        """Write a file whole or not at all."""
        write_whole(self.path / name, text)

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON file whole or not at all; numbers that are not finite are refused."""
        self.write_text(name, json.dumps(value, indent=1, allow_nan=False) + "\n")

    def read_json(self, name: str) -> Any:
        """Read a JSON file of the run.

        Raises:
            SandboxError: it is absent or damaged.
        """
        try:
            return read_json(self.path / name)
        except FileNotFoundError:
            why = ", as the folder of a run has" if name == "run.json" else ""
            raise SandboxError(f"{self.path} has no {name}{why}") from None

    def validation_threshold(self, *keys: str) -> float | None:
        """The score that a figure of the validation split chooses for test; None where its report has none.

        Args:
            keys: of the figure, the first that has a score; `TELLS_APART` where not given.

        Raises:
            SandboxError: report.json is absent or damaged.
        """
        match self.read_json("report.json"):
            case {"val": {**figures}}:
                for key in keys or TELLS_APART:
                    entry = figures.get(key)
                    threshold = threshold_for_test(entry) if isinstance(entry, dict) else None
                    if threshold is not None:
                        return threshold
        return None

    def facts_of_finished(self) -> dict[str, Any]:
        """What run.json holds of a finished run.

        Raises:
            SandboxError: there is no run, it is not done, or the folder is one of folds, which has no network of its
                own (`sandbox.runs.folds`).
        """
        if not os.path.isdir(self.path):  # where Path.is_dir raises, as for names that are too long, this is False
            raise SandboxError(f"there is no folder {self.path}")
        facts = self.read_json("run.json")
        status = self.status()
        if status != "done":
            raise SandboxError(f"the run {self.path} is not finished: its status is {status!r}")
        self.refuse_folds(facts)
        return facts

    def refuse_folds(self, facts: Any) -> None:
        """Refuse a folder of folds where a network or its embeddings are wanted.

        Raises:
            SandboxError: names the folder of its first run.
        """
        if isinstance(facts, dict) and facts.get("folds"):
            raise SandboxError(
                f"{self.path} holds the runs of {facts['folds']} folds, each with a network of its own; name one of "
                f"them, such as {self.path / 'fold-01'}"
            )

    def status(self) -> str:
        """What run.json says: ``done``, ``running``, or what begins with ``interrupted`` or ``failed``.

        A run whose process is gone without a word says ``running`` there; it is ``interrupted`` here. What cannot be
        read is ``damaged``.
        """
        try:
            facts = self.read_json("run.json")
        except SandboxError:
            return "damaged"
        status = facts.get("status") if isinstance(facts, dict) else None
        if not isinstance(status, str):
            return "damaged"
        return "interrupted: its process is gone" if status == "running" and not self.holders() else status

    def holders(self) -> list[str]:
        """Who is at work in the folder, as `sandbox.runs.lock.holder` says it; several may be where it is of folds."""
        return [who for lock in sorted(self.path.glob(f".*{LOCK[1:]}")) if (who := holder(self.path, lock.name))]

    def is_finished(self) -> bool:
        """Whether its status is "done" and it has a report.

        Raises:
            SandboxError: run.json is absent or damaged.
        """
        facts = self.read_json("run.json")
        if not isinstance(facts, dict):
            raise SandboxError(f"{self.path / 'run.json'} is damaged: it holds no facts")
        return facts.get("status") == "done" and (self.path / "report.json").is_file()

    def update(self, **facts: Any) -> None:
        """Change facts of run.json."""
        self.write_json("run.json", {**self.read_json("run.json"), **facts})

    def log(self, row: Mapping[str, Any]) -> None:
        """Append one line to log.jsonl.

        Raises:
            SandboxError: it cannot be written, or the disk is full.
        """
        path = self.path / "log.jsonl"
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        except OSError as error:
            raise SandboxError(f"cannot write {path}: {reason(error)}") from None

    def read_log(self) -> list[dict[str, Any]]:
        """The lines of log.jsonl; a last line that was cut off is left out."""
        path = self.path / "log.jsonl"
        rows: list[dict[str, Any]] = []
        if not path.is_file():
            return rows
        with path.open("rb") as file:
            while line := file.readline(_LONGEST_LINE):
                try:
                    row = parse_json(line, finite=False)
                except ValueError:
                    break
                if isinstance(row, dict) and type(row.get("step")) is int:
                    rows.append(row)
        return rows

    def cut_log(self, step: int) -> None:
        """Keep the lines up to a step, before a run goes on from there."""
        rows = [row for row in self.read_log() if row["step"] <= step]
        self.write_text("log.jsonl", "".join(json.dumps(row) + "\n" for row in rows))

    def write_tensors(self, name: str, tensors: Mapping[str, torch.Tensor], state: Any = None) -> None:
        """Write a .safetensors file whole or not at all; `state` (plain data) goes into its header as JSON."""
        from safetensors.torch import save

        header = None if state is None else {"state": json.dumps(state)}
        write_whole(self.path / name, save(dict(tensors), metadata=header))

    def read_tensors(self, name: str) -> tuple[dict[str, torch.Tensor], Any]:
        """Tensors by name and the state of the header.

        Raises:
            SandboxError: the file is absent or damaged.
        """
        from safetensors import SafetensorError, safe_open

        path = self.path / name
        if not path.is_file():
            raise SandboxError(f"{self.path} has no {name}")
        try:
            with safe_open(path, framework="pt") as file:
                header = file.metadata() or {}
                tensors = {key: file.get_tensor(key) for key in file.keys()}
            return tensors, parse_json(header["state"], finite=False) if "state" in header else None
        except (SafetensorError, OSError, ValueError) as error:
            raise SandboxError(f"{path} is damaged: {error}") from None

    def require_plugins(self) -> None:
        """Refuse a run that was made with a plug-in which is not loaded.

        Raises:
            SandboxError: names the plug-in.
        """
        try:
            facts = self.read_json("run.json")
        except SandboxError:  # whoever needs it says so
            return
        require(facts.get("plugins", ()) if isinstance(facts, dict) else (), f"the run {self.path}")

    def recipe(self) -> Recipe:
        """The recipe of the run.

        Raises:
            SandboxError: recipe.toml is absent or damaged, or a plug-in that the run was made with is not loaded.
        """
        path = self.path / "recipe.toml"
        if not path.is_file():
            raise SandboxError(f"{self.path} is no run folder: it has no recipe.toml")
        self.require_plugins()
        try:
            return from_toml(read_recipe(path), source=str(path), kinds=data_kinds())
        except (OSError, ValueError) as error:
            raise SandboxError(f"cannot read {path}: {error}") from None


def create(parent: Path, recipe: Recipe, command: str, name: str = "", **facts: Any) -> RunFolder:
    """A new run folder with its recipe and a run.json whose status is "running".

    Args:
        parent: what it is made in.
        recipe: of the run.
        command: what a person types to do it again.
        name: of the folder; by time, objective and seed where not given. One that is taken gets a number after it.
        facts: more of run.json, which a run that is killed at once is gone on with by.

    Raises:
        SandboxError: the place cannot be written.
    """
    stem = name or f"{datetime.now():%Y%m%d-%H%M%S}-{loss_label(recipe.loss)}-s{recipe.seed}"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _sweep(parent)
        # Filled under a hidden name first: half a folder could not be gone on with.
        new = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))
    except OSError as error:
        raise SandboxError(f"cannot write run folders into {parent}: {reason(error)}") from None
    try:
        new.chmod(0o777 & ~_umask())
        RunFolder(new).write_text("recipe.toml", to_toml(recipe, f"again: {command}"))
        for attempt in range(1000):
            path = parent / (stem if attempt == 0 else f"{stem}-{attempt + 1}")
            if not path.exists() and _named(new, path, recipe, command, facts):
                return RunFolder(path)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    shutil.rmtree(new, ignore_errors=True)
    raise SandboxError(f"cannot find a free name for a run in {parent}")


def _named(new: Path, path: Path, recipe: Recipe, command: str, more: Mapping[str, Any]) -> bool:
    """Give a new folder its name; whether no other was quicker to take it."""
    facts = {"id": path.name, "status": "running", "command": command, "digest": digest(recipe), "seed": recipe.seed}
    started = datetime.now().astimezone().isoformat(timespec="seconds")
    RunFolder(new).write_json("run.json", {**facts, "started": started, **more})
    try:
        new.rename(path)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise SandboxError(f"cannot write {path}: {reason(error)}") from None
    sync_folder(path.parent)
    return True


def _sweep(parent: Path) -> None:
    """Take away what processes left that were killed a day ago, as they were making a folder."""
    for left in parent.glob(".new-*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > 24 * 3600:
                shutil.rmtree(left, ignore_errors=True)


def _umask() -> int:
    """The permissions that a person's new folders lack; those of a temporary folder lack more."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def run_folders(parent: Path) -> list[RunFolder]:
    """Folders below `parent` (itself, or two levels down) that hold a run.json, oldest first.

    The runs inside a folder of folds (`sandbox.runs.folds`) are part of it, and none of them.
    """
    found = sorted({*parent.glob("run.json"), *parent.glob("*/run.json"), *parent.glob("*/*/run.json")})
    folders = {path.parent for path in found}

    def apart(folder: Path) -> bool:
        return not (folder.name.startswith("fold-") and folder.parent in folders)

    return [RunFolder(f.parent) for f in found if not f.parent.name.startswith(".") and apart(f.parent)]


def finished_runs(parent: Path) -> list[RunFolder]:
    """Of `run_folders` those whose status is "done"; a damaged run.json has none."""

    def finished(folder: RunFolder) -> bool:
        try:
            return folder.is_finished()
        except SandboxError:
            return False

    return [folder for folder in run_folders(parent) if finished(folder)]


def interrupted_runs(parent: Path) -> list[RunFolder]:
    """Of `run_folders` those that can be gone on with, as their process was stopped or is gone."""
    return [folder for folder in run_folders(parent) if folder.status().startswith("interrupted")]


def loss_label(loss: str) -> str:
    """An objective as part of a folder's name."""
    kept = "".join(c if c.isalnum() or c in "_." else "-" for c in loss)
    return "-".join(filter(None, kept.split("-")))[:60].strip("-.")
