"""Cosine, dot product or distance, each written as one inner product, so that one search and one count serve all."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from sandbox.errors import SandboxError

Similarity = Literal["cosine", "dot", "l2"]
SIMILARITIES: tuple[str, ...] = get_args(Similarity)
"""Cosine of the angle, inner product, or minus the squared Euclidean distance: higher is more alike in each."""


def check_embeddings(x: np.ndarray, y: np.ndarray) -> None:
    """Refuse what no figure could be trusted on.

    Args:
        x: (N, D) floating point.
        y: (N,) integer labels.

    Raises:
        SandboxError: x is not (N, D), y not (N,), a row is not finite (the first is named), or nothing is there.
    """
    if x.ndim != 2 or y.ndim != 1 or len(x) != len(y):
        raise SandboxError(f"embeddings {x.shape} and labels {y.shape} do not fit: (N, D) and (N,) are needed")
    if x.size == 0:
        raise SandboxError("there are no embeddings to evaluate")
    if not np.issubdtype(y.dtype, np.integer):
        raise SandboxError(f"labels are {y.dtype}, but must be integers: floating point confuses large ones")
    if y.dtype == np.uint64 and y.max() > np.iinfo(np.int64).max:
        raise SandboxError(f"label {y.max()} is beyond int64; number the classes from 0")
    bad = ~np.isfinite(x).all(axis=1)
    if bad.any():
        raise SandboxError(
            f"{int(bad.sum())} of {len(x)} embeddings are not finite, the first in row {int(bad.argmax())}"
        )


def check_dimensions(queries: np.ndarray, gallery: np.ndarray) -> None:
    """Refuse queries and a gallery of different width.

    Raises:
        SandboxError: queries and gallery have rows of different length.
    """
    if queries.shape[1] != gallery.shape[1]:
        raise SandboxError(f"queries have {queries.shape[1]} dimensions, the gallery {gallery.shape[1]}")


_LEAST = 2.0**-125
"""Product of two lengths below which float32 tells their scores apart less finely than it does elsewhere."""
_LEAST_LONGEST = 2.0**-50
"""Length of the longest row below which scores lie so close together that intervals lose their bins."""


def check_lengths(x: np.ndarray, against: np.ndarray | None = None, metric: Similarity = "cosine") -> None:
    """Refuse rows so short that their scores vanish in float32, where lengths matter: by dot product and distance.

    A single short row is let through: its scores with the others are told apart. Rows of zeros are no short rows.

    Args:
        x: (N, D) finite.
        against: (G, D) rows that they are compared with; each other without it.
        metric: see `as_products`.

    Raises:
        SandboxError: says how many they are, and names the shortest.
    """
    if metric == "cosine":
        return
    lengths = _lengths(x)
    if not lengths.any():
        return
    lone = np.sort(lengths if metric == "l2" else lengths[lengths > 0])
    shortest = float(lengths[lengths > 0].min())
    if against is not None:
        others = _lengths(against)
        others = np.sort(others[others > 0])
        few = metric == "dot" and len(others) > 1 and shortest * float(others[1]) < _LEAST
    elif metric == "l2":  # a distance is as large as the longer of two rows; zeros are as near to a short row as it is
        few = len(lone) > 1 and lone[1] ** 2 < _LEAST and shortest**2 < _LEAST
    else:
        few = len(lone) > 1 and float(lone[0] * lone[1]) < _LEAST
    if few or lone[-1] < _LEAST_LONGEST:
        at = int(np.where(lengths > 0, lengths, np.inf).argmin())
        what = "dot products" if metric == "dot" else "squared distances"
        raise SandboxError(
            f"{what} of embeddings this short vanish in float32 (the shortest of {len(x):,}, row {at}, has length "
            f"{shortest:.3g}, the longest {lone[-1]:.3g}); multiply all by one number, or compare by cosine"
        )


def _lengths(x: np.ndarray) -> np.ndarray:
    """(N,) float64 Euclidean lengths, those too that have no square."""
    wide = np.asarray(x, dtype=np.float64)
    largest = np.abs(wide).max(1)
    scaled = wide / np.where(largest > 0, largest, 1)[:, None]
    return np.sqrt(np.einsum("ij,ij->i", scaled, scaled)) * largest


def as_products(x: np.ndarray, metric: Similarity = "cosine") -> tuple[np.ndarray, np.ndarray]:
    """Rows such that ``left[i] @ right[j]`` is how alike x[i] and x[j] are.

    Args:
        x: (N, D) finite, of any floating type.
        metric: ``cosine`` in -1 .. 1, ``dot``, or ``l2``: minus the squared Euclidean distance.

    Returns:
        (left, right): (N, D) float32, the same array twice, for cosine and dot; (N, D + 2) float64 for l2, as
        -|a - b|^2 = 2ab - |a|^2 - |b|^2. A row of zeros has cosine 0 with everything.

    Raises:
        SandboxError: no such metric, or lengths whose scores are beyond the range of float32 or vanish in it.
    """
    if metric not in SIMILARITIES:
        raise SandboxError(f"no similarity named '{metric}'; there are {', '.join(SIMILARITIES)}")
    wide = np.asarray(x, dtype=np.float64)
    if metric == "l2":
        square = np.einsum("ij,ij->i", wide, wide)[:, None]
        one = np.ones_like(square)
        left, right = np.hstack([wide, square, one]), np.hstack([2 * wide, -one, -square])
        largest = float(square.max()) * 4
    else:
        if metric == "cosine":
            largest_of_row = np.abs(wide).max(1, keepdims=True)  # first to about 1, so that no square overflows
            wide = wide / np.where(largest_of_row > 0, largest_of_row, 1)
            length = np.linalg.norm(wide, axis=1, keepdims=True)
            wide = wide / np.where(length > 0, length, 1)
        with np.errstate(over="ignore"):  # refused below
            left = right = wide.astype(np.float32)
        largest = float(np.einsum("ij,ij->i", wide, wide).max())
    if not largest < float(np.finfo(np.float32).max):
        raise SandboxError(
            f"embeddings this long (squared length {largest:.3g}) give scores beyond float32; scale them"
        )
    check_lengths(wide, metric=metric)
    return left, right


def unit(x: np.ndarray) -> np.ndarray:
    """Rows (..., D) scaled to unit length; a zero row has no direction and stays."""
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    return x / np.where(length > 0, length, 1)
