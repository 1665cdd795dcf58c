"""An npy of embeddings as a data set: its rows stay in the file, and the labels lie in another one beside it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from sandbox.data.formats.rows.embeddings import with_classes
from sandbox.data.formats.rows.npz import WIDEST, Npz
from sandbox.errors import SandboxError, near
from sandbox.files import reading
from sandbox.wording import counted, reason

_BESIDE = ("{}_labels.npy", "{}.labels.npy", "labels.npy", "{}_labels.txt", "{}.labels.txt", "labels.txt")
"""What the labels of NAME.npy are called where nobody says."""
_NUMBERS = 2**22  # looked at at once


@dataclass(frozen=True)
class RowsFile:
    """Rows of numbers with their classes, as a file has them."""

    rows: np.ndarray = field(repr=False)
    """(N, D) of floats or integers, all finite as float32; a memory map where the file allows it."""
    labels: np.ndarray = field(repr=False)
    """(N,) int64."""
    classes: tuple[str, ...] = field(repr=False)
    paths: tuple[str, ...] | None = field(repr=False)
    """(N,) where the file has them."""
    split: Sequence[str] | None = field(repr=False)
    """(N,) the part that each row is in, as the file calls it; None where it does not say."""
    spellings: frozenset[str] = field(default=frozenset(), repr=False)
    """Every class as the file spells it."""
    notes: tuple[str, ...] = ()


def read_rows_npy(file: Path, labels: Path | None) -> RowsFile:
    """Read (N, D) numbers, and the class of each row.

    Args:
        file: the npy.
        labels: an npy of (N,) integers or strings, or a text with one a line; None looks beside the file.

    Raises:
        SandboxError: either is absent or damaged, or they do not fit together.
    """
    rows = map_npy(file)
    if rows.dtype.kind not in "fiu":
        raise SandboxError(f"{file} must hold floats or integers, not {rows.dtype}")
    if rows.ndim != 2:
        raise SandboxError(f"{file} has the shape {rows.shape}, but (N, D) with a row and a column at least is needed")
    place = labels or _beside(file)
    held = _read_labels(place)
    count = len(held.arrays["labels"] if held.arrays else held.texts["labels"])
    if count != len(rows):
        raise SandboxError(f"{file} holds {counted(len(rows), 'row', 'rows')}, but {place} names {count:,}")
    refuse_unfit(file, rows)
    made = with_classes(place, rows, held)
    return RowsFile(rows, made.labels, made.classes, None, None, made.spellings)


def map_npy(file: Path) -> np.ndarray:
    """The array of an npy, where it lies.

    Raises:
        SandboxError: it is absent, damaged, empty, or holds Python objects.
    """
    with reading("", file), file.open("rb") as stream:
        if stream.read(6) != b"\x93NUMPY":
            raise SandboxError(f"{file} is no npy file; np.save(file, x) writes one")
        stream.seek(0)
        try:
            shape, fortran, dtype = header(stream)
            if dtype.hasobject:
                raise SandboxError(f"{file} holds Python objects, which are not read because they could run code")
            if not shape or min(shape) < 1 or dtype.itemsize == 0:
                raise SandboxError(f"{file} has the shape {shape}, which holds nothing")
            start = stream.tell()
            follow = file.stat().st_size - start
            needed = dtype.itemsize
            for side in shape:  # as Python counts, which does not run over
                needed *= side
            if needed != follow:
                raise ValueError(f"{shape} {dtype} are {needed:,} bytes, and {follow:,} follow")
            return np.memmap(file, dtype, "r", start, shape, "F" if fortran else "C")  # type: ignore[call-overload]
        except SandboxError:
            raise
        except Exception as error:  # NumPy raises a dozen unrelated types on damaged headers
            raise SandboxError(f"{file} is damaged or cut short: {reason(error)}") from None


def header(stream: IO[Any]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether columns come first, and type of an npy, whose first value is read next."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns of headers that Python 2 wrote, and reads them
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            return np.lib.format.read_array_header_1_0(stream)
        if version == (2, 0):
            return np.lib.format.read_array_header_2_0(stream)
    raise ValueError(f"it is an npy of version {version[0]}.{version[1]}, which only arrays of fields have")


def refuse_unfit(file: Path, rows: np.ndarray) -> None:
    """Refuse rows (N, D) that are not finite as float32; they are read once, a block at a time.

    Raises:
        SandboxError: how many there are, and the first.
    """
    bad, lost, step = 0, 0, max(1, _NUMBERS // rows.shape[1])
    first: dict[bool, int] = {}
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        with np.errstate(over="ignore"):
            wrong = ~np.isfinite(np.asarray(part, dtype=np.float32)).all(axis=1)
        if not wrong.any():
            continue
        beyond = np.isfinite(part).all(axis=1) & wrong
        for which, here in ((True, wrong & ~beyond), (False, beyond)):
            if here.any():
                first.setdefault(which, start + int(np.flatnonzero(here)[0]))
        bad, lost = bad + int(wrong.sum()), lost + int((wrong & ~beyond).sum())
    if bad:
        most = f"hold numbers beyond float32, whose largest is {np.finfo('f4').max:.4g}"
        count, why = (lost, "hold NaN or infinity") if lost else (bad, most)
        raise SandboxError(f"{count:,} of {len(rows):,} rows in {file} {why}, the first in row {first[bool(lost)]}")


def _beside(file: Path) -> Path:
    """The file of the labels that lies beside the rows.

    Raises:
        SandboxError: there is none, or more than one.
    """
    places = [file.with_name(name.format(file.stem)) for name in _BESIDE]
    found = [place for place in places if place.is_file() and place != file]
    if len(found) > 1:
        names = " and ".join(place.name for place in found)
        raise SandboxError(f"{names} lie beside {file}: say with data.labels which holds its labels")
    if not found:
        there = [place.name for place in file.parent.iterdir() if place.suffix in (".npy", ".txt") and place != file]
        raise SandboxError(
            f"{file} has no labels in it, and neither {places[0].name} nor {places[2].name} lies beside it: give "
            f"data.labels, an npy or a text with one a line{near(places[0].name, there)}"
        )
    return found[0]


def _read_labels(file: Path) -> Npz:
    """The labels of a file of their own, as an npz would hold them."""
    if file.suffix.lower() != ".npy":
        with reading("the labels", file):
            lines = file.read_text(encoding="utf-8").splitlines()
        while lines and not lines[-1].strip():
            lines.pop()
        if not lines:
            raise SandboxError(f"{file} names no label; a line for each row is needed")
        return Npz({}, {"labels": lines})
    held = map_npy(file)
    if held.ndim != 1 or held.dtype.kind not in "SUiuf":
        raise SandboxError(f"{file} must hold (N,) integers or strings, not {held.shape} of {held.dtype}")
    if held.dtype.kind not in "SU":
        return Npz({"labels": np.array(held)}, {})
    if held.dtype.itemsize > 4 * WIDEST:
        raise SandboxError(f"labels in {file} must be texts of {WIDEST:,} characters at most")
    try:
        texts = [text.decode() if isinstance(text, bytes) else text for text in held.tolist()]
        "".join(texts).encode()
    except (ValueError, OverflowError, SystemError) as error:  # bytes or numbers that are no characters
        raise SandboxError(f"labels in {file} must be UTF-8 text: {reason(error)}") from None
    return Npz({}, {"labels": texts})
