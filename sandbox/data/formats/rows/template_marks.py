"""Of which template and which medium each row of an npz is, as the IJB protocols list their images."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sandbox.data.formats.rows.npz import NpzError, listing, read_npz
from sandbox.errors import SandboxError
from sandbox.evaluation.after.chain import Marks

_ARRAYS = ("templates", "media")


def read_marks(file: Path, rows: int) -> Marks:
    """Read the arrays `templates` and `media`, each (N,) of integers or strings.

    Args:
        file: an npz whose embeddings were read.
        rows: how many these are.

    Raises:
        SandboxError: one of the two is missing, or is no list of as many integers or strings.
    """
    try:
        held = read_npz(file)
    except NpzError as error:
        raise SandboxError(f"{error.array or file} of {file} cannot be read: {error}") from None
    names = {**held.arrays, **held.texts}
    found = []
    for name in _ARRAYS:
        if name not in names:
            raise SandboxError(
                f"templates needs the arrays 'templates' and 'media', which say of which template and medium each "
                f"image is, but {file} has no '{name}'; {listing(list(names), name)}"
            )
        array = np.array(names[name])
        if array.shape != (rows,) or array.dtype.kind not in "iuSU":
            raise SandboxError(
                f"{name} in {file} must be {rows:,} integers or strings, one for each row, but is {array.shape} "
                f"{array.dtype}"
            )
        found.append(array)
    return Marks(*found)
