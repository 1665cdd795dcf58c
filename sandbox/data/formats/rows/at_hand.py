"""Embeddings that are at hand as arrays, lists or tensors, held to the rules of those in files."""

from __future__ import annotations

import reprlib
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.data.formats.rows.embeddings import (
    SAVED_AS,
    Embeddings,
    checked_names,
    checked_rows,
    numbered_names,
    whole_labels,
)
from sandbox.data.names import same_name
from sandbox.errors import SandboxError
from sandbox.wording import reason


def from_arrays(x: Any, labels: Any, *, what: Path = Path("what was given")) -> Embeddings:
    """Embeddings and labels that are at hand.

    Args:
        x: (N, D) numbers.
        labels: (N,) integers or strings.
        what: what errors call them.

    Raises:
        SandboxError: shapes that do not fit, a type that is no number, or a row that is not finite or has no class.
    """
    rows, of = as_array(f"embeddings in {what}", x), as_array(f"labels in {what}", labels)
    if of.dtype.kind in "OSU":
        _check_mixed(what, labels if isinstance(labels, list | tuple) else of.ravel())
    if of.dtype.kind == "O":
        of = np.array([str(name) for name in of.ravel()]).reshape(of.shape)
    for name, array, kinds in (("embeddings", rows, "fiu"), ("labels", of, "SUiuf")):
        if array.dtype.kind not in kinds and 0 not in array.shape:
            raise SandboxError(f"{name} in {what} must be {SAVED_AS[name].partition(':')[0]}, not {array.dtype}")
    if rows.ndim != 2 or 0 in rows.shape or of.shape != rows.shape[:1]:
        shapes = f"embeddings in {what} are {rows.shape} and labels {of.shape}"
        raise SandboxError(f"{shapes}, but (N, D) and (N,) go together")
    read = checked_rows(what, rows)
    if of.dtype.kind in "SU":
        texts = np.char.decode(of, "utf-8") if of.dtype.kind == "S" else of
        names = checked_names(what, texts.tolist())
        numbers, classes = numbered_names(map(same_name, names))
        return Embeddings(read, numbers, classes, None, frozenset(names))
    numbers, classes = whole_labels(what, of)
    return Embeddings(read, numbers, classes, None)


def as_array(what: str, given: Any) -> np.ndarray:
    """An array of what may be a list, a table or a tensor, which may have a gradient or be of bfloat16.

    Raises:
        SandboxError: rows of several lengths, or values that are masked.
    """
    if hasattr(given, "detach"):
        given = given.detach().cpu()
        given = given.float() if str(given.dtype) == "torch.bfloat16" else given
    if np.ma.is_masked(given):
        raise SandboxError(f"{what} are a masked array, whose masked values are no values: take them out")
    try:
        return np.asarray(given)
    except (ValueError, TypeError, RuntimeError) as error:
        raise SandboxError(f"{what} are no array: {reason(error)}") from None


def _check_mixed(what: Path, labels: Any) -> None:
    """Refuse labels that are neither text nor whole number, such as None, whose name would be a class."""
    for row, label in enumerate(labels):
        if isinstance(label, bool | np.bool_) or not isinstance(label, str | bytes | int | np.integer | Path):
            if not (hasattr(label, "detach") or isinstance(label, list | tuple | np.ndarray)):
                raise SandboxError(
                    f"labels in {what} must be integers or strings, but row {row} holds {reprlib.repr(label)}"
                )
