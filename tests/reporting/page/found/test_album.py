"""Thumbnails in sheets: each is where the page looks for it, and they stay within their bytes."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from sandbox.reporting.page.found.album import Album, make_album
from sandbox.reporting.page.found.book import make_book

from pages import EVIL, drawn_images


def cut_out(album: Album, tile: int) -> np.ndarray:
    """The pixels that a page shows of a tile."""
    sheet, left, top = album.place(tile)
    picture = np.asarray(Image.open(BytesIO(b64decode(album.sheets[sheet].partition(",")[2]))))
    left, top = left // album.zoom, top // album.zoom
    return picture[top : top + album.side, left : left + album.side]


@pytest.mark.parametrize("side", [16, 28])
def test_a_tile_is_the_image_of_its_row(side: int) -> None:
    labels = np.arange(1100) % 10
    images = drawn_images(labels, tuple("abcdefghij"), side=side)
    wanted = np.random.default_rng(0).permutation(1100)
    album = make_album(images.pixels, wanted, budget=10**6)
    assert album.rows.tolist() == wanted.tolist() and len(album.sheets) == 2 and album.side == side
    for tile in (0, 31, 32, 1023, 1024, 1099):
        assert (cut_out(album, tile) == images.pixels[wanted[tile], ..., 0]).all()


def test_what_does_not_fit_is_left_out_from_the_end() -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (3000, 64, 64, 3), dtype=np.uint8)  # noise, which no format makes small
    wanted = random.permutation(3000)
    album = make_album(pixels, wanted, budget=500_000)
    assert 200 < len(album.rows) < 3000 and album.rows.tolist() == wanted[: len(album.rows)].tolist()
    assert sum(map(len, album.sheets)) <= 550_000 and album.side == 24
    few = make_album(pixels, wanted[:20], budget=500_000)
    assert len(few.rows) == 20 and few.side == 48


def test_a_book_numbers_its_rows_and_names_what_has_no_picture() -> None:
    images = drawn_images(np.arange(40) % 2, ("plain", EVIL))
    book = make_book("own", images.labels, images.classes, images, [np.array([5, 3]), np.array([[3, 9]])], budget=10**6)
    assert book.rows.tolist() == [3, 5, 9] and book.pictures == 3
    assert book.numbers(np.array([9, 3])).tolist() == [2, 0] and book.tiles.tolist() == [1, 0, 2]
    assert "<script" not in book.tile(5) and "alert(1)" in book.tile(5)
    bare = make_book("own", images.labels, images.classes, None, [np.array([4])], budget=10**6)
    assert bare.tile(4) == '<span class="tile none">plain</span>' and bare.pictures == 0
