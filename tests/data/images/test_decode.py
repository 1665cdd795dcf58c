from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from image_files import png16
from PIL import Image

from sandbox.data.images.decode import OutsideError, decode, has_colour
from sandbox.data.images.deep import values_of


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("mode", "ending"),
    [
        ("1", "png"),
        ("L", "bmp"),
        ("LA", "png"),
        ("P", "gif"),
        ("RGB", "jpg"),
        ("RGB", "webp"),
        ("RGBA", "png"),
        ("CMYK", "jpg"),
        ("CMYK", "tif"),
        ("YCbCr", "jpg"),
        ("I;16", "png"),
        ("F", "tiff"),
        ("L", "pgm"),
        ("RGB", "ppm"),
    ],
)
def test_every_mode_becomes_a_square_of_bytes(tmp_path: Path, mode: str, ending: str, channels: int) -> None:
    half = np.zeros((20, 30), np.uint8)
    half[:, 15:] = 255
    image = Image.fromarray(half)
    if mode == "I;16":
        image = Image.fromarray(half.astype(np.uint16) * 257)
    elif mode == "YCbCr":
        image = image.convert("RGB").convert(mode)
    elif mode in ("LA", "RGBA", "CMYK"):
        image = image.convert("RGB").convert(mode)
    else:
        image = image.convert(mode)
    image.save(tmp_path / f"x.{ending}")
    pixels = decode(tmp_path / f"x.{ending}", 8, channels)
    assert pixels.shape == (8, 8, channels)
    assert pixels.dtype == np.uint8
    assert pixels[:, :3].max() < 30
    assert pixels[:, 5:].min() > 225


def test_transparent_becomes_white(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 10, 10, 10])
    palette.save(tmp_path / "palette.png", transparency=1)
    assert decode(tmp_path / "clear.png", 4, 1).min() == 255
    assert decode(tmp_path / "palette.png", 4, 3).min() == 255


def test_orientation_mark_is_obeyed(tmp_path: Path) -> None:
    top = np.zeros((16, 16), np.uint8)
    top[:8] = 255
    image = Image.fromarray(top)
    exif = image.getexif()
    exif[0x0112] = 3  # upside down
    image.save(tmp_path / "x.png", exif=exif)
    pixels = decode(tmp_path / "x.png", 16, 1)[..., 0]
    assert pixels[:7].max() == 0
    assert pixels[9:].min() == 255


def test_an_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("L", (8, 8), shade) for shade in (200, 10, 90)]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    assert abs(int(decode(tmp_path / "x.gif", 4, 1)[0, 0, 0]) - 200) <= 2


def test_shrinking_averages(tmp_path: Path) -> None:
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    Image.fromarray(board).save(tmp_path / "x.png")
    assert np.abs(decode(tmp_path / "x.png", 8, 1).astype(int) - 128).max() < 12


def test_grey_saved_as_rgb_has_no_colour(tmp_path: Path) -> None:
    grey = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8))
    grey.convert("RGB").save(tmp_path / "grey.jpg")
    Image.new("RGB", (40, 40), (200, 30, 30)).save(tmp_path / "red.jpg")
    assert not has_colour(tmp_path / "grey.jpg")
    assert has_colour(tmp_path / "red.jpg")


def test_a_box_is_cut_out_of_the_upright_image(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    turned = Image.Exif()
    turned[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    Image.fromarray(noise).save(tmp_path / "a.png", exif=turned)
    Image.fromarray(np.rot90(noise, -1)[40:280, 10:190]).save(tmp_path / "cut.png")
    box = (10, 40, 190, 280)
    assert np.array_equal(decode(tmp_path / "a.png", 8, 3, box=box), decode(tmp_path / "cut.png", 8, 3))
    Image.fromarray(noise).save(tmp_path / "a.jpg", quality=95)  # of which a smaller version is read where it can be
    whole = decode(tmp_path / "a.jpg", 8, 3, box=(0, 0, 300, 200)).astype(int)
    assert np.abs(whole - decode(tmp_path / "a.jpg", 8, 3).astype(int)).max() < 12
    for outside in ((0, 0, 301, 200), (0, 0, 300, 201), (5, 5, 5, 9), (-1, 0, 9, 9)):
        with pytest.raises(OutsideError, match=r"^300 x 200 pixels$"):
            decode(tmp_path / "a.jpg", 8, 3, box=outside)


@pytest.mark.parametrize("kind", ["jpg", "png", "deep", "tiff"])
def test_bytes_are_what_a_file_would_hold(tmp_path: Path, kind: str) -> None:
    values = np.random.default_rng(0).integers(0, 4000, (12, 12, 3), dtype=np.uint16)
    file = tmp_path / f"a.{'png' if kind == 'deep' else kind}"
    if kind == "deep":
        file.write_bytes(png16(values))
    else:
        Image.fromarray((values % 256).astype(np.uint8)).save(file)
    assert np.array_equal(decode(file, 8, 3, bits=12), decode(file.read_bytes(), 8, 3, bits=12))
    assert values_of(file, "a") == values_of(file.read_bytes(), "a")
    assert has_colour(file) == has_colour(file.read_bytes())
