"""Alignment: the similarity, the template, and where pixels come to lie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sandbox.data.faces.align import ARCFACE, align_face, similarity, template
from sandbox.errors import SandboxError


def moved(points: np.ndarray, scale: float, angle: float, shift: tuple[float, float]) -> np.ndarray:
    """The points scaled, turned by an angle in radians, and shifted."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ (scale * turn).T + shift


@given(st.floats(0.05, 20), st.floats(-np.pi, np.pi), st.floats(-500, 500), st.floats(-500, 500))
def test_a_known_similarity_is_recovered(scale: float, angle: float, right: float, down: float) -> None:
    points = moved(template(96), scale, angle, (right, down))
    matrix = similarity(points, template(96))
    landed = points @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(landed - template(96)).max() < 1e-6
    assert np.allclose(matrix[:, :2] @ matrix[:, :2].T * scale**2, np.eye(2), atol=1e-7)
    assert np.linalg.det(matrix[:, :2]) > 0


@pytest.mark.needs("skimage", 'pip install -e ".[test]"')
@pytest.mark.parametrize("seed", range(8))
def test_of_any_points_it_is_what_scikit_image_estimates(seed: int) -> None:
    from skimage.transform import SimilarityTransform

    rng = np.random.default_rng(seed)
    points, target = rng.normal(50, 20, (5, 2)), template(112) + rng.normal(0, 5 * seed, (5, 2))
    if seed == 7:
        points[:, 0] *= -1  # a mirrored face: the best transform that mirrors nothing
    known = SimilarityTransform.from_estimate(points, target).params
    assert np.allclose(similarity(points, target), known[:2], atol=1e-9)


@pytest.mark.parametrize("points", [np.ones((5, 2)), np.full((5, 2), np.nan), np.array([[np.inf, 1.0]] * 5)])
def test_points_that_mean_nothing_are_refused(points: np.ndarray) -> None:
    with pytest.raises(SandboxError, match="the points of a face"):
        similarity(points, template(96))


def test_the_template_is_that_of_arcface() -> None:
    assert np.array_equal(template(112), ARCFACE)
    assert np.allclose(template(224), 2 * ARCFACE + 0.5)  # the corner of the first pixel stays where it is


def test_a_face_aligned_small_is_the_large_one_resized() -> None:
    spots = np.zeros((400, 400), np.float64)
    rows, columns = np.mgrid[:400, :400]
    points = moved(template(112) - 56, 2.0, 0.2, (210.0, 190.0))
    for x, y in points:
        spots += 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 200)
    image = Image.fromarray(spots.clip(0, 255).astype(np.uint8))
    large = align_face(image, points, 224).resize((64, 64), Image.Resampling.BILINEAR)
    small = align_face(image, points, 64)
    apart = np.abs(np.asarray(large, np.int16) - np.asarray(small, np.int16))
    shifted = np.abs(np.asarray(large, np.int16) - np.roll(np.asarray(small, np.int16), 1, axis=1))
    assert apart.mean() < 0.5 < shifted.mean() / 4


@pytest.mark.parametrize("size", [64, 112])
@pytest.mark.parametrize(("scale", "angle"), [(0.5, 0.0), (1.0, 0.0), (1.0, 2.0), (1.35, 0.4), (3.3, -1.0), (6.0, 0.1)])
def test_what_stands_at_a_point_comes_to_its_place(size: int, scale: float, angle: float) -> None:
    middle = 112.0 * max(scale, 1)
    points = moved(template(size) - size / 2, scale, angle, (middle + 0.3, middle - 0.2))
    down, right = np.mgrid[: int(2 * middle), : int(2 * middle)]
    for place, (x, y) in enumerate(points):
        spot = 255 * np.exp(-((right - x) ** 2 + (down - y) ** 2) / (2 * (2.5 * scale) ** 2))
        picture = Image.fromarray(spot.round().astype(np.uint8))
        aligned = np.asarray(align_face(picture, points, size))
        assert aligned.shape == (size, size, 3)
        seen = aligned[..., 0].astype(float)
        at = [(seen.sum(0) * np.arange(size)).sum() / seen.sum(), (seen.sum(1) * np.arange(size)).sum() / seen.sum()]
        assert np.abs(at - template(size)[place]).max() < 0.03


@pytest.mark.parametrize("shrinks", [2.0, 3.3, 8.0])
@pytest.mark.parametrize("angle", [0.0, 0.3])
def test_stripes_finer_than_a_pixel_become_grey(shrinks: float, angle: float) -> None:
    side = int(2 * 64 * shrinks)
    stripes = np.zeros((side, side), np.uint8)
    stripes[:, ::2] = 255
    points = moved(template(64) - 32, shrinks, angle, (side / 2, side / 2))
    aligned = np.asarray(align_face(Image.fromarray(stripes), points, 64))
    assert np.abs(aligned.astype(float) - 127.5).max() < 16


def test_a_face_at_its_size_is_cut_out_and_what_lies_outside_is_black() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(1, 256, (150, 160, 3), dtype=np.uint8)
    cut = np.asarray(align_face(Image.fromarray(pixels), template(112) + np.array([20, 30]), 112))
    assert np.abs(cut.astype(int) - pixels[30:142, 20:132]).max() <= 1  # rounding of the transform
    beyond = np.asarray(align_face(Image.fromarray(pixels), template(112) - np.array([40, 50]), 112))
    assert not beyond[:49].any() and not beyond[:, :39].any() and beyond[51:, 41:].all()
