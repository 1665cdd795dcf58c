"""Centring, PCA and PCA whitening of unit embeddings, fitted on rows that are in no test.

PCA whitening as Jegou and Chum, "Negative evidences and co-occurrences in image retrieval: the benefit of PCA and
whitening", ECCV 2012, and as ``pcawhitenlearn`` and ``whitenapply`` of Radenovic's cnnimageretrieval-pytorch: the mean
is taken off, the first principal directions are kept, each is divided by its deviation, and rows become unit again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.similarity import unit
from sandbox.recipe.after import Step
from sandbox.wording import counted

_ROWS = 4096
_NOTHING = 1e-12
"""Of the largest variance: what is below it is rounding."""


@dataclass(frozen=True)
class Linear:
    """A shift and a turn."""

    mean: np.ndarray = field(repr=False)
    """(D,) float64."""
    turn: np.ndarray | None = field(repr=False)
    """(D, d) float64; None turns nothing."""

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Unit rows (N, D) to unit rows (N, d), float32; one that lies on the mean becomes a row of zeros."""
        dims = x.shape[1] if self.turn is None else self.turn.shape[1]
        out = np.empty((len(x), dims), np.float32)
        for start in range(0, len(x), _ROWS):
            moved = x[start : start + _ROWS].astype(np.float64) - self.mean
            out[start : start + _ROWS] = unit(moved if self.turn is None else moved @ self.turn)
        return out


def fit_linear(step: Step, rows: np.ndarray, called: str) -> Linear:
    """A ``center``, ``pca`` or ``whiten`` step fitted on rows.

    Args:
        step: what is asked for; ``whiten`` without dims keeps all that the rows span.
        rows: (N, D) unit rows that are in no test.
        called: what they are, for the error: 'validation'.

    Raises:
        SandboxError: more dimensions are asked for than there are columns, or than the rows span.
    """
    wide = rows.astype(np.float64)
    mean = wide.mean(0)
    if step.name == "center":
        return Linear(mean, None)
    check_dims(step, len(rows), rows.shape[1], called)
    variance, directions = _principal(wide - mean)
    spanned = int((variance > _NOTHING * max(float(variance[0]), 1e-300)).sum())
    dims = step.whole("dims") or spanned
    if not 1 <= dims <= spanned:
        raise SandboxError(
            f"{step} keeps {counted(max(dims, 1), 'dimension', 'dimensions')}, but the {len(rows):,} rows of {called} "
            f"that it is fitted on span {spanned}"
        )
    turn = directions[:, :dims]
    return Linear(mean, turn / np.sqrt(variance[:dims]) if step.name == "whiten" else turn)


def check_dims(step: Step, rows: int, columns: int, called: str) -> None:
    """Refuse a step that keeps more dimensions than so many rows and columns can have.

    Raises:
        SandboxError: says which of the two allows how many.
    """
    if step.name not in ("pca", "whiten"):
        return
    dims = step.whole("dims") or 1
    if dims > columns:
        raise SandboxError(f"{step} keeps {dims} dimensions, but the embeddings have {columns} before it")
    if dims > rows - 1:
        raise SandboxError(
            f"{step} is fitted on {called}, whose {counted(rows, 'row allows', 'rows allow')} "
            f"{max(rows - 1, 0)} dimensions at most"
        )


def _principal(centred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Variances (m,), largest first, and directions (D, m); by the smaller of the two matrices that have them."""
    rows, columns = centred.shape
    if columns <= rows:
        variance, directions = np.linalg.eigh(centred.T @ centred / rows)
        return np.maximum(variance[::-1], 0), directions[:, ::-1]
    variance, along = np.linalg.eigh(centred @ centred.T / rows)
    variance, along = np.maximum(variance[::-1], 0), along[:, ::-1]
    length = np.sqrt(rows * variance)
    return variance, centred.T @ np.divide(along, length, out=np.zeros_like(along), where=length > 0)
