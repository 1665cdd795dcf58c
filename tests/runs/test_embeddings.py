"""What a run keeps of its images: which ask and which are searched, written, read again, and refused where damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from sandbox.errors import SandboxError
from sandbox.evaluation.roles import Roles
from sandbox.recipe.specs import Recipe
from sandbox.runs.embeddings import KeptEmbeddings, KeptSet, read_embeddings, write_embeddings
from sandbox.runs.folder import create


@pytest.mark.parametrize("camera", [None, np.array([3, 1, 3, 2])])
def test_roles_come_back(tmp_path: Path, camera: np.ndarray | None) -> None:
    folder = create(tmp_path, Recipe(), "a test", "")
    roles = Roles(np.array([True, False, False, True]), np.array([False, True, True, True]), camera)
    x, labels = np.eye(4, dtype=np.float32), np.array([0, 0, 1, 1])
    kept = {"test": KeptSet(x, labels, roles=roles), "val": KeptSet(x.copy(), labels)}
    write_embeddings(folder, kept, closed_set=False)
    read = read_embeddings(folder)
    again = read.take("test").roles
    assert again is not None and read.take("val").roles is None
    for part in ("query", "gallery", "camera"):
        np.testing.assert_array_equal(getattr(again, part), getattr(roles, part))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (np.zeros((3, 2), np.int64), r"the roles of test are \(3, 2\) int64"),
        (np.zeros((4, 4), np.int64), r"the roles of test are \(4, 4\) int64"),
        (np.zeros((4, 2), np.float32), r"the roles of test are \(4, 2\) float32"),
        (np.full((4, 2), 2), "the roles of test are neither yes nor no"),
    ],
)
def test_damaged_roles_are_refused(table: np.ndarray, said: str) -> None:
    tensors = {
        "test/embeddings": torch.eye(4),
        "test/labels": torch.tensor([0, 0, 1, 1]),
        "test/roles": torch.from_numpy(table),
    }
    with pytest.raises(SandboxError, match=f"the run somewhere is damaged: {said}"):
        KeptEmbeddings(Path("somewhere"), tensors, False).take("test")
