"""A Parquet file of embeddings as a data set: a column of lists of one length, one of labels, one of splits.

Its pages are compressed, so its rows are unpacked once into the cache, a few thousand at a time, and mapped from there.
Columns of lists as Apache Arrow has them (https://arrow.apache.org/docs/python/api/datatypes.html): `list`,
`large_list` and `fixed_size_list`, which is also what pandas, polars and Hugging Face's data sets write.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.data.formats.rows.embeddings import with_classes
from sandbox.data.formats.rows.npz import Npz
from sandbox.data.formats.rows.rows_npy import RowsFile, refuse_unfit
from sandbox.data.images.cache import cache_folder, cached_file
from sandbox.errors import SandboxError, near
from sandbox.wording import reason

_COLUMNS = {
    "embeddings": ("embeddings", "embedding"),
    "labels": ("labels", "label"),
    "paths": ("paths", "path"),
    "split": ("split",),
}
_ROWS = 4096  # unpacked at once


def read_rows_parquet(file: Path) -> RowsFile:
    """Read the columns `embedding`, `label` or `path` and, where there, `split`.

    Raises:
        SandboxError: pyarrow is not installed, the file is damaged, a column is absent or of another kind, or a row is
            empty or of another length than the first.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise SandboxError('Parquet files need pyarrow, which is not installed; run: pip install -e ".[parquet]"')
    try:
        import pyarrow.parquet as parquet

        with parquet.ParquetFile(file) as opened:
            names = _named(file, opened.schema_arrow.names)
            held = _beside(file, opened, names)
            rows = _unpacked(file, opened, names["embeddings"])
    except (SandboxError, MemoryError):
        raise
    except Exception as error:  # pyarrow's errors have no common type below Exception
        raise SandboxError(f"{file} is damaged or no Parquet file: {reason(error)}") from None
    refuse_unfit(file, rows)
    split = held.texts.pop("split", None)
    made = with_classes(file, rows, held)
    return RowsFile(rows, made.labels, made.classes, made.paths, split, made.spellings)


def _named(file: Path, there: list[str]) -> dict[str, str]:
    """The file's own names of the columns that mean something here."""
    found: dict[str, str] = {}
    for column, ways in _COLUMNS.items():
        met = [name for name in there if name.lower() in ways]
        if len(met) > 1:
            raise SandboxError(f"{file} has the columns {' and '.join(map(repr, met))}, and one is meant")
        found |= {column: met[0]} if met else {}
    listed = ", ".join(map(repr, there[:12])) or "none"
    if "embeddings" not in found:
        raise SandboxError(f"{file} has no column named 'embedding'{near('embedding', there)}; there are {listed}")
    if not {"labels", "paths"} & set(found):
        raise SandboxError(f"{file} has neither 'label' nor 'path', so that no row has a class; there are {listed}")
    return found


def _beside(file: Path, opened: Any, names: dict[str, str]) -> Npz:
    """Labels, paths and splits."""
    arrays: dict[str, np.ndarray] = {}
    texts: dict[str, list[str]] = {}
    wanted = {column: name for column, name in names.items() if column != "embeddings"}
    table = opened.read(columns=list(wanted.values()))
    for column, name in wanted.items():
        values = table.column(name).to_pylist()
        kinds = {type(value) for value in values}
        if kinds == {int} and column == "labels":
            arrays[column] = np.array(values)
            if arrays[column].dtype.kind not in "iu":
                raise SandboxError(f"labels in {file} must be whole numbers of 64 bits at most")
        elif kinds <= {str}:
            texts[column] = values
        else:
            kept = int if int in kinds and column == "labels" else str
            row = next(row for row, value in enumerate(values) if type(value) is not kept)
            allowed = "integers or strings" if column == "labels" else "strings"
            raise SandboxError(f"column '{name}' in {file} must hold {allowed}, and row {row} is {values[row]!r:.40}")
    return Npz(arrays, texts)


def _unpacked(file: Path, opened: Any, column: str) -> np.ndarray:
    """The rows (N, D) float32 as a memory map of the cache."""
    status = file.stat()
    told = f"{file.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\0{column}\0{opened.metadata.num_rows}"
    place = cache_folder() / f"rows-{hashlib.blake2b(told.encode(errors='replace'), digest_size=12).hexdigest()}.npy"
    with suppress(OSError, ValueError):
        held = np.load(place, mmap_mode="r")
        if held.ndim == 2 and len(held) == opened.metadata.num_rows:
            return held
    with cached_file(place) as part:
        width = _write(_blocks(file, opened, column), part)
        if not width:
            raise SandboxError(f"{file} holds no row")
    return np.load(place, mmap_mode="r")


def _write(blocks: Iterator[np.ndarray], part: Path) -> int:
    """Write an npy whose rows are not counted beforehand; the length of a row, 0 where there is none."""
    rows, width = 0, 0
    with part.open("wb") as stream:
        for block in blocks:
            width = width or block.shape[1]
            if not rows:
                _put_head(stream, 0, width)
            stream.write(block.tobytes())
            rows += len(block)
        if rows:
            stream.seek(0)
            _put_head(stream, rows, width)
    return width


def _put_head(stream: Any, rows: int, width: int) -> None:
    """Always of one length: NumPy leaves room in it for a first side of any number of digits."""
    told = {"descr": "<f4", "fortran_order": False, "shape": (rows, width)}
    np.lib.format.write_array_header_1_0(stream, told)


def _blocks(file: Path, opened: Any, column: str) -> Iterator[np.ndarray]:
    """The rows (n, D) float32, a few thousand at a time."""
    width, done = 0, 0
    for batch in opened.iter_batches(batch_size=_ROWS, columns=[column]):
        lists = batch.column(0)
        if not any(word in str(lists.type) for word in ("list<", "fixed_size_list")):
            raise SandboxError(f"column '{column}' in {file} must hold lists of numbers, not {lists.type!s:.60}")
        values = lists.flatten()
        if lists.null_count or values.null_count:
            raise SandboxError(f"column '{column}' in {file} has empty places among rows {done:,} and after")
        numbers = values.to_numpy(zero_copy_only=False)
        if numbers.dtype.kind not in "fiu":
            raise SandboxError(f"column '{column}' in {file} must hold numbers, not {numbers.dtype}")
        lengths = np.array([len(one) for one in lists])
        width = width or int(lengths[0]) if len(lengths) else width
        if width == 0 or (lengths != width).any():
            row = done + int(np.flatnonzero(lengths != width)[0]) if width else done
            other = int(lengths[row - done])
            raise SandboxError(f"row {row} of '{column}' in {file} has {other:,} numbers, and the first has {width:,}")
        with np.errstate(over="ignore"):
            yield np.ascontiguousarray(numbers.reshape(len(lengths), width), dtype="<f4")
        done += len(lengths)
