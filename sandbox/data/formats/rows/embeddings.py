"""Embeddings that were made elsewhere: an npz of rows and of the class or the path of each."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sandbox.data.formats.rows.npz import Declared, Npz, NpzError, listing, read_npz
from sandbox.data.names import same_name
from sandbox.errors import SandboxError
from sandbox.wording import counted, reason

SAVED_AS = {
    "embeddings": "floats: np.asarray(embeddings, dtype=np.float32)",
    "labels": "fixed-width strings or integers: np.asarray(labels, dtype=str) or np.asarray(labels, dtype=np.int64)",
    "paths": "fixed-width strings: np.asarray(paths, dtype=str)",
}
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,19})")


@dataclass(frozen=True)
class Embeddings:
    """Rows of numbers, the class of each and, where the file says so, the image of each."""

    x: np.ndarray
    """(N, D) float32, finite, as long as they were in the file."""
    labels: np.ndarray
    """(N,) int64, numbers into `classes`."""
    classes: tuple[str, ...]
    """The name of each number; of an integer label its decimal digits."""
    paths: tuple[str, ...] | None
    """(N,) as in the file, with forward slashes; None where the file has none."""
    spellings: frozenset[str] = frozenset()
    """Every class as the file spells it, which `classes` may not: see `same_name`."""

    def __len__(self) -> int:
        """How many rows."""
        return len(self.labels)


def read_embeddings(file: Path) -> Embeddings:
    """Read an npz with `embeddings` (N, D) and `labels` (N,) or `paths` (N,) or both.

    Labels are integers, which stay exact whatever their size, or strings. Without labels the class of a row is the
    folder directly around its path. All spellings of one name are one class (see `same_name`). Classes are numbered in
    the order of the integers, else of the names. Narrower floats are widened exactly; wider ones and integers are
    rounded to float32. Nothing in the file is unpickled.

    Raises:
        SandboxError: the file cannot be read or is damaged, an array is missing, of the wrong type or shape, a number
            is not finite in the file or as float32, or a row has no class; file and row (counted from 0) are named.
    """
    held = _opened(file)
    return with_classes(file, checked_rows(file, held.arrays["embeddings"]), held)


def with_classes(file: Path, x: np.ndarray, held: Npz) -> Embeddings:
    """Rows with the classes that `labels` or `paths` beside them name, as `read_embeddings` has them.

    Args:
        file: named in errors.
        x: (N, D).
        held: `labels` (N,) or `paths` (N,) or both.

    Raises:
        SandboxError: a row has no class.
    """
    paths = None
    if "paths" in held.texts:
        paths = tuple(path.replace("\\", "/") for path in held.texts["paths"])
    if "labels" in held.arrays:
        labels, classes = whole_labels(file, held.arrays["labels"])
        return Embeddings(x, labels, classes, paths)
    if "labels" in held.texts:
        names = checked_names(file, held.texts["labels"])
    else:
        names = [_folder(file, row, path) for row, path in enumerate(paths or ())]
    labels, classes = numbered_names(map(same_name, names))
    return Embeddings(x, labels, classes, paths, frozenset(names))


def renumber(*parts: Embeddings) -> list[Embeddings]:
    """The same embeddings with one number for one class name over all of them, such as a query and a gallery.

    Every part gets the classes of all: by number where each name is a whole number, else by name.
    """
    names = {name for part in parts for name in part.classes}
    whole = all(_WHOLE.fullmatch(name) for name in names)
    classes = tuple(sorted(names, key=lambda name: (int(name) if whole else 0, name)))
    numbers = {name: number for number, name in enumerate(classes)}
    return [
        Embeddings(
            x=part.x,
            labels=np.array([numbers[name] for name in part.classes], dtype=np.int64)[part.labels],
            classes=classes,
            paths=part.paths,
            spellings=part.spellings,
        )
        for part in parts
    ]


def _opened(file: Path) -> Npz:
    """The arrays of the file that mean something here.

    Raises:
        SandboxError: it is none, or no npz, or damaged; says how one is saved.
    """
    try:
        with file.open("rb") as opened:
            start = opened.read(6)
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise SandboxError(f"cannot read the embeddings {file}: {reason(error).lower()}") from None
    if not start:
        raise SandboxError(f"{file} is empty; an npz with 'embeddings' and 'labels' or 'paths' is needed")
    if start == b"\x93NUMPY":
        raise SandboxError(
            f"{file} is an npy file, which holds a single array; save an npz: "
            "np.savez(file, embeddings=x, labels=labels)"
        )
    if not start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise SandboxError(f"{file} is not an npz file; save one by np.savez(file, embeddings=x, labels=labels)")
    try:
        return read_npz(file, SAVED_AS, lambda declared, names: check_arrays(file, declared, names))
    except NpzError as error:
        raise in_words(file, error) from None


def in_words(file: Path, error: NpzError) -> SandboxError:
    """What is wrong with an npz of embeddings, in a sentence."""
    if error.too_large:
        what = error.array or "the list of arrays"
        return SandboxError(f"{what} in {file} does not fit into memory: {error}")
    if error.rule:
        return SandboxError(f"{error.array} in {file} {error}")
    if error.pickled:
        return SandboxError(
            f"{error.array} in {file} is an array of Python objects, which is not read because it could run code; "
            f"save it as {SAVED_AS.get(error.array, SAVED_AS['paths'])}"
        )
    what = f"{error.array} in {file}" if error.array else f"{file}"
    return SandboxError(f"{what} is damaged or cut short: {error}")


def check_arrays(file: Path, declared: Mapping[str, Declared], names: Collection[str]) -> None:
    """Refuse arrays that are missing, of another type or of shapes that do not fit, none of them read yet."""
    if "embeddings" not in declared:
        raise SandboxError(f"{file} has no array named 'embeddings'; {listing(names, 'embeddings')}")
    if len(declared) == 1:
        raise SandboxError(
            f"{file} has neither 'labels' nor 'paths', so that no row has a class; {listing(names, 'labels')}"
        )
    dtype, shape = declared["embeddings"].dtype, declared["embeddings"].shape
    if dtype.kind not in "fiu":
        raise SandboxError(f"embeddings in {file} must be floats or integers, not {dtype}")
    if len(shape) != 2 or 0 in shape:
        raise SandboxError(
            f"embeddings in {file} have the shape {shape}, but (N, D) with a row and a column at least is needed"
        )
    for name in ("labels", "paths"):
        if name in declared and declared[name].shape != shape[:1]:
            raise SandboxError(
                f"{file} holds embeddings for {counted(shape[0], 'row', 'rows')}, but its {name} have the shape "
                f"{declared[name].shape} instead of ({shape[0]},)"
            )
    for name, kinds in (("labels", "SUiuf"), ("paths", "SU")):
        if name in declared and declared[name].dtype.kind not in kinds:
            allowed = "integers or strings" if name == "labels" else "strings"
            raise SandboxError(f"{name} in {file} must be {allowed}, not {declared[name].dtype}")


def checked_rows(file: Path, given: np.ndarray) -> np.ndarray:
    """The embeddings as (N, D) float32, all finite."""
    with np.errstate(over="ignore"):
        x = np.ascontiguousarray(given, dtype=np.float32)
    bad = ~np.isfinite(x).all(axis=1)
    if bad.any():
        lost = ~np.isfinite(given[bad]).all(axis=1)
        if lost.any():
            rows, why = np.flatnonzero(bad)[lost], "hold NaN or infinity"
        else:
            rows, why = np.flatnonzero(bad), f"hold numbers beyond float32, whose largest is {np.finfo('f4').max:.4g}"
        raise SandboxError(f"{len(rows):,} of {len(x):,} embeddings in {file} {why}, the first in row {rows[0]}")
    return x


def checked_names(file: Path, names: list[str]) -> list[str]:
    """Labels that are strings, each of which names a class."""
    nameless = next((row for row, name in enumerate(names) if not same_name(name)), None)
    if nameless is not None:
        kind = "blank" if names[nameless] else "empty"
        raise SandboxError(f"labels in {file} must name a class, but row {nameless} is {kind}")
    return names


def whole_labels(file: Path, given: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels that are whole numbers, numbered anew, and the name of each number."""
    if given.dtype.kind == "f":
        broken = np.flatnonzero(~(np.isfinite(given) & (given == np.floor(given))))
        first = f"row {broken[0]} holds {given[broken[0]]}" if len(broken) else f"they are {given.dtype}"
        raise SandboxError(
            f"labels in {file} must be integers or strings, but {first}; floats hold whole numbers exactly only up to "
            "a limit (2^24 in float32), beyond which two classes become one"
        )
    values, labels = np.unique(given, return_inverse=True)
    return labels.astype(np.int64), tuple(map(str, values.tolist()))


def numbered_names(names: Iterable[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """A number for each name, and the names in their order."""
    names = list(names)
    classes = tuple(sorted(set(names)))
    numbers = {name: number for number, name in enumerate(classes)}
    return np.array([numbers[name] for name in names], dtype=np.int64), classes


def _folder(file: Path, row: int, path: str) -> str:
    """The name of the folder directly around a file."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if len(parts) < 2 or parts[-2] == ".." or not same_name(parts[-2]):
        raise SandboxError(
            f"{file} has no labels, so that the folder around an image names its class, but the path of row {row} has "
            f"no such folder: {path!r}"
        )
    return parts[-2]
