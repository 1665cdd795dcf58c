from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from image_files import as_bytes, chunk, png16, tiff16
from PIL import Image

from sandbox.data.images import pack as packing
from sandbox.data.images.decode import decode, read_photograph
from sandbox.data.images.deep import bits_for
from sandbox.data.images.form import Form
from sandbox.data.images.image_set import common_bits, read_rows
from sandbox.data.images.pack import pack

SIDE = 16


def values(top: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    made = np.random.default_rng(seed).integers(0, top + 1, (SIDE, SIDE, channels))
    made[0, 0] = top
    return made


def scaled(values: np.ndarray, bits: int) -> np.ndarray:
    """Value by value: the highest eight of so many bits."""
    return np.array([int(value) * 256 // 2**bits for value in values.ravel()]).reshape(values.shape)


def write(root: Path, contents: dict[str, bytes]) -> list[Path]:
    files = [root / name for name in contents]
    for file, content in zip(files, contents.values(), strict=True):
        file.write_bytes(content)
    return files


@pytest.mark.parametrize(
    ("peak", "bits"),
    [
        (0, 8),
        (255, 8),
        (256, 10),
        (1023, 10),
        (1024, 12),
        (4095, 12),
        (4096, 14),
        (16384, 16),
        (65535, 16),
        (65536, 24),
    ],
)
def test_the_fewest_bits_that_hold_a_value(peak: int, bits: int) -> None:
    assert bits_for(peak) == bits


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_a_set_is_scaled_by_the_largest_value_of_all_its_files(tmp_path: Path, bits: int) -> None:
    bright, dark = values(2**bits - 1), values(40, seed=1)
    packed = pack(write(tmp_path, {"dark.png": png16(dark), "bright.png": png16(bright)}), tmp_path, Form(SIDE))
    assert packed.bits == bits
    assert np.array_equal(packed.pixels, [scaled(dark, bits), scaled(bright, bits)])
    said = (
        f"2 files of 16 bits or more, such as dark.png, hold values up to {2**bits - 1:,}: taken for numbers of {bits}"
    )
    assert [note[: len(said)] for note in packed.notes] == ([] if bits == 16 else [said])


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("kind", ["png", "tif", "big.tif", "squeezed.tif", "big and squeezed.tif"])
def test_colours_of_16_bits_keep_what_pillow_drops(tmp_path: Path, kind: str, channels: int) -> None:
    colours = values(1023, channels)
    if channels == 4:
        colours[..., 3] = 65535  # not transparent; transparency does not count as a value
    if kind == "png":
        content = png16(colours)
    else:
        colours = colours[..., :3]
        content = tiff16(colours, big="big" in kind, squeezed="squeezed" in kind)
    packed = pack(write(tmp_path, {f"x.{kind}": content}), tmp_path, Form(SIDE, "rgb"))
    assert packed.bits == 10
    assert np.array_equal(packed.pixels[0], scaled(colours[..., :3], 10))


def test_upright_before_the_two_bytes_meet(tmp_path: Path) -> None:
    colours = values(4095, 3)
    exif = Image.Exif()
    exif[0x0112] = 6
    rows = png16(colours)
    head = rows.index(b"IDAT") - 4
    turned = rows[:head] + chunk(b"eXIf", exif.tobytes()[6:]) + rows[head:]
    (file,) = write(tmp_path, {"x.png": turned})
    assert np.array_equal(decode(file, SIDE, 3, bits=12), np.rot90(scaled(colours, 12), -1))


def test_16_bits_give_the_bytes_that_they_gave(tmp_path: Path) -> None:
    grey, colours = values(65535), values(65535, 3)
    files = write(tmp_path, {"grey.png": png16(grey), "rgb.png": png16(colours)})
    assert np.array_equal(decode(files[0], SIDE, 1), grey >> 8)
    assert np.array_equal(decode(files[1], SIDE, 3), colours >> 8)


@pytest.mark.parametrize(
    ("stretch", "hot", "white", "said"),
    [(1.0, 0.0, 1, "taken as 0 to 1"), (1.0, 5000.0, 1, "taken as 0 to 1"), (200.0, -9e9, 255, "taken as 0 to 255")],
)
def test_floats_do_not_feel_one_hot_pixel(tmp_path: Path, stretch: float, hot: float, white: int, said: str) -> None:
    real = (np.random.default_rng(0).random((SIDE, SIDE)) * stretch).astype(np.float32)
    odd = real.copy()
    odd[3, 4] = hot or odd[3, 4]
    (file,) = write(tmp_path, {"x.tif": as_bytes(Image.fromarray(odd), "TIFF")})
    packed = pack([file], tmp_path, Form(SIDE, "grey"))
    away = np.abs(packed.pixels[0, ..., 0].astype(int) - np.rint(real.astype(float) * 255 / white))
    away[3, 4] = 0
    assert away.max() == 0
    assert packed.notes == (f"1 floating-point image, such as x.tif: 1 {said}",)


def test_other_floats_are_stretched_between_their_inner_ends(tmp_path: Path) -> None:
    real = np.linspace(-1000, 3000, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)
    (file,) = write(tmp_path, {"x.tif": as_bytes(Image.fromarray(real), "TIFF")})
    packed = pack([file], tmp_path, Form(SIDE, "grey"))
    assert (packed.pixels.min(), packed.pixels.max()) == (0, 255)
    assert "1 stretched from the 0.1 to the 99.9 percentile of each" in packed.notes[0]


def test_values_below_zero_are_said(tmp_path: Path) -> None:
    signed = values(3000)[..., 0].astype(np.int32)
    signed[2] = -1024
    (file,) = write(tmp_path, {"x.tif": as_bytes(Image.fromarray(signed), "TIFF")})
    packed = pack([file], tmp_path, Form(SIDE, "grey"))
    assert packed.bits == 12
    assert packed.pixels[0, 2].max() == 0
    assert packed.notes[1] == "1 file holds values below 0, which become black"


def test_a_set_without_such_files_has_no_depth_and_its_cache_stays(
    tmp_path: Path, cache: Path, write_image: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [write_image(tmp_path / f"{seed}.png", seed=seed) for seed in range(3)]
    assert pack(files, tmp_path, Form(8)).bits is None
    (record,) = cache.glob("*.json")
    record.write_text("{}")  # as it was written before depth was looked at
    monkeypatch.setattr(packing, "decode", None)  # nothing is decoded again
    assert pack(files, tmp_path, Form(8)).notes == ()
    assert json.loads(record.read_text()) == {"": {}}


def test_a_cache_that_lost_all_but_a_byte_is_made_again(tmp_path: Path, cache: Path) -> None:
    files = write(tmp_path, {"x.png": png16(values(4095))})
    right = np.array(pack(files, tmp_path, Form(SIDE)).pixels)
    (pixels,), (record,) = cache.glob("*.npy"), cache.glob("*.json")
    np.save(pixels, right // 16)
    record.write_text("{}")
    again = pack(files, tmp_path, Form(SIDE))
    assert np.array_equal(again.pixels, right)
    assert again.bits == 12
    assert len(list(cache.iterdir())) == 2


def test_sets_that_are_read_apart_are_told_to_share_a_scale(tmp_path: Path) -> None:
    tops = {"a": 1000, "b": 4000}
    files = write(tmp_path, {f"{name}.png": png16(values(top)) for name, top in tops.items()})
    sets = [read_rows(tmp_path, [("c", file)], Form(SIDE))[0] for file in files]
    assert [images.bits for images in sets] == [10, 12]
    bits = common_bits(sets)
    assert bits == 12
    again, notes = read_rows(tmp_path, [("c", files[0])], Form(SIDE, bits=bits))
    assert np.array_equal(again.pixels[0], scaled(values(1000), 12))
    assert "taken for numbers of 12 bits" in notes[0]
    assert common_bits([again, sets[1]]) is None
    assert again.take([0]).bits == 12


def test_what_is_over_a_given_depth_becomes_white_and_is_said(tmp_path: Path) -> None:
    files = write(tmp_path, {"x.png": png16(np.full((SIDE, SIDE, 1), 60_000))})
    packed = pack(files, tmp_path, Form(SIDE, bits=12))
    assert packed.pixels.min() == 255
    assert packed.notes[1] == "values above 4,095, the largest of 12 bits, become white: x.png"


def test_a_photograph_that_is_looked_at_alone_sees_to_itself(tmp_path: Path) -> None:
    (file,) = write(tmp_path, {"x.png": png16(values(1023))})
    assert np.array_equal(np.asarray(read_photograph(file))[..., :1], scaled(values(1023), 10))
