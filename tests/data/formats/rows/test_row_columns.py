from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from sandbox.data.formats.rows.row_columns import read_column
from sandbox.errors import SandboxError

from fuzz import FUZZ, changed


def saved(place: Path, **arrays: np.ndarray) -> Path:
    np.savez(place / "rows.npz", **arrays)
    return place / "rows.npz"


def test_numbers_and_texts_are_strings(tmp_path: Path) -> None:
    file = saved(tmp_path, a=np.array([1, 2, 10]), b=np.array(["x", "y", ""]), c=np.array([b"x", b"y", b"z"]))
    for name, wanted in (("a", ["1", "2", "10"]), ("b", ["x", "y", ""]), ("c", ["x", "y", "z"])):
        found = read_column(file, name, 3)
        assert found is not None and found.tolist() == wanted
    assert read_column(file, "d", 3) is None


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    file = saved(tmp_path, categories=np.array(["x", "y"]), floats=np.array([0.5, 1.5]), flat=np.zeros((2, 2), int))
    with pytest.raises(SandboxError, match=r"has no array named 'category'; there are .*; did you mean 'categories'\?"):
        read_column(file, "category", 2, needed=True)
    for name, rows in (("categories", 3), ("floats", 2), ("flat", 2)):
        with pytest.raises(SandboxError, match=f"{name} in .* must be {rows} integers or strings, one for each row"):
            read_column(file, name, rows)


STREAM = io.BytesIO()
np.savez(STREAM, cameras=np.array(["a", "b"]), embeddings=np.ones((2, 2), np.float32))


@FUZZ
@given(changed(STREAM.getvalue()))
def test_damaged_files_are_read_or_refused_in_a_sentence(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "rows.npz"
        file.write_bytes(content)
        try:
            found = read_column(file, "cameras", 2, needed=True)
        except SandboxError as error:
            assert "\n" not in str(error)
        else:
            assert found is not None and found.shape == (2,) and found.dtype.kind == "U"
