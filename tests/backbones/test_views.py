"""Versions of an image against loops over its pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from sandbox.backbones.embed import embed
from sandbox.backbones.network import Network
from sandbox.backbones.views import ROTATE, SHEAR, SHIFT, ZOOM, Views, versions

CPU = torch.device("cpu")


class Blurred(nn.Module):
    """Something that depends on every pixel and on where it is."""

    features = 7

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(9 * 7 * 3, 7), nn.Tanh())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


def network() -> Network:
    return Network(Blurred(), nn.Identity(), 7, [0.5] * 3, [0.3] * 3)


def some(count: int = 5) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 9, 7, 3), dtype=np.uint8)


def read_at(image: np.ndarray, row: float, column: float) -> np.ndarray:
    """A pixel (C,) of (H, W, C) between four, the edge going on beyond it."""
    height, width, _ = image.shape
    row, column = min(max(row, 0), height - 1), min(max(column, 0), width - 1)
    top, left = math.floor(row), math.floor(column)
    down, right = min(top + 1, height - 1), min(left + 1, width - 1)
    b, a = row - top, column - left
    above = (1 - a) * image[top, left] + a * image[top, right]
    below = (1 - a) * image[down, left] + a * image[down, right]
    return (1 - b) * above + b * below


def changed(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """An image (H, W, C) of 0 to 1 through a map of coordinates that run from -1 to 1 between its outer edges.

    It turns in pixels, in which a rectangle stays one, and shifts by a share of each side.
    """
    height, width, _ = image.shape
    sides = np.array([width, height])
    out = np.empty_like(image)
    for i, j in np.ndindex(height, width):
        middle = np.array([(2 * j + 1) / width - 1, (2 * i + 1) / height - 1])
        x, y = matrix[:, :2] @ (middle * sides) / sides + matrix[:, 2]
        out[i, j] = read_at(image, ((y + 1) * height - 1) / 2, ((x + 1) * width - 1) / 2)
    return out


def by_hand(made: Network, pixels: np.ndarray, views: Views, flip: bool) -> np.ndarray:
    """The mean of the unit embeddings of every version of every image, of unit length."""
    rows = []
    for image in pixels:
        sides = [image / 255, image[:, ::-1] / 255] if flip else [image / 255]
        every = [one for side in sides for one in (side, *(changed(side, m) for m in views.maps().double().numpy()))]
        x = torch.from_numpy(np.stack(every)).permute(0, 3, 1, 2).float()
        with torch.no_grad():
            found = made.eval()(x).double().numpy()
        mean = (found / np.linalg.norm(found, axis=1, keepdims=True)).mean(0)
        rows.append(mean / np.linalg.norm(mean))
    return np.array(rows)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("views", [Views(2), Views(5), Views(4, 3.0)], ids=str)
def test_an_embedding_is_the_mean_over_its_versions(views: Views, flip: bool) -> None:
    made, pixels = network(), some()
    wanted = by_hand(made, pixels, views, flip)
    for batch in (512, 2):
        rows = embed(made, pixels, device=CPU, views=views, flip=flip, batch=batch)
        assert rows.dtype == np.float32
        np.testing.assert_allclose(rows, wanted, atol=2e-6)
    assert np.abs(wanted - embed(made, pixels, device=CPU, flip=flip)).max() > 1e-3  # they are no copies


def test_one_version_is_the_image_to_the_bit() -> None:
    made, pixels = network(), some()
    assert np.array_equal(embed(made, pixels, device=CPU, views=Views(1, 4.0)), embed(made, pixels, device=CPU))
    (own,) = versions(torch.from_numpy(pixels).permute(0, 3, 1, 2), Views().grids(9, 7), flip=False)
    assert own.dtype == torch.uint8


def test_the_first_version_is_the_image_and_the_others_are_opposite_pairs() -> None:
    """What a map does to rotation and shift is turned round in its partner; and more views go on where fewer end."""
    maps = Views(9, 0.1).maps().double()
    assert maps.shape == (8, 2, 3) and torch.equal(maps[:4], Views(5, 0.1).maps().double())
    still = torch.tensor([[1.0, 0, 0], [0, 1, 0]], dtype=torch.float64)
    assert torch.allclose((maps[0::2] + maps[1::2]) / 2, still, atol=2e-4)  # but for the square of a small change
    assert (maps - still).abs().amax((1, 2)).min() > 1e-3


def test_no_view_goes_further_than_its_strength_says() -> None:
    maps = Views(64, 0.5).maps().double()
    zoom, shift = 1 + 0.5 * ZOOM, 2 * 0.5 * SHIFT
    assert maps[:, :, 2].abs().max() < shift and maps[:, :, 2].abs().max() > 0.9 * shift
    angle = torch.atan2(maps[:, 1, 0], maps[:, 0, 0]).rad2deg()
    assert 0.9 * 0.5 * ROTATE < angle.abs().max() < 0.5 * ROTATE
    slope = maps[:, 0, 1] / maps[:, 1, 1] * angle.deg2rad().cos() + angle.deg2rad().sin()
    assert 0.9 * 0.5 * SHEAR < slope.abs().max() < 0.5 * SHEAR
    assert 0.97 * zoom < maps[:, 1, 1].max() < zoom
    assert torch.equal(Views(64, 0.5).maps(), Views(64, 0.5).maps())


def test_an_embedding_of_length_zero_stays_zero() -> None:
    made = Network(nn.Sequential(nn.Flatten(), nn.Linear(9 * 7 * 3, 4)), nn.Identity(), 4, [0.0] * 3, [1.0] * 3)
    made.requires_grad_(False)
    for weight in made.parameters():
        weight.zero_()
    assert not embed(made, some(), device=CPU, views=Views(3), flip=True).any()


def test_memory_does_not_grow_with_the_number_of_views() -> None:
    """The network never sees more images at once than a batch has."""
    made, seen = network(), []
    made.register_forward_hook(lambda _, x, y: seen.append(len(x[0])))
    embed(made, some(10), device=CPU, views=Views(7), flip=True, batch=4)
    assert seen == [4] * 14 + [4] * 14 + [2] * 14
