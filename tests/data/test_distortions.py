"""The warp and the strokes, against loops and scipy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline
from scipy.ndimage import map_coordinates, maximum_filter, minimum_filter

from sandbox.data.augment import Augment
from sandbox.data.distortions import change_strokes, elastic_field
from sandbox.recipe.specs import AugmentSpec

NOTHING = AugmentSpec(rotate=0, scale=0, shear=0, translate=0)
CPU = torch.device("cpu")


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def field(n: int, height: int, width: int) -> np.ndarray:
    return elastic_field(n, height, width, drawn(), CPU).numpy()


def test_the_warp_is_a_bicubic_spline_over_its_draws() -> None:
    n, height, width = 2, 9, 6
    points = (torch.rand(n, 2, 7, 7, generator=drawn()) * 2 - 1).numpy()
    spline = BSpline.basis_element([-2, -1, 0, 1, 2], extrapolate=False)
    weight = lambda place, knot: float(np.nan_to_num(spline(place - knot)))  # noqa: E731
    ours = field(n, height, width)
    assert ours.shape == (n, height, width, 2)
    for y in range(height):
        for x in range(width):
            down, across = (y + 0.5) / height * 4, (x + 0.5) / width * 4
            naive = sum(
                weight(down, row - 1) * weight(across, column - 1) * points[:, :, row, column]
                for row in range(7)
                for column in range(7)
            )
            assert ours[:, y, x] == pytest.approx(naive, abs=1e-6)


def test_the_warp_is_within_its_bounds_smooth_and_not_everywhere_alike() -> None:
    many = field(400, 33, 33)
    assert np.abs(many).max() <= 1 and np.abs(many).max() > 0.75
    assert np.abs(np.diff(many, axis=1)).max() < 0.15 and np.abs(np.diff(many, axis=2)).max() < 0.15
    assert many.std(axis=(1, 2)).min() > 0.05 and abs(many.mean()) < 0.02
    apart = [np.corrcoef(many[:, 4, 4, 0], many[:, 4, 4 + shift, 0])[0, 1] for shift in (1, 4, 26)]
    assert apart[0] > 0.97 and 0.6 < apart[1] < 0.95 and abs(apart[2]) < 0.2


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_warped_by_that_share_of_their_side(channels: int) -> None:
    x = torch.randint(0, 256, (3, channels, 16, 12), generator=drawn(1), dtype=torch.uint8)
    out = Augment(AugmentSpec(rotate=0, scale=0, shear=0, translate=0, elastic=0.1), False, 2)(x, 4)
    moved = elastic_field(3, 16, 12, Augment(NOTHING, False, 2)._draws(4, 1), CPU).numpy()
    rows, columns = np.mgrid[:16, :12].astype(float)
    for image in range(3):
        places = [rows + 0.1 * 16 * moved[image, :, :, 1], columns + 0.1 * 12 * moved[image, :, :, 0]]
        for channel in range(channels):
            naive = map_coordinates(x[image, channel].numpy() / 255, places, order=1, mode="nearest")
            assert out[image, channel].numpy() == pytest.approx(naive, abs=1e-4)


def test_a_turn_and_a_warp_are_one_sampling() -> None:
    """The warp is added to where the turn looks: a pixel is looked up once."""
    x = torch.randint(0, 256, (2, 1, 15, 15), generator=drawn(1), dtype=torch.uint8)
    turn = AugmentSpec(rotate=40, scale=0, shear=0, translate=0)
    augment = Augment(AugmentSpec(rotate=40, scale=0, shear=0, translate=0, elastic=0.08), False, 0)
    moved = elastic_field(2, 15, 15, augment._draws(0, 1), CPU).numpy()
    affine = Augment(turn, False, 0)._affine(2, augment._draws(0), 1.0).numpy()
    rows, columns = (np.mgrid[:15, :15] + 0.5) / 15 * 2 - 1
    for image in range(2):
        x_at, y_at = (a * columns + b * rows + c for a, b, c in affine[image])
        places = [(at + 0.16 * moved[image, :, :, axis] + 1) * 7.5 - 0.5 for axis, at in ((1, y_at), (0, x_at))]
        naive = map_coordinates(x[image, 0].numpy() / 255, places, order=1, mode="nearest")
        assert augment(x, 0)[image, 0].numpy() == pytest.approx(naive, abs=1e-4)


@pytest.mark.parametrize(("channels", "largest"), [(1, 0.02), (1, 0.15), (3, 0.1)])
def test_strokes_are_dilated_or_eroded_by_what_is_drawn(channels: int, largest: float) -> None:
    x = torch.rand(12, channels, 20, 24, generator=drawn(3))
    before = x.clone()
    ours = change_strokes(x, largest, drawn()).numpy()
    amounts = ((torch.rand(12, generator=drawn()) * 2 - 1) * largest * 20).numpy()
    assert (amounts > 0).any() and (amounts < 0).any() and torch.equal(x, before)
    for image, amount in enumerate(amounts):
        whole, part = divmod(abs(float(amount)), 1)
        kind = maximum_filter if amount > 0 else minimum_filter
        for channel in range(channels):
            inner, outer = (
                kind(x[image, channel].numpy(), size=2 * (int(whole) + more) + 1, mode="nearest") for more in (0, 1)
            )
            assert ours[image, channel] == pytest.approx((1 - part) * inner + part * outer, abs=1e-5)


def test_bright_strokes_grow_and_shrink_and_dark_ones_the_other_way() -> None:
    ink = torch.zeros(300, 1, 40, 40)
    ink[:, :, 10:30, 17:23] = 1  # a stroke of 6 pixels
    widths = change_strokes(ink, 0.05, drawn())[:, 0, 20].sum(1)
    assert 2 <= float(widths.min()) < 2.2 and 9.8 < float(widths.max()) <= 10 and abs(float(widths.mean()) - 6) < 0.3
    dark = (1 - change_strokes(1 - ink, 0.05, drawn()))[:, 0, 20].sum(1)
    assert torch.allclose(dark - 6, 6 - widths, atol=1e-4)
