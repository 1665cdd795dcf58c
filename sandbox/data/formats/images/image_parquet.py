"""A table of images as a Parquet file, which may hold the images themselves.

Hugging Face's data sets keep an image as a struct of `bytes` and `path`, or as plain bytes (`Image.cast_storage` in
its `datasets/features/image.py`), and the names of classes in the schema's metadata, where labels are numbers.
"""

from __future__ import annotations

import importlib.util
import json
import tempfile
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from sandbox.data.formats.images.image_table import ImageTable, known_columns, refuse_absent, whole_numbers
from sandbox.data.images.cache import cache_folder
from sandbox.errors import SandboxError
from sandbox.wording import reason, shown

_AT_ONCE = 256  # images unpacked together


def read_parquet(file: Path) -> ImageTable:
    """Read the texts and numbers of a Parquet file, and see where images lie in it.

    A column of bytes, or of structs with bytes, holds the images; then `path` may be absent. Columns of lists and
    others that are no text are passed over.

    Raises:
        SandboxError: pyarrow is not installed, the file is damaged, a column is absent or there twice, or two hold
            images.
    """
    with _opened(file) as parquet:
        schema = parquet.schema_arrow
        image = _image_column(file, schema)
        plain = [field.name for field in schema if field.name != image and _is_plain(field.type)]
        names = known_columns(file, plain)
        refuse_absent(file, names if image is None else [*names, "path"])
        read = parquet.read(columns=plain) if plain else None
        columns = {name: _texts(read.column(own)) for name, own in zip(names, plain, strict=True)} if read else {}
        if "label" in columns:
            columns["label"] = _named_classes(file, schema, plain[names.index("label")], columns["label"])
        rows = parquet.metadata.num_rows
        if not rows:
            raise SandboxError(f"{file} names no images")
        content: Callable[[int], bytes] | None = None
        if image is not None:
            columns["path"] = _called(parquet, schema, image, columns.get("path"), rows)
            content = _Unpacked(file, image).read
    return whole_numbers(ImageTable(file, "row", range(rows), columns, content=content))


def holds_images(file: Path) -> bool:
    """Whether a Parquet file holds the images themselves.

    Raises:
        SandboxError: as `read_parquet`.
    """
    with _opened(file) as parquet:
        return _image_column(file, parquet.schema_arrow) is not None


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    if importlib.util.find_spec("pyarrow") is None:
        raise SandboxError('Parquet files need pyarrow, which is not installed; run: pip install -e ".[parquet]"')
    try:
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(file) as parquet:
            yield parquet
    except (SandboxError, MemoryError):
        raise
    except Exception as error:  # pyarrow's errors have no common type below Exception
        raise SandboxError(f"{file} is damaged or no Parquet file: {reason(error)}") from None


def _image_column(file: Path, schema: Any) -> str | None:
    found = [field.name for field in schema if _is_binary(field.type) or _bytes_in(field.type)]
    if len(found) > 1:
        raise SandboxError(f"{file} holds images in {' and '.join(map(repr, found))}, and one column is meant")
    return found[0] if found else None


def _is_binary(kind: Any) -> bool:
    import pyarrow.types as types

    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _bytes_in(kind: Any) -> bool:
    import pyarrow.types as types

    return bool(types.is_struct(kind)) and kind.get_field_index("bytes") >= 0 and _is_binary(kind.field("bytes").type)


def _is_plain(kind: Any) -> bool:
    import pyarrow.types as types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    tests = (types.is_string, types.is_large_string, types.is_integer, types.is_floating, types.is_boolean)
    return any(test(kind) for test in tests) or str(kind) == "string_view"


def _texts(column: Any) -> list[str]:
    """Values as a CSV would write them: empty where there is none."""
    return ["" if value is None or value != value else str(value).strip() for value in column.to_pylist()]


def _named_classes(file: Path, schema: Any, column: str, texts: list[str]) -> list[str]:
    """Labels by the names of their classes, where Hugging Face's metadata gives a name for each number."""
    names: list[str] = []
    with suppress(Exception):  # metadata of any writer, which may be anything
        names = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"][column]["names"]
    if not names or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        return texts
    for row, text in enumerate(texts):
        if not (text.isdecimal() and int(text) < len(names)):
            raise SandboxError(
                f"row {row} of {file} has {shown(text)} as '{column}', which is none of the {len(names):,} classes "
                "that the file names"
            )
    return [names[int(text)] for text in texts]


def _called(parquet: Any, schema: Any, image: str, paths: list[str] | None, rows: int) -> list[str]:
    """A name for each image: its path, where each has one of its own, else the number of its row."""
    kind = schema.field(image).type
    if paths is None and not _is_binary(kind) and kind.get_field_index("path") >= 0:
        found = parquet.read(columns=[f"{image}.path"]).column(image).combine_chunks()
        paths = _texts(found.field("path")) if len(found) == rows else None
    if paths is not None and all(paths) and len(set(paths)) == rows:
        return [path.replace("\\", "/") for path in paths]
    return [f"{row:0{len(str(rows - 1))}d}" for row in range(rows)]


class _Unpacked:
    """The images of a column, unpacked into a nameless file beside the cache when the first is asked for.

    Parquet gives rows a page at a time, and images are read in several orders, by threads.
    """

    def __init__(self, file: Path, column: str):
        self._file, self._column = file, column
        self._lock = threading.Lock()
        self._held: BinaryIO | None = None
        self._ends = array("Q", [0])

    def read(self, row: int) -> bytes:
        """The encoded image of a row, counted from 0; empty where there is none."""
        with self._lock:
            held = self._held or self._unpack()
            start, end = self._ends[row], self._ends[row + 1]
            held.seek(start)
            return held.read(end - start)

    def _unpack(self) -> BinaryIO:
        held: Any = tempfile.TemporaryFile(dir=cache_folder())
        ends = array("Q", [0])
        with _opened(self._file) as parquet:
            for batch in parquet.iter_batches(batch_size=_AT_ONCE, columns=[self._column]):
                for value in _contents(batch.column(0)):
                    _write(held, value, self._file)
                    ends.append(ends[-1] + len(value))
        self._held, self._ends = held, ends
        return held


def _write(held: BinaryIO, value: bytes, file: Path) -> None:
    try:
        held.write(value)
    except OSError as error:
        raise SandboxError(f"cannot unpack {file} beside the cache in {cache_folder()}: {reason(error)}") from None


def _contents(column: Any) -> Sequence[bytes]:
    import pyarrow.types as types

    field = column.field("bytes") if types.is_struct(column.type) else column
    there = column.is_valid().to_pylist()
    return [value if valid and value else b"" for value, valid in zip(field.to_pylist(), there, strict=True)]
