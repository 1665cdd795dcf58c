"""A face brought upright: five points onto a template, by a similarity, into a square picture."""

from __future__ import annotations

from math import ceil

import numpy as np
from PIL import Image

from sandbox.errors import SandboxError

ARCFACE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
"""(5, 2) float64: where the eyes, the nose and the corners of the mouth come to lie in 112 x 112 pixels, counted from 0
at the centre of the first. Deng, Guo, Xue and Zafeiriou, ArcFace, 2019, as published with InsightFace."""
ARCFACE_SIDE = 112

_MOST_OVERSAMPLED = 8192  # pixels a side: a crop of a face larger than that is sampled less densely


def template(size: int) -> np.ndarray:
    """ArcFace's five points in a square of `size` pixels: (5, 2) float64.

    They lie where resizing an aligned 112 x 112 picture would put them, corner to corner, so that a face aligned at the
    size a network takes is the one it was shown from a larger tree. (InsightFace scales them about the centre of the
    first pixel, which at 224 is half a pixel off.)
    """
    return (ARCFACE + 0.5) * (size / ARCFACE_SIDE) - 0.5


def similarity(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The scaling, rotation and shift that bring points closest to their targets in the sum of squares.

    Umeyama, Least-squares estimation of transformation parameters between two point patterns, 1991, eq. 40 to 42,
    without reflection. In the plane this is a regression of one complex variable on another, which needs no
    decomposition.

    Args:
        points: (N, 2), finite and not all alike.
        target: (N, 2), finite.

    Returns:
        (2, 3) float64: ``matrix[:, :2] @ point + matrix[:, 2]`` is near its target.

    Raises:
        SandboxError: values that are not finite, or points that no such transform brings to their targets' size.
    """
    points, target = np.asarray(points, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if not (np.isfinite(points).all() and np.isfinite(target).all()):
        raise SandboxError("the points of a face hold values that are not finite")
    middle, goal = points.mean(axis=0), target.mean(axis=0)
    source, wanted = points - middle, target - goal
    spread = (source**2).sum()
    turn = (source * wanted).sum()
    cross = (source[:, 0] * wanted[:, 1] - source[:, 1] * wanted[:, 0]).sum()
    if spread == 0 or turn == cross == 0:
        raise SandboxError("the points of a face fall together, which no turning and scaling takes apart")
    linear = np.array([[turn, -cross], [cross, turn]]) / spread
    return np.column_stack((linear, goal - linear @ middle))


def align_face(image: Image.Image, points: np.ndarray, size: int) -> Image.Image:
    """A square picture in which a face's five points lie on ArcFace's template, or as near as a similarity brings them.

    Bilinear, as Pillow's bicubic moves what it draws by up to a tenth of a pixel. A face that shrinks is first drawn at
    a multiple of the size at which no pixel of the picture is skipped, and that is resized with antialiasing (Hamming's
    window, sharper than a triangle). What lies outside the picture is black, as in ArcFace's aligned sets.

    Args:
        image: the upright picture.
        points: (5, 2) as of `sandbox.data.faces.detect.Face`, pixels counted from 0 at the centre of the first.
        size: side of the square, pixels.

    Returns:
        `size` x `size` in RGB.

    Raises:
        SandboxError: as `similarity`, or points so close that no picture can be drawn.
    """
    matrix = similarity(points, template(size))
    linear = np.linalg.inv(matrix[:, :2])
    shrinks = float(np.hypot(*linear[0]))  # pixels of the picture for one of the result
    times = max(1, min(ceil(shrinks - 1e-9), _MOST_OVERSAMPLED // size))
    # Pillow counts from the corner of a pixel, and asks where in the picture a pixel of the result comes from.
    shift = 0.5 - linear @ (matrix[:, 2] + 0.5)
    rows = np.column_stack((linear / times, shift))
    side = size * times
    drawn = image.convert("RGB").transform(
        (side, side), Image.Transform.AFFINE, tuple(rows.ravel().tolist()), Image.Resampling.BILINEAR, fillcolor=0
    )
    return drawn if times == 1 else drawn.resize((size, size), Image.Resampling.HAMMING)
