"""The embeddings that a run keeps: `embeddings.safetensors`, written and read here alone.

It holds, for the validation split (``val``), the test split (``test``) where it was scored, and what was verified apart
from either (``val/verify``, ``test/verify``): ``NAME/embeddings`` (N, D) float32, ``NAME/labels`` (N,) int64 and, where
pairs were given, ``NAME/pairs`` (M, 3) int64: left, right, same, and a fourth column of folds where they have folds.
One-shot trials are ``NAME/trials`` (T, 3 + W) int64: run, query, answer and the examples; where they are of images of
their own, these are a set ``val/oneshot`` or ``test/oneshot``, and a test that holds nothing else has no set ``test``.
Where not each row searches all others, ``NAME/roles`` (N, 2) int64 says which ask and which are searched, and in a
third column, where it is known, which camera saw each. A column that figures can be given by is ``NAME/by/COLUMN`` (N,)
int64: places in its values, which stand in the header.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sandbox.errors import SandboxError
from sandbox.evaluation.fewshot.oneshot import oneshot
from sandbox.evaluation.figures import Figures
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.report import Labelled, Options, search
from sandbox.evaluation.retrieval.metrics import Retrieval
from sandbox.evaluation.roles import Roles
from sandbox.evaluation.trials import Trials
from sandbox.evaluation.verification.by_value import MOST, Groups
from sandbox.runs.folder import RunFolder
from sandbox.wording import printable

_FILE = "embeddings.safetensors"


@dataclass(frozen=True)
class KeptSet:
    """What a run keeps of one set of images."""

    x: np.ndarray
    """(N, D) float32 unit rows."""
    labels: np.ndarray
    """(N,) int64."""
    pairs: Pairs | None = None
    """Pairs of its rows that were verified; None where all were."""
    trials: Trials | None = None
    """One-shot trials of its rows; None where there are none."""
    roles: Roles | None = None
    """Which of its rows ask and which are searched; None where each searches all others."""
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    """What else is known of its rows: (N,) strings by name."""

    def groups(self, name: str) -> Groups | None:
        """The column of that name, to give figures by; None where there is none."""
        return Groups(name, self.columns[name]) if name in self.columns else None

    def retrieved(self, recall_at: Sequence[int] = (1, 5, 10)) -> Retrieval:
        """What each of its queries finds, by cosine."""
        return search(Labelled(self.x, self.labels), Options(recall_at=tuple(recall_at), roles=self.roles))


def one_shot_figures(sets: Mapping[str, KeptSet], name: str) -> Figures:
    """The one-shot figures of ``val`` or ``test``, on its own rows or on those of trials apart; none without trials."""
    for own in (sets.get(f"{name}/oneshot"), sets.get(name)):
        if own is not None and own.trials is not None:
            return oneshot(own.x, own.trials)
    return {}


def write_embeddings(folder: RunFolder, sets: Mapping[str, KeptSet], *, closed_set: bool) -> None:
    """Keep the embeddings of a run.

    Args:
        folder: the run.
        sets: by ``val``, ``test``, ``val/verify``, ``test/verify``, ``val/oneshot``, ``test/oneshot``.
        closed_set: whether what is evaluated was trained on.
    """
    tensors: dict[str, torch.Tensor] = {}
    values: dict[str, list[str]] = {}
    for name, kept in sets.items():
        for column, of_rows in kept.columns.items():
            names, places = np.unique(of_rows, return_inverse=True)
            if len(names) <= MOST + 1:  # with the empty one
                key = f"{name}/by/{column}"
                tensors[key], values[key] = torch.from_numpy(places.astype(np.int64)), names.tolist()
        tensors[f"{name}/embeddings"] = torch.from_numpy(kept.x)
        tensors[f"{name}/labels"] = torch.from_numpy(kept.labels.copy())
        if kept.pairs is not None:
            pairs = kept.pairs
            columns = [pairs.left, pairs.right, pairs.same, *([] if pairs.fold is None else [pairs.fold])]
            tensors[f"{name}/pairs"] = torch.from_numpy(np.stack(columns, axis=1).astype(np.int64))
        if kept.roles is not None:
            roles = kept.roles
            columns = [roles.query, roles.gallery, *([] if roles.camera is None else [roles.camera])]
            tensors[f"{name}/roles"] = torch.from_numpy(np.stack(columns, axis=1).astype(np.int64))
        if kept.trials is not None:
            trials = kept.trials
            table = np.column_stack([trials.run, trials.query, trials.answer, trials.support])
            tensors[f"{name}/trials"] = torch.from_numpy(table.astype(np.int64))
    folder.write_tensors(_FILE, tensors, {"closed_set": closed_set} | ({"values": values} if values else {}))


@dataclass(frozen=True)
class KeptEmbeddings:
    """The sets that a run keeps, each checked when it is asked for."""

    path: Path
    tensors: Mapping[str, torch.Tensor]
    closed_set: bool
    """Whether what is evaluated was trained on."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Of each column, by the name of its tensor."""

    def __contains__(self, name: str) -> bool:
        """Whether there is a set of that name."""
        return f"{name}/embeddings" in self.tensors

    def take(self, name: str) -> KeptSet:
        """The set of that name.

        Raises:
            SandboxError: it is not there, or not what a run writes.
        """
        for part in ("embeddings", "labels"):
            if f"{name}/{part}" not in self.tensors:
                raise self._damaged(f"there is no {name}/{part}")
        x, labels = self.tensors[f"{name}/embeddings"].numpy(), self.tensors[f"{name}/labels"].numpy()
        whole = labels.ndim == 1 and labels.dtype.kind == "i" and len(labels) > 0 and bool(labels.min() >= 0)
        if not whole or x.ndim != 2 or x.dtype.kind != "f" or len(x) != len(labels) or not np.isfinite(x).all():
            raise self._damaged(f"embeddings {x.shape} and labels {labels.shape} of {name} do not fit")
        n = len(x)
        return KeptSet(
            x,
            labels.astype(np.int64),
            self._pairs(name, n),
            self._trials(name, n),
            self._roles(name, n),
            self._columns(name, n),
        )

    def _pairs(self, name: str, rows: int) -> Pairs | None:
        if f"{name}/pairs" not in self.tensors:
            return None
        table = self.tensors[f"{name}/pairs"].numpy()
        if table.ndim != 2 or table.shape[1] not in (3, 4) or not len(table) or table.dtype.kind != "i":
            raise self._damaged(f"the pairs of {name} are {table.shape} {table.dtype}")
        if table[:, :2].min() < 0 or table[:, :2].max() >= rows or not np.isin(table[:, 2], (0, 1)).all():
            raise self._damaged(f"the pairs of {name} name images that are not there")
        fold = table[:, 3] if table.shape[1] > 3 else None
        return Pairs(left=table[:, 0], right=table[:, 1], same=table[:, 2].astype(bool), fold=fold)

    def _trials(self, name: str, rows: int) -> Trials | None:
        if f"{name}/trials" not in self.tensors:
            return None
        table = self.tensors[f"{name}/trials"].numpy()
        if table.ndim != 2 or table.shape[1] < 4 or not len(table) or table.dtype.kind != "i":
            raise self._damaged(f"the one-shot trials of {name} are {table.shape} {table.dtype}")
        run, query, answer, support = table[:, 0], table[:, 1], table[:, 2], table[:, 3:]
        images = np.column_stack([query, support])
        if images.min() < 0 or images.max() >= rows or answer.min() < 0 or answer.max() >= support.shape[1]:
            raise self._damaged(f"the one-shot trials of {name} name images that are not there")
        return Trials(support, query, answer, run)

    def _roles(self, name: str, rows: int) -> Roles | None:
        if f"{name}/roles" not in self.tensors:
            return None
        table = self.tensors[f"{name}/roles"].numpy()
        if table.ndim != 2 or table.shape[0] != rows or table.shape[1] not in (2, 3) or table.dtype.kind != "i":
            raise self._damaged(f"the roles of {name} are {table.shape} {table.dtype}")
        if not np.isin(table[:, :2], (0, 1)).all():
            raise self._damaged(f"the roles of {name} are neither yes nor no")
        query, gallery = table[:, 0].astype(bool), table[:, 1].astype(bool)
        return Roles(query, gallery, table[:, 2].astype(np.int64) if table.shape[1] > 2 else None)

    def _columns(self, name: str, rows: int) -> dict[str, np.ndarray]:
        found = {}
        for key in self.tensors:
            if not key.startswith(f"{name}/by/"):
                continue
            places, values = self.tensors[key].numpy(), self.values.get(key)
            listed = isinstance(values, list) and all(isinstance(value, str) for value in values)
            if not isinstance(values, list) or not listed or places.shape != (rows,) or places.dtype.kind != "i":
                raise self._damaged(f"the column {printable(key)} is {places.shape} {places.dtype}")
            if places.min() < 0 or places.max() >= len(values):
                raise self._damaged(f"the column {printable(key)} names values that are not there")
            found[key.removeprefix(f"{name}/by/")] = np.array(values, dtype=str)[places]
        return found

    def _damaged(self, why: str) -> SandboxError:
        return SandboxError(f"the run {self.path} is damaged: {why}")


def read_embeddings(folder: RunFolder) -> KeptEmbeddings:
    """What a run keeps.

    Raises:
        SandboxError: the file is absent or damaged, or the folder is one of folds.
    """
    if not (folder.path / _FILE).is_file() and (folder.path / "run.json").is_file():
        folder.refuse_folds(folder.read_json("run.json"))
    tensors, state = folder.read_tensors(_FILE)
    # Runs that were recorded before this was have none: what is unknown is not claimed to be people of no test.
    closed = not isinstance(state, dict) or bool(state.get("closed_set", True))
    values = state.get("values") if isinstance(state, dict) else None
    return KeptEmbeddings(folder.path, tensors, closed, values if isinstance(values, dict) else {})
