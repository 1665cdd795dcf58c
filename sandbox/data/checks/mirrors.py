"""Which images are alike, and which are the left-right mirror image of another.

Alike means the same pixels. Mirror images are allowed a few grey levels: a flipped file that is shrunk or saved as JPEG
anew is not to the bit what flipping the shrunk image gives.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sandbox.evaluation.lint.identical_rows import first_identical, row_blocks

TOLERANCE = 16
"""Grey levels by which a pixel of a mirror image may be off."""
_BLOCKS = 4  # an image is first compared by the mean of 4x4 blocks, where rounding averages out
_RADIUS = 4.0  # grey levels, Euclidean over the 16 means


def same_and_mirrored(pixels: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """For each image the first one like it, and the first one like its mirror image.

    Args:
        pixels: arrays (N, H, W, C) uint8 of one size, counted on from one to the next; or rows of numbers.

    Returns:
        Two (sum of N,) int64. In the second, -1 stands where there is no mirror image, and where an image is (but for
        the tolerance) its own. Where none is exact, the nearest by the means of its blocks is taken if every pixel is
        within `TOLERANCE`.
    """
    if pixels[0].dtype != np.uint8:  # rows of numbers have no mirror image
        same = first_identical(*pixels)
        return same, np.full(len(same), -1)
    flipped = [images[:, :, ::-1] for images in pixels]
    same, other = np.split(first_identical(*pixels, *flipped), 2)
    other = np.where(other < len(same), other, -1)
    firsts = np.unique(same)
    left = firsts[other[firsts] < 0]
    left = left[~_near(flipped, left, pixels, left)]
    if len(left) and len(firsts) > 1:
        from scipy.spatial import cKDTree

        tree = cKDTree(_means(pixels, firsts))
        _, found = tree.query(_means(flipped, left), k=2, distance_upper_bound=_RADIUS)
        for column in (1, 0):  # the nearest last, so that it stands
            there = found[:, column] < len(firsts)  # the tree gives its size where it finds nothing
            mine, theirs = left[there], firsts[found[there, column]]
            near = _near(flipped, mine, pixels, theirs)
            other[mine[near]] = theirs[near]
    other = other[same]
    return same, np.where(other == same, -1, other)


def _near(ones: Sequence[np.ndarray], a: np.ndarray, others: Sequence[np.ndarray], b: np.ndarray) -> np.ndarray:
    """Whether images `a` of the ones are within the tolerance of images `b` of the others, (len(a),) bool."""
    near = np.zeros(len(a), dtype=bool)
    for part in _parts(ones, a):
        apart = np.abs(_rows(ones, a[part]).astype(np.int16) - _rows(others, b[part]))
        near[part] = apart.reshape(len(apart), -1).max(1) <= TOLERANCE
    return near


def _means(pixels: Sequence[np.ndarray], places: np.ndarray) -> np.ndarray:
    """Means of blocks, (len(places), up to 16) float64; of integers, so that like images have like means."""
    height, width = pixels[0].shape[1:3]
    rows, columns = (np.unique(np.arange(_BLOCKS) * side // _BLOCKS) for side in (height, width))
    out = np.empty((len(places), len(rows) * len(columns)))
    areas = np.outer(np.diff(rows, append=height), np.diff(columns, append=width)).ravel() * pixels[0].shape[3]
    for part in _parts(pixels, places):
        grey = _rows(pixels, places[part]).sum(3, dtype=np.int64)
        sums = np.add.reduceat(np.add.reduceat(grey, rows, axis=1), columns, axis=2)
        out[part] = sums.reshape(len(grey), -1) / areas
    return out


def _parts(pixels: Sequence[np.ndarray], places: np.ndarray) -> list[slice]:
    return list(row_blocks(len(places), int(np.prod(pixels[0].shape[1:]))))


def _rows(pixels: Sequence[np.ndarray], places: np.ndarray) -> np.ndarray:
    out = np.empty((len(places), *pixels[0].shape[1:]), np.uint8)
    start = 0
    for images in pixels:
        mine = (places >= start) & (places < start + len(images))
        out[mine] = images[places[mine] - start]
        start += len(images)
    return out
