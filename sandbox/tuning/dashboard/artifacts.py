"""Pictures and other files of trials: in `artifacts/` of a study's folder, listed where the dashboard finds them.

Optuna lists them at the trial, where nothing can be changed any more once it is over. The dashboard also reads a list
at the study, which can: so pictures may come after the trial, and go again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from optuna.artifacts import FileSystemArtifactStore
from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.storages import BaseStorage

from sandbox.files import write_whole

_MIME = {".png": "image/png", ".svg": "image/svg+xml", ".csv": "text/csv", ".jsonl": "application/jsonl"}


class ArtifactFolders:
    """The `artifacts/` of several studies as one store of Optuna's: an id lies in one of them."""

    def __init__(self, folders: Sequence[Path]):
        """Take the folders of studies; new files go into the first."""
        self._stores = [FileSystemArtifactStore(folder / "artifacts") for folder in folders]
        self._first = folders[0] / "artifacts"

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """Open a file.

        Raises:
            ArtifactNotFound: it is in no folder.
        """
        for store in self._stores:
            with suppress(ArtifactNotFound):
                return store.open_reader(artifact_id)
        raise ArtifactNotFound("not found")

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Add a file to the first folder."""
        self._first.mkdir(parents=True, exist_ok=True)
        self._stores[0].write(artifact_id, content_body)

    def remove(self, artifact_id: str) -> None:
        """Take a file away.

        Raises:
            ArtifactNotFound: it is in no folder.
        """
        for store in self._stores:
            with suppress(ArtifactNotFound):
                return store.remove(artifact_id)
        raise ArtifactNotFound("not found")


def attach(storage: BaseStorage, study_id: int, trial_id: int, paths: Sequence[Path], folder: Path) -> dict[str, str]:
    """Copy files into the artifacts of a study, and list them at a trial; those that it had under their names go.

    Args:
        storage: the study's.
        study_id: in that storage.
        trial_id: in that storage; the trial may be over.
        paths: the files; the dashboard previews pictures.
        folder: of the study.

    Returns:
        Id -> file name of each.

    Raises:
        SandboxError: the folder cannot be written.
    """
    added = {}
    listed = list_artifacts(storage, study_id).get(trial_id, {})
    for path in paths:
        artifact = str(uuid4())
        write_whole(folder / "artifacts" / artifact, path.read_bytes(), make_folder=True)
        mime = _MIME.get(path.suffix, "application/octet-stream")
        entry = {"artifact_id": artifact, "filename": path.name, "mimetype": mime, "encoding": None}
        storage.set_study_system_attr(study_id, _key(trial_id, artifact), json.dumps(entry))
        for before in [known for known, name in listed.items() if name == path.name]:
            detach(storage, study_id, trial_id, before, folder)
        added[artifact] = path.name
    return added


def detach(storage: BaseStorage, study_id: int, trial_id: int, artifact: str, folder: Path) -> int:
    """Take a file that `attach` listed off a trial and out of the folder; how many bytes that frees."""
    storage.set_study_system_attr(study_id, _key(trial_id, artifact), json.dumps(None))
    path = folder / "artifacts" / artifact
    try:
        size = path.stat().st_size
        path.unlink()
    except FileNotFoundError:  # taken away by hand, or it lies on another machine
        return 0
    return size


def list_artifacts(storage: BaseStorage, study_id: int) -> dict[int, dict[str, str]]:
    """Trial id -> id -> file name of all that `attach` listed in a study."""
    found: dict[int, dict[str, str]] = {}
    for key, value in storage.get_study_system_attrs(study_id).items():
        if (said := _LISTED.fullmatch(key)) and isinstance(entry := json.loads(value), dict):
            found.setdefault(int(said[1]), {})[said[2]] = str(entry.get("filename"))
    return found


_LISTED = re.compile(r"dashboard:artifacts:(\d+):([0-9a-fA-F-]+)")


def _key(trial_id: int, artifact: str) -> str:
    return f"dashboard:artifacts:{trial_id}:{artifact}"
