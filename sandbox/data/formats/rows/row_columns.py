"""What else an npz says of each of its rows beside its class, such as the camera that saw it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sandbox.data.formats.rows.npz import NpzError, listing, read_npz
from sandbox.errors import SandboxError
from sandbox.wording import printable


def names_in(file: Path) -> list[str]:
    """The names of all arrays of an npz.

    Raises:
        SandboxError: it cannot be read.
    """
    names: list[str] = []
    try:
        read_npz(file, (), lambda declared, there: names.extend(there))
    except NpzError as error:
        raise SandboxError(f"{file} cannot be read: {error}") from None
    return names


def read_column(file: Path, name: str, rows: int, *, needed: bool = False) -> np.ndarray | None:
    """The array of that name as strings (N,); None where there is none.

    Args:
        file: an npz whose embeddings were read.
        name: of the array, which holds a whole number or a string for each row.
        rows: how many rows there are.
        needed: refuse a file without it.

    Raises:
        SandboxError: it is missing and needed, is no list of as many integers or strings, or cannot be read.
    """
    names: list[str] = []
    try:
        held = read_npz(file, (name,), lambda declared, there: names.extend(there))
    except NpzError as error:
        raise SandboxError(f"{printable(error.array or name)} in {file} cannot be read: {error}") from None
    found = {**held.arrays, **held.texts}
    if name not in found:
        if needed:
            raise SandboxError(f"{file} has no array named '{printable(name)}'; {listing(names, name)}")
        return None
    array = np.array(found[name])
    if array.shape != (rows,) or array.dtype.kind not in "iuSUb":
        raise SandboxError(
            f"{printable(name)} in {file} must be {rows:,} integers or strings, one for each row, but is "
            f"{array.shape} {array.dtype}"
        )
    return array.astype(str)
