"""What an npz declares is compared before any of it is inflated; through the reader of embeddings."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.data.formats.rows.embeddings import read_embeddings
from sandbox.errors import SandboxError

X = np.arange(8, dtype=np.float32).reshape(4, 2)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "e.npz"


def npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, X)
    return buffer.getvalue()


def bomb(dtype: str, shape: tuple[int, ...], follow: int) -> bytes:
    """An array of zeros that declares its shape and is followed by as many bytes."""
    head = io.BytesIO()
    np.lib.format.write_array_header_2_0(head, {"descr": dtype, "fortran_order": False, "shape": shape})
    return head.getvalue() + bytes(follow)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        (
            {"embeddings": ("<f4", (10**6, 20), 80 * 10**6), "labels": ("<i8", (5,), 40)},
            r"labels have the shape \(5,\)",
        ),
        ({"embeddings": ("<f4", (2, 2), 16), "labels": ("<U100000000", (2,), 0)}, "labels .* 800,000,000 bytes, and 0"),
        (
            {"embeddings": ("<f4", (2, 2), 16), "labels": ("<U4097", (2,), 2 * 4 * 4097)},
            "4,096 .* 4,097 wide",
        ),
        (
            {"embeddings": ("<f4", (2, 2), 16), "paths": ("|S5000", (2,), 10**4)},
            "paths .* 5,000 wide",
        ),
        (
            {"embeddings": ("<f4", (10**9, 10**3), 0), "labels": ("<i8", (10**9,), 0)},
            "4,000,000,000,000 bytes",
        ),
        ({"embeddings": ("<f4", (2, 2), 17), "labels": ("<i8", (2,), 16)}, "goes on after its last number"),
        ({"embeddings": ("<c16", (10**6, 8), 128 * 10**6), "labels": ("<i8", (10**6,), 0)}, "labels .* 0 follow"),
        ({"embeddings": ("<f4", (-2, -2), 16), "labels": ("<i8", (2,), 16)}, "embeddings .* is damaged"),
        ({"embeddings": ("<f4", (2**62, 2**62), 0), "labels": ("<i8", (2,), 16)}, "embeddings .* is damaged"),
        ({"embeddings": ("|V8", (10**6, 8), 64 * 10**6), "labels": ("<i8", (10**6,), 8 * 10**6)}, "floats or integers"),
    ],
)
def test_what_arrays_declare_is_compared_before_any_is_inflated(file: Path, members: dict[str, Any], said: str) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, (dtype, shape, follow) in members.items():
            archive.writestr(f"{name}.npy", bomb(dtype, shape, follow))
    tracemalloc.start()
    try:
        with pytest.raises(SandboxError, match=said):
            read_embeddings(file)
        assert tracemalloc.get_traced_memory()[1] < 10**7
    finally:
        tracemalloc.stop()


def test_texts_as_wide_as_paths_take_no_more_than_they_hold(file: Path) -> None:
    paths = np.zeros(1000, "<U4096")
    paths[:] = [f"class {row % 7}/{row}.png" for row in range(1000)]
    paths[999] = "a" * 4090 + "/1.png"
    np.savez_compressed(file, embeddings=np.zeros((1000, 1), np.float32), paths=paths)
    tracemalloc.start()
    found = read_embeddings(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.paths == tuple(paths.tolist())
    assert len(found.classes) == 8
    assert peak < paths.nbytes


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_that_inflates_without_bounds_is_refused(file: Path, method: int) -> None:
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("embeddings.npy", npy())
        archive.writestr("labels.npy", npy())
    with pytest.raises(SandboxError, match="compressed in another way"):
        read_embeddings(file)


def test_an_array_that_is_there_twice_is_refused(file: Path) -> None:
    np.savez(file, embeddings=X, labels=[0, 1, 2, 3])
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("embeddings", npy())
    with pytest.raises(SandboxError, match=r"embeddings in .* it is there 2 times"):
        read_embeddings(file)


def test_a_list_of_arrays_without_end_is_refused(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(80):
            archive.writestr(f"{number:065000d}", b"")
    with pytest.raises(SandboxError, match="its list of arrays is longer than 4 MB"):
        read_embeddings(file)
