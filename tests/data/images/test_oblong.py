"""Images that are not square: decoded, cut, packed, resized and turned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sandbox.backbones.catalog import make_backbone, own_backbones
from sandbox.backbones.views import Views
from sandbox.data.augment import Augment
from sandbox.data.images.decode import decode
from sandbox.data.images.form import Form
from sandbox.data.images.pack import pack
from sandbox.data.images.resize import resized
from sandbox.errors import SandboxError
from sandbox.recipe.specs import AugmentSpec

OF_IMAGES = [name for name, own in own_backbones().items() if not own.rows]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "tall.png")
    return tmp_path / "tall.png"


def test_height_is_height_and_the_whole_is_squeezed_in(file: Path) -> None:
    pixels = decode(file, "24x12", 3)
    wanted = Image.open(file).resize((12, 24), Image.Resampling.BILINEAR, reducing_gap=3.0)
    assert pixels.shape == (24, 12, 3)
    np.testing.assert_array_equal(pixels, np.asarray(wanted))


def test_the_middle_is_cut_out_in_its_proportions(file: Path) -> None:
    pixels = decode(file, "20x10", 3, resize=30)  # the shorter side stays 30, so that nothing is resampled
    np.testing.assert_array_equal(pixels, np.asarray(Image.open(file))[10:30, 10:20])


def test_packed_and_resized_are_what_is_decoded(file: Path) -> None:
    form = Form("24x12", "rgb")
    packed = pack([file], file.parent, form)
    assert packed.pixels.shape == (1, 24, 12, 3)
    np.testing.assert_array_equal(packed.pixels[0], decode(file, "24x12", 3))
    assert pack([file], file.parent, Form("12x24", "rgb")).pixels.shape == (1, 12, 24, 3)
    np.testing.assert_array_equal(resized(np.asarray(Image.open(file))[None], form)[0], packed.pixels[0])


def test_a_turn_keeps_distances_in_pixels() -> None:
    """Maps run from -1 to 1 on either side, whatever its pixels: a plain turn there would shear a rectangle."""
    augment = Augment(AugmentSpec(rotate=40, scale=0, shear=0, translate=0), False, 0)
    for tall in (2.0, 1.0):
        maps = augment._affine(8, torch.Generator().manual_seed(0), tall)[:, :, :2]
        to_pixels = torch.diag(torch.tensor([1.0, tall]))
        turn = to_pixels @ maps @ torch.linalg.inv(to_pixels)
        np.testing.assert_allclose(turn @ turn.transpose(1, 2), np.broadcast_to(np.eye(2), (8, 2, 2)), atol=1e-6)
    map_of_view = Views(3, 1.0).maps(2.0) - Views(3, 1.0).maps()
    assert map_of_view[:, 0, 0].abs().max() == 0 and map_of_view[:, 0, 1].abs().min() > 0
    assert Views(5, 1.0).grids(16, 8).shape == (4, 16, 8, 2)


@pytest.mark.parametrize("name", [*OF_IMAGES, "torchvision:resnet18", "timm:test_vit"])
def test_networks_take_them(name: str) -> None:
    least = own_backbones()[name].least if ":" not in name else 32
    network = make_backbone(name, channels=3, image_size=f"{2 * least}x{least}", stem="auto", pretrained=False).eval()
    with torch.no_grad():
        assert network(torch.zeros(2, 3, 2 * least, least)).shape == (2, network.features)


def test_one_that_needs_a_square_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SandboxError, match=r"torchvision:vit_b_16 takes square images alone, not 64 x 32: give --data"):
        make_backbone("torchvision:vit_b_16", channels=3, image_size="64x32", stem="auto", pretrained=False)

    class Squares(torch.nn.Module):
        features = 64

        def __init__(self, channels: int, image_size: int):
            super().__init__()
            self.layer = torch.nn.Linear(channels * image_size**2, 64)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(x.flatten(1))

    from sandbox.backbones.register import Own

    monkeypatch.setitem(own_backbones(), "squares", Own(Squares, "", "", 8))
    assert make_backbone("squares", channels=1, image_size=8, stem="auto", pretrained=False)
    with pytest.raises(SandboxError, match=r"squares takes square images alone, not 16 x 8: give --data\.image_size 8"):
        make_backbone("squares", channels=1, image_size="16x8", stem="auto", pretrained=False)
    with pytest.raises(SandboxError, match="conv4 takes images of at least 8 pixels, not 16x4"):
        make_backbone("conv4", channels=1, image_size="16x4", stem="auto", pretrained=False)
