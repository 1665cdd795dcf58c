from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.data.formats.rows.template_marks import read_marks
from sandbox.errors import SandboxError


def test_numbers_and_names_are_taken(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", embeddings=np.eye(3), templates=np.array([7, 7, 9]), media=np.array(["v", "w", "v"]))
    marks = read_marks(tmp_path / "a.npz", 3)
    assert marks.template.tolist() == [7, 7, 9] and marks.medium.tolist() == ["v", "w", "v"]


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"templates": np.arange(3)}, "has no 'media'; there are 'embeddings', 'templates'"),
        ({"media": np.arange(3), "template": np.arange(3)}, "has no 'templates'; there are 'embeddings', 'media', 't"),
        ({"media": np.arange(2), "templates": np.arange(3)}, "media in {} must be 3 integers or strings, one for each"),
        ({"media": np.ones(3), "templates": np.arange(3)}, "media in {} must be 3 integers or strings, one for each"),
    ],
)
def test_what_is_no_mark_is_refused(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    np.savez(tmp_path / "a.npz", embeddings=np.eye(3), **arrays)
    with pytest.raises(SandboxError, match=re.escape(said.format(tmp_path / "a.npz"))):
        read_marks(tmp_path / "a.npz", 3)
